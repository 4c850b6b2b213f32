import { createServer } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  routeOf,
  rpc,
  type ScriptedUpstream,
  send,
  sendJson,
  startGateway,
  startUpstream,
  type TestGateway,
} from '../gateway.test-support.ts';
import type { GatewayWorld } from '../world.ts';

const rules = { alice: ['* * *'], bob: ['* * *'] };
const keyOf = (byte: number): [Buffer] => [Buffer.alloc(32, byte)];
const keys = { ticket: keyOf(1), session: keyOf(1), task: keyOf(1) };

let upstream: ScriptedUpstream;
let house: TestGateway;
let url: string;

beforeEach(async () => {
  upstream = await startUpstream((_, res) => {
    res.setHeader('mcp-session-id', 'session-of-the-server');
    sendJson(res, { jsonrpc: '2.0', id: 1, result: {} });
  });
  house = await startHouse(keys);
  url = `${house.origin}/time/mcp`;
});
afterEach(async () => {
  await house.close();
  await upstream.close();
});

async function startHouse(of: NonNullable<GatewayWorld['keys']>) {
  const started = await startGateway(rules, { keys: of });
  for (const name of ['time', 'twin']) started.routes.set(name, routeOf(name, upstream.url));
  return started;
}

const initialize = rpc('initialize', {});
const using = (id: string) => ({ body: rpc('ping', {}, 3), headers: { 'mcp-session-id': id } });
const begin = async (at = url, as = 'alice') =>
  String((await send(at, { as, body: initialize })).headers['mcp-session-id']);

test('the client gets an id that says nothing, and the server gets its own', async () => {
  const id = await begin();
  expect(id).not.toContain('session-of-the-server');
  const answer = await send(url, { as: 'alice', ...using(id) });
  expect(answer).toMatchObject({ status: 200 });
  // The server repeats its id: to the client it is the one that it has.
  expect(answer.headers['mcp-session-id']).toBe(id);
  expect(upstream.received[1]?.headers['mcp-session-id']).toBe('session-of-the-server');
});

test("one identity's session is unknown to every other, in every method", async () => {
  const id = await begin();
  const answer = await send(url, { as: 'bob', ...using(id) });
  expect(answer).toMatchObject({ status: 404 });
  expect(answer.json()).toMatchObject({ id: 3, error: { data: { code: 'not_found' } } });
  for (const method of ['GET', 'DELETE'])
    expect(await send(url, { as: 'bob', method, headers: { 'mcp-session-id': id } })).toMatchObject({
      status: 404,
    });
  expect(upstream.received).toHaveLength(1);
});

test("the server's own id, a changed one and one of another server are unknown", async () => {
  const id = await begin();
  for (const given of ['session-of-the-server', '', `${id}A`, id.slice(1), id.toUpperCase(), 'A'.repeat(4)])
    expect(await send(url, { as: 'alice', ...using(given) })).toMatchObject({ status: 404 });
  expect(await send(`${house.origin}/twin/mcp`, { as: 'alice', ...using(id) })).toMatchObject({
    status: 404,
  });
  house.routes.set('time', routeOf('time', upstream.url, { id: 'registered anew' }));
  expect(await send(url, { as: 'alice', ...using(id) })).toMatchObject({ status: 404 });
  expect(upstream.received).toHaveLength(1);
});

test('a session outlives a restart, is known in every process with the key, and survives a change of keys', async () => {
  const id = await begin();
  const rotated: GatewayWorld['keys'] = { ...keys, session: [...keyOf(2), ...keyOf(1)] };
  for (const of of [keys, rotated]) {
    const other = await startHouse(of);
    expect(await send(`${other.origin}/time/mcp`, { as: 'alice', ...using(id) })).toMatchObject({
      status: 200,
    });
    expect(await send(`${other.origin}/time/mcp`, { as: 'bob', ...using(id) })).toMatchObject({
      status: 404,
    });
    await other.close();
  }
  const stranger = await startHouse({ ...keys, session: keyOf(2) });
  expect(await send(`${stranger.origin}/time/mcp`, { as: 'alice', ...using(id) })).toMatchObject({
    status: 404,
  });
  await stranger.close();
});

test('a server that gives everybody the same id works for all, each with an id of their own', async () => {
  const ids = [await begin(), await begin(url, 'bob')] as const;
  expect(ids[0]).not.toBe(ids[1]);
  for (const [at, as] of (['alice', 'bob'] as const).entries())
    expect(await send(url, { as, ...using(ids[at] ?? '') })).toMatchObject({ status: 200 });
});

test('an answer with two session ids is not passed on', async () => {
  const server = createServer((_, res) => {
    res.setHeader('mcp-session-id', ['a', 'b']);
    sendJson(res, { jsonrpc: '2.0', id: 1, result: {} });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  house.routes.set('two', routeOf('two', new URL(`http://127.0.0.1:${port}/mcp`)));
  expect(await send(`${house.origin}/two/mcp`, { as: 'alice', body: initialize })).toMatchObject({
    status: 502,
  });
  server.closeAllConnections();
  server.close();
});
