import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { startEmulator } from '../../src/entra-emulator/main.ts';
import { startCurrentTime } from '../../src/samples/currenttime.ts';
import { startEverything } from '../../src/samples/everything.ts';
import { freePort } from '../harness.ts';
import { openOtherName } from '../other-name.ts';

// What is outside of every replica and shared by all, as a process of its own: Microsoft Entra ID and two MCP servers.
const otherName = await openOtherName();
const port = await freePort();
otherName.to(`http://127.0.0.1:${port}`);
const emulator = await startEmulator({ port, origin: otherName.origin });
/** An MCP server that costs next to nothing, so that a load is about the gateways. */
const quick = createServer(async (req, res) => {
  const { id = null } = JSON.parse((await text(req)) || '{}') as { id?: unknown };
  const result = { content: [{ type: 'text', text: 'quick' }], tools: [] };
  res
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ jsonrpc: '2.0', id, result }));
}).listen(0, '127.0.0.1');
await once(quick, 'listening');
const log = { info: () => {}, debug: () => {} };
const [time, everything] = await Promise.all([startCurrentTime(), startEverything({ log })]);
process.once('disconnect', async () => {
  await Promise.all([emulator.close(), time.close(), everything?.close()]);
  otherName.close();
  quick.close();
  process.exit(0);
});
process.send?.({
  ...{ origin: otherName.origin, graphOrigin: emulator.graphOrigin, ca: otherName.ca },
  ...{ time: time.url, everything: everything?.url },
  quick: `http://127.0.0.1:${(quick.address() as AddressInfo).port}/mcp`,
});
