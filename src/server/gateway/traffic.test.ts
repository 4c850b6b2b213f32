import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
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

let upstream: ScriptedUpstream;
let house: TestGateway;
let url: string;
let waiting: ServerResponse[];
const call = { as: 'alice', body: rpc('tools/call', { name: 'now' }) };
const nothing = { calls: 0, streams: 0, upstream: { sockets: 0, calls: 0, streams: 0 } };

beforeEach(async () => {
  waiting = [];
  upstream = await startUpstream((received, res) => {
    waiting.push(res);
    if (received.method === 'GET') res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  });
});
afterEach(async () => {
  await house.close();
  await upstream.close();
});

async function start(limits = {}): Promise<void> {
  house = await startGateway({ alice: ['* * *'], bob: ['* * *'] }, { limits });
  house.routes.set('time', routeOf('time', upstream.url));
  url = `${house.origin}/time/mcp`;
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setImmediate(resolve));
}

test('draining lets calls finish, also late ones, takes no new streams, then ends streams and connections', async () => {
  await start();
  const stream = await open(url, { as: 'alice' });
  const inFlight = send(url, call);
  await until(() => waiting.length === 2);
  expect(house.gateway.counts()).toMatchObject({
    calls: 1,
    streams: 1,
    upstream: { sockets: 2, calls: 1, streams: 1 },
  });
  const drained = house.gateway.drain(60_000);
  const late = send(url, call);
  await until(() => waiting.length === 3);
  if (waiting[2]) sendJson(waiting[2], { late: true });
  expect(await late).toMatchObject({ status: 200, headers: { connection: 'close' } });
  const refused = await send(url, { as: 'alice', method: 'GET', headers: { accept: 'text/event-stream' } });
  expect(refused).toMatchObject({ status: 503 });
  expect(refused.headers).toMatchObject({ connection: 'close', 'retry-after': '1' });
  expect(refused.text).toContain('shutting_down');
  waiting[0]?.write('data: still here\n\n');
  expect(await stream.event()).toBe('data: still here\n\n');
  if (waiting[1]) sendJson(waiting[1], { done: true });
  const answer = await inFlight;
  expect(answer).toMatchObject({ status: 200, text: '{"done":true}' });
  expect(answer.headers.connection).toBe('close');
  expect(await stream.next()).toBeUndefined();
  await drained;
  expect(house.gateway.counts()).toEqual(nothing);
  expect(await house.audited(4)).toHaveLength(4);
});

test('while draining, a client may still answer what a call in flight waits for', async () => {
  await start();
  const inFlight = send(url, call);
  await until(() => waiting.length === 1);
  const drained = house.gateway.drain(60_000);
  const answering = send(url, { as: 'alice', body: { jsonrpc: '2.0', id: 9, result: {} } });
  await until(() => waiting.length === 2);
  waiting[1]?.writeHead(202).end();
  expect(await answering).toMatchObject({ status: 202 });
  if (waiting[0]) sendJson(waiting[0], {});
  expect(await inFlight).toMatchObject({ status: 200 });
  await drained;
});

test('a call that outlasts the limit of draining is told so', async () => {
  await start();
  const inFlight = send(url, call);
  await until(() => waiting.length === 1);
  await house.gateway.drain(10);
  expect(await inFlight).toMatchObject({ status: 503 });
  expect(house.gateway.counts()).toEqual(nothing);
});

test('above the limit of requests the answer is 503 at once', async () => {
  await start({ requests: 1 });
  const inFlight = send(url, call);
  await until(() => waiting.length === 1);
  const refused = await send(url, call);
  expect(refused).toMatchObject({ status: 503 });
  expect(refused.json()).toMatchObject({ error: { data: { code: 'overloaded' } } });
  if (waiting[0]) sendJson(waiting[0], {});
  expect(await inFlight).toMatchObject({ status: 200 });
});

test('calls to one server wait for a connection, and too many waiting are refused', async () => {
  await start({ connectionsPerServer: 1, queuePerServer: 1 });
  const [first, second] = [send(url, call), send(url, call)];
  await until(() => house.gateway.counts().upstream.calls === 2);
  expect(await send(url, call)).toMatchObject({ status: 503 });
  for (const inFlight of [first, second]) {
    await until(() => waiting.length > 0);
    const res = waiting.shift();
    if (res) sendJson(res, {});
    expect(await inFlight).toMatchObject({ status: 200 });
  }
});

test('calls of one identity leave a server free for others, and learn when to come back', async () => {
  await start({ callsPerIdentity: 2 });
  const held = [send(url, call), send(url, call)];
  await until(() => waiting.length === 2);
  const refused = await send(url, call);
  expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
  expect(refused.json()).toMatchObject({ error: { data: { code: 'too_many_requests' } } });
  held.push(send(url, { ...call, as: 'bob' }));
  await until(() => waiting.length === 3);
  for (const res of waiting) sendJson(res, {});
  expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200, 200]);
  held.push(send(url, call));
  await until(() => waiting.length === 4);
  if (waiting[3]) sendJson(waiting[3], {});
  expect((await held[3])?.status).toBe(200);
});

test('two paths to one server share what an identity may have there', async () => {
  await start({ callsPerIdentity: 2 });
  const again = new URL(`${upstream.url}?tenant=other`);
  house.routes.set('again', routeOf('again', again));
  house.routes.set('upper', routeOf('upper', new URL(upstream.url.href.replace('http:', 'HTTP:'))));
  const calls = ['time', 'again'].map((name) => send(`${house.origin}/${name}/mcp`, call));
  await until(() => waiting.length === 2);
  for (const name of ['time', 'again', 'upper'])
    expect(await send(`${house.origin}/${name}/mcp`, call)).toMatchObject({ status: 429 });
  for (const res of waiting) sendJson(res, {});
  await Promise.all(calls);
  expect(house.gateway.counts()).toMatchObject({ calls: 0, upstream: { calls: 0 } });
});

test('streams take no connection from calls, and have a limit of their own', async () => {
  await start({ connectionsPerServer: 1, queuePerServer: 0, streamsPerServer: 2 });
  const streams = [await open(url, { as: 'alice' }), await open(url, { as: 'alice' })];
  expect(await send(url, { as: 'alice' })).toMatchObject({ status: 503 });
  upstream.script = (_, res) => sendJson(res, {});
  expect(await send(url, call)).toMatchObject({ status: 200 });
  for (const stream of streams) stream.leave();
  await until(() => house.gateway.counts().upstream.streams === 0);
  expect(house.gateway.counts().streams).toBe(0);
});

test('the wait for a connection counts towards the limit for headers', async () => {
  await start({ connectionsPerServer: 1, headersMs: 100 });
  const both = await Promise.all([send(url, call), send(url, call)]);
  expect(both).toMatchObject([{ status: 504 }, { status: 504 }]);
  await until(() => house.gateway.counts().upstream.calls === 0);
});

test('pools of servers that nobody calls any more are closed', async () => {
  await start({ pools: 1 });
  const other = await startUpstream();
  house.routes.set('other', routeOf('other', other.url));
  upstream.script = (_, res) => sendJson(res, {});
  for (const name of ['time', 'other', 'time'])
    expect(await send(`${house.origin}/${name}/mcp`, call)).toMatchObject({ status: 200 });
  await until(() => house.gateway.counts().upstream.sockets === 1);
  await other.close();
});
