import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createCheckApart } from './check-apart.ts';

let server: Server;
let apart: ReturnType<typeof createCheckApart>;

/** Small text that takes forty times the memory once it is read. */
const large = Array.from({ length: 900 }, (_, at) => ({
  name: `tool_${at}`,
  inputSchema: { type: 'object', odd: Array.from({ length: 450 }, () => [[], {}]) },
}));
const small = [{ name: 'now', inputSchema: { type: 'object' } }];

beforeEach(async () => {
  server = createServer(async (req, res) => {
    let text = '';
    for await (const chunk of req) text += chunk;
    const { id, method } = JSON.parse(text || '{}') as { id?: number; method?: string };
    if (id === undefined) return void res.writeHead(req.method === 'POST' ? 202 : 405).end();
    const about = { capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } };
    const results: Record<string, unknown> = {
      initialize: { protocolVersion: '2025-06-18', ...about },
      'tools/list': { tools: req.url === '/large/mcp' ? large : small },
    };
    const result = results[method ?? ''];
    const said = result ? { result } : { error: { code: -32601, message: 'no' } };
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(JSON.stringify({ jsonrpc: '2.0', id, ...said }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const data = {
    policy: { allowPrivate: true },
    version: '1',
    tls: null,
    extraCa: null,
    totalMs: 60_000,
    givesWay: true,
  };
  apart = createCheckApart(
    { ...data, proxy: { https: null, http: null, except: [] } },
    { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 80 },
  );
});
afterEach(async () => {
  await apart.close();
  server.closeAllConnections();
  server.close();
});

const check = (name: string) => {
  const { port } = server.address() as AddressInfo;
  return apart.check({ mcp: new URL(`http://127.0.0.1:${port}/${name}/mcp`), sse: null });
};

test('a server whose lists are too large is found to be, and harms the check of no other', async () => {
  const found = await Promise.all(['good', 'large', 'other'].map(check));
  expect(found.map(({ status }) => status)).toEqual(['healthy', 'unhealthy', 'healthy']);
  expect(found[1]).toMatchObject({ reason: 'failing', detail: expect.stringContaining('memory') });
  expect(await check('good')).toMatchObject({ status: 'healthy', tools: small });
});

test('what is under way when it is closed fails, and nothing is started for it', async () => {
  const waiting = check('good');
  await apart.close();
  await expect(waiting).rejects.toThrow('ended with code');
});
