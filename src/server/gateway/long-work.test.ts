import type { ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import {
  open,
  routeOf,
  rpc,
  type ScriptedUpstream,
  send,
  sendJson,
  startGateway,
  startUpstream,
  type TestGateway,
} from './gateway.test-support.ts';

/*
 * Work that takes long and results that are large: a call waits longer than a list, as long as its server may take, and
 * what is too large costs its own call alone. Scaled down: a list's 504 shows that its limit is over while the call waits.
 */

let upstream: ScriptedUpstream;
let house: TestGateway;
let held: ServerResponse[];
afterEach(async () => {
  await house.close();
  await upstream.close();
});

async function startSilent(limits: { headersMs: number; callMs: number }): Promise<void> {
  held = [];
  upstream = await startUpstream((_, res) => void held.push(res));
  house = await startGateway({ alice: ['patient * *', 'usual * *'] }, { limits });
  house.routes.set('usual', routeOf('usual', upstream.url));
  house.routes.set('patient', routeOf('patient', upstream.url, { callMs: 600_000 }));
}

const ask = (server: string, method: string) =>
  send(`${house.origin}/${server}/mcp`, { as: 'alice', body: rpc(method, { name: 'now' }) });

/** One that has not come yet could not be released. */
const untilHeld = (): Promise<void> => expect.poll(() => held.length, { timeout: 60_000 }).toBeGreaterThan(0);

const release = (): void => {
  for (const res of held)
    if (!res.destroyed) sendJson(res, { jsonrpc: '2.0', id: 1, result: { done: true } });
};

test('a call may be silent for longer than anything that a server has at hand', async () => {
  await startSilent({ headersMs: 60, callMs: 600_000 });
  const call = ask('usual', 'tools/call');
  await untilHeld();
  const listed = await ask('usual', 'tools/list');
  expect(listed.json()).toMatchObject({
    error: { code: 504, message: expect.stringContaining('MCP_PROXY_TIMEOUT') },
  });
  release();
  expect((await call).json()).toMatchObject({ result: { done: true } });
});

test('a server whose limit was raised may take longer than the others, whose error names the setting', async () => {
  await startSilent({ headersMs: 60, callMs: 60 });
  const patient = ask('patient', 'tools/call');
  await untilHeld();
  const usual = await ask('usual', 'tools/call');
  expect(usual.json()).toMatchObject({
    error: {
      code: 504,
      message: expect.stringMatching(/MCP_CALL_TIMEOUT_SECONDS, or call_timeout_seconds of this server/),
    },
  });
  release();
  expect((await patient).json()).toMatchObject({ result: { done: true } });
});

const result = (id: number, bytes: number): string =>
  `event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'x'.repeat(bytes) }] } })}\n\n`;

test('twelve megabytes of one event pass to a call over Streamable HTTP', async () => {
  upstream = await startUpstream((_, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.end(result(1, 12_000_000));
  });
  house = await startGateway({ alice: ['usual tools/call now', 'usual tools/list'] });
  house.routes.set('usual', routeOf('usual', upstream.url));
  const answer = await ask('usual', 'tools/call');
  expect(answer.status).toBe(200);
  expect(answer.text).toBe(result(1, 12_000_000));
});

test('on a stream that is shared, as that of HTTP+SSE, they cost their own call at worst', async () => {
  held = [];
  upstream = await startUpstream((received, res) => {
    if (received.method === 'POST') return void res.writeHead(202).end('Accepted');
    held.push(res.writeHead(200, { 'content-type': 'text/event-stream' }));
    res.flushHeaders();
  });
  house = await startGateway({ alice: ['old tools/list', 'old tools/call now'] });
  house.routes.set('old', routeOf('old', null, { sse: new URL('/sse', upstream.url) }));
  const stream = await open(`${house.origin}/old/sse`, { as: 'alice' });
  const [server] = held;
  server?.write('event: endpoint\ndata: /messages?sessionId=one\n\n');
  await stream.event();
  for (const text of [result(1, 5_000_000), result(2, 12_000_000), result(3, 10)]) server?.write(text);
  server?.end();
  const messages = (await stream.rest())
    .split('\n\n')
    .filter((event) => event.includes('data: '))
    .map((event) => JSON.parse(/^data: (.*)$/m.exec(event)?.[1] ?? 'null') as { id: number });
  expect(messages.map(({ id }) => id)).toEqual([1, 2, 3]);
  const [large, tooLarge, next] = messages;
  expect(large).toMatchObject({ result: { content: [{ type: 'text' }] } });
  expect(tooLarge).toMatchObject({ error: { message: expect.stringContaining('larger') } });
  expect(next).toMatchObject({ result: { content: [{ text: 'xxxxxxxxxx' }] } });
});
