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
const log = { info: () => {}, debug: () => {} };
const [time, everything] = await Promise.all([startCurrentTime(), startEverything({ log })]);
process.once('disconnect', async () => {
  await Promise.all([emulator.close(), time.close(), everything?.close()]);
  otherName.close();
  process.exit(0);
});
process.send?.({
  ...{ origin: otherName.origin, graphOrigin: emulator.graphOrigin, ca: otherName.ca },
  ...{ time: time.url, everything: everything?.url },
});
