import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type Answer,
  open,
  routeOf,
  rpc,
  type ScriptedUpstream,
  send,
  startGateway,
  startUpstream,
  type TestGateway,
} from './gateway.test-support.ts';

let upstream: ScriptedUpstream;
let house: TestGateway;
let streams: ServerResponse[];

beforeEach(async () => {
  streams = [];
  upstream = await startUpstream((received, res) => {
    if (received.method === 'POST') res.writeHead(202).end('Accepted');
    else {
      streams.push(res.writeHead(200, { 'content-type': 'text/event-stream' }));
      res.flushHeaders();
    }
  });
  house = await startGateway({
    alice: ['old tools/list', 'old tools/call now', 'twin * *', 'both * *'],
    bob: ['old * *'],
    carol: ['old tools/list'],
  });
  const sse = new URL('/v1/sse?key=k', upstream.url);
  house.routes.set('old', routeOf('old', null, { sse }));
  house.routes.set('twin', routeOf('twin', null, { sse }));
  house.routes.set('both', routeOf('both', upstream.url, { sse }));
});
afterEach(async () => {
  await house.close();
  await upstream.close();
});

async function session(as = 'alice', path = '/old/sse'): Promise<{ stream: Answer; address: string }> {
  const stream = await open(`${house.origin}${path}`, { as });
  streams.at(-1)?.write('event: endpoint\ndata: /v1/messages?sessionId=session-one\n\n');
  const [, address = ''] = /^event: endpoint\ndata: (.*)\n\n$/.exec(await stream.event()) ?? [];
  return { stream, address };
}

test("the client gets the gateway's address for messages, and what it posts there arrives", async () => {
  const { stream, address } = await session();
  expect(upstream.received).toMatchObject([{ method: 'GET', url: '/v1/sse?key=k' }]);
  expect(address).toMatch(/^\/old\/messages\?session=[\w-]+$/);
  expect(address).not.toContain('session-one');
  const body = rpc('tools/call', { name: 'now' });
  expect(await send(house.origin + address, { as: 'alice', body })).toMatchObject({
    status: 202,
    text: 'Accepted',
  });
  expect(upstream.received[1]).toMatchObject({
    method: 'POST',
    url: '/v1/messages?sessionId=session-one',
    body: JSON.stringify(body),
  });
  streams[0]?.write('data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n');
  expect(await stream.event()).toBe('data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n');
});

/** The message of the next event. */
const message = async (stream: Answer) => JSON.parse(/^data: (.*)$/m.exec(await stream.event())?.[1] ?? '');

test('what is posted is decided on, and a refusal comes on the stream, where its client waits for it', async () => {
  const { stream, address } = await session();
  const answer = await send(house.origin + address, { as: 'alice', body: rpc('tools/call', { name: 'rm' }) });
  expect(answer).toMatchObject({ status: 202, text: 'Accepted' });
  const refused = { jsonrpc: '2.0', id: 1, error: { code: 403, data: { code: 'not_allowed' } } };
  expect(await message(stream)).toMatchObject(refused);
  expect(upstream.received).toHaveLength(1);
  expect(await house.audited(1)).toMatchObject([
    { decision: 'deny', reason: 'tool', status: 403, tool: 'rm' },
  ]);
});

test('a list that nobody granted is an empty one on the stream', async () => {
  const { stream, address } = await session();
  expect(await send(house.origin + address, { as: 'alice', body: rpc('prompts/list') })).toMatchObject({
    status: 202,
  });
  expect(await message(stream)).toEqual({ jsonrpc: '2.0', id: 1, result: { prompts: [] } });
  expect(upstream.received).toHaveLength(1);
});

test('a refusal is 403 where the stream is not here: ended, of another process, or of somebody else', async () => {
  const { stream, address } = await session();
  const body = rpc('tools/call', { name: 'rm' });
  expect(await send(house.origin + address, { as: 'carol', body })).toMatchObject({ status: 403 });
  streams[0]?.write('data: {"method":"notifications/next"}\n\n');
  expect(await message(stream)).toEqual({ method: 'notifications/next' });
  streams[0]?.end();
  await house.audited(2);
  expect(await send(house.origin + address, { as: 'alice', body })).toMatchObject({ status: 403 });
});

test('lists that arrive on the stream are filtered', async () => {
  const { stream } = await session();
  streams[0]?.write('event: message\ndata: {"id":1,"result":{"tools":[{"name":"rm"},{"name":"now"}]}}\n\n');
  expect(await stream.event()).toBe('event: message\ndata: {"id":1,"result":{"tools":[{"name":"now"}]}}\n\n');
});

test('an address serves its server and its identity only, and none can be made up', async () => {
  const { address } = await session();
  const ping = rpc('tools/list');
  const ticket = address.replace(/^.*\?/, '');
  for (const [as, path] of [
    ['bob', address],
    ['alice', `/twin/messages?${ticket}`],
    ['alice', `/old/messages?${ticket}&${ticket}`],
    ['alice', '/old/messages?session=L2FkbWlu'],
    ['alice', '/old/messages?sessionId=session-one'],
    ['alice', '/old/messages'],
  ] as const)
    expect(await send(house.origin + path, { as, body: ping })).toMatchObject({ status: 404 });
  expect(upstream.received).toHaveLength(1);
});

test('an endpoint at another origin breaks the stream', async () => {
  const stream = await open(`${house.origin}/old/sse`, { as: 'alice' });
  streams[0]?.write('event: endpoint\ndata: http://127.0.0.1:1/messages\n\n');
  await expect(
    (async () => {
      for (;;) if ((await stream.next()) === undefined) return;
    })(),
  ).rejects.toThrow();
  expect(await upstream.received[0]?.closed).toBe(true);
  expect(await house.audited(1)).toMatchObject([{ decision: 'error', reason: 'upstream_invalid' }]);
});

test('an absolute endpoint at the own origin is accepted', async () => {
  const stream = await open(`${house.origin}/old/sse`, { as: 'bob' });
  streams[0]?.write(`event: endpoint\r\ndata: ${new URL('/m?id=2', upstream.url)}\r\n\r\n`);
  const [, address = ''] = /^event: endpoint\r\ndata: (.*)\r\n\r\n$/.exec(await stream.event()) ?? [];
  await send(house.origin + address, { as: 'bob', body: rpc('ping') });
  expect(upstream.received[1]).toMatchObject({ url: '/m?id=2' });
});

test('each transport has its addresses, and only those the server speaks', async () => {
  expect(await send(`${house.origin}/old/mcp`, { as: 'bob', body: rpc('ping') })).toMatchObject({
    status: 404,
  });
  expect(await send(`${house.origin}/old/sse`, { as: 'bob', body: rpc('ping') })).toMatchObject({
    status: 405,
  });
  expect((await session('bob', '/old/mcp')).address).toMatch(/^\/old\/messages/);
  const answer = await send(`${house.origin}/both/mcp`, { as: 'alice', body: rpc('ping') });
  expect(answer).toMatchObject({ status: 202 });
  expect(upstream.received.at(-1)).toMatchObject({ url: '/mcp' });
});
