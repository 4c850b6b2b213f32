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
} from './gateway.test-support.ts';

let upstream: ScriptedUpstream;
let house: TestGateway;
let url: string;
let sessionId: string;

beforeEach(async () => {
  sessionId = 's1';
  upstream = await startUpstream((_, res) => {
    res.setHeader('mcp-session-id', sessionId);
    sendJson(res, { jsonrpc: '2.0', id: 1, result: {} });
  });
  house = await startGateway({ alice: ['* * *'], bob: ['* * *'] }, { limits: { sessions: 2 } });
  for (const name of ['time', 'twin']) house.routes.set(name, routeOf(name, upstream.url));
  url = `${house.origin}/time/mcp`;
});
afterEach(async () => {
  await house.close();
  await upstream.close();
});

const initialize = rpc('initialize', {});
const using = (id: string) => ({ body: rpc('ping', {}, 3), headers: { 'mcp-session-id': id } });

test("one identity's session is unknown to every other, in every method", async () => {
  await send(url, { as: 'alice', body: initialize });
  expect(await send(url, { as: 'alice', ...using('s1') })).toMatchObject({ status: 200 });
  const answer = await send(url, { as: 'bob', ...using('s1') });
  expect(answer).toMatchObject({ status: 404 });
  expect(answer.json()).toMatchObject({ id: 3, error: { data: { code: 'not_found' } } });
  for (const method of ['GET', 'DELETE'])
    expect(await send(url, { as: 'bob', method, headers: { 'mcp-session-id': 's1' } })).toMatchObject({
      status: 404,
    });
  expect(upstream.received).toHaveLength(2);
});

test('a session that is not remembered is left to its server, and is nobody else’s by being used', async () => {
  expect(await send(url, { as: 'bob', ...using('s1') })).toMatchObject({ status: 200 });
  expect(await send(url, { as: 'alice', ...using('s1') })).toMatchObject({ status: 200 });
});

test('servers do not share sessions, and one that gives everybody the same id goes on working', async () => {
  await send(url, { as: 'alice', body: initialize });
  expect(await send(`${house.origin}/twin/mcp`, { as: 'bob', ...using('s1') })).toMatchObject({
    status: 200,
  });
  await send(url, { as: 'bob', body: initialize });
  for (const as of ['alice', 'bob'])
    expect(await send(url, { as, ...using('s1') })).toMatchObject({ status: 200 });
});

test('no more sessions are remembered than the limit says', async () => {
  for (sessionId of ['s1', 's2', 's3']) await send(url, { as: 'alice', body: initialize });
  expect(await send(url, { as: 'bob', ...using('s1') })).toMatchObject({ status: 200 });
  expect(await send(url, { as: 'bob', ...using('s3') })).toMatchObject({ status: 404 });
});
