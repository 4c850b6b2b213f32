import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Connector, guardedConnector } from '../../net/connector.ts';
import {
  type Ask,
  routeOf,
  rpc,
  type ScriptedUpstream,
  send,
  sendJson,
  sessionOf,
  startGateway,
  startUpstream,
  type TestGateway,
} from '../gateway.test-support.ts';

let upstream: ScriptedUpstream;
let house: TestGateway;
let url: string;
let arrived: number;
/** Holds new connections to the server up until they are let go. */
let held: (() => void)[];
let holds: boolean;
let streams: ServerResponse[];

const connect = guardedConnector({ policy: { allowPrivate: true }, timeoutMs: 5_000 });
const slowly: Connector = (target, callback) => {
  if (holds) held.push(() => connect(target, callback));
  else connect(target, callback);
};

beforeEach(async () => {
  [arrived, held, holds, streams] = [0, [], false, []];
  upstream = await startUpstream(({ method }, res) => {
    if (method === 'POST') return sendJson(res, { jsonrpc: '2.0', id: 1, result: {} });
    streams.push(res.writeHead(200, { 'content-type': 'text/event-stream' }));
    res.flushHeaders();
  });
});
afterEach(async () => {
  expect(house.gateway.counts()).toMatchObject({ calls: 0 });
  await house.close();
  await upstream.close();
});

/** A gateway with one connection to the server that stands; each further one is held up. */
async function start(openingMs = 60_000): Promise<void> {
  house = await startGateway(
    { alice: ['* * *'], bob: ['* * *'] },
    { connect: slowly, limits: { openingMs, connectionsPerServer: 1 } },
  );
  house.routes.set('time', routeOf('time', upstream.url));
  house.server.on('request', () => {
    arrived += 1;
  });
  url = `${house.origin}/time/mcp`;
  await send(url, call('warm'));
  holds = true;
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setImmediate(resolve));
}

const call = (session: string, as = 'alice'): Ask => ({
  as,
  body: rpc('tools/call', { name: 'now' }),
  headers: { 'mcp-session-id': idOf(session, as) },
});
/** What a person has for the server's session of that name, the same each time. */
const ids = new Map<string, string>();
function idOf(session: string, as = 'alice'): string {
  const key = `${upstream.url.href} ${session} ${as}`;
  const id = ids.get(key) ?? sessionOf(as, 'time', upstream.url, session);
  ids.set(key, id);
  return id;
}

/** Begins a request and answers when the gateway has it. */
async function begin(ask: Ask): Promise<{ answer: ReturnType<typeof send>; leave: () => void }> {
  const before = arrived;
  const signal = new AbortController();
  const answer = send(url, { ...ask, signal: signal.signal });
  answer.catch(() => undefined);
  await until(() => arrived > before);
  return { answer, leave: () => signal.abort() };
}

const stream = (): Ask => ({ as: 'alice', headers: { 'mcp-session-id': idOf('s1') } });
const order = (): string[] =>
  upstream.received.slice(1).map(({ method, headers }) => `${method} ${headers['mcp-session-id']}`);

test('a call reaches its server behind the stream that the client opened before it', async () => {
  await start();
  const opened = await begin(stream());
  const behind = await begin(call('s1'));
  // On the only connection for calls, what was sent before this one would arrive before it.
  await send(url, call('s2'));
  expect(order()).toEqual(['POST s2']);
  for (const go of held) go();
  expect(await behind.answer).toMatchObject({ status: 200 });
  expect(order()).toEqual(['POST s2', 'GET s1', 'POST s1']);
  streams[0]?.end();
  expect(await opened.answer).toMatchObject({ status: 200 });
});

test('calls of another identity, and of none, do not wait', async () => {
  await start();
  const opened = await begin(stream());
  expect(await send(url, call('s1', 'bob'))).toMatchObject({ status: 200 });
  expect(await send(url, call('s1', 'nobody'))).toMatchObject({ status: 401 });
  opened.leave();
});

test('a call goes on when the server refuses the stream', async () => {
  await start();
  upstream.script = ({ method }, res) => sendJson(res, {}, method === 'GET' ? 405 : 200);
  const opened = await begin(stream());
  const behind = await begin(call('s1'));
  for (const go of held) go();
  expect(await behind.answer).toMatchObject({ status: 200 });
  expect(await opened.answer).toMatchObject({ status: 405 });
});

test('a call goes on when the client gives the stream up', async () => {
  await start();
  const opened = await begin(stream());
  const behind = await begin(call('s1'));
  opened.leave();
  expect(await behind.answer).toMatchObject({ status: 200 });
});

test('a call goes on when the stream takes too long', async () => {
  await start(1);
  const opened = await begin(stream());
  expect(await send(url, call('s1'))).toMatchObject({ status: 200 });
  opened.leave();
});

test('a call that waits is told when the gateway shuts down, and one whose client left is not sent', async () => {
  await start();
  const opened = await begin(stream());
  const [behind, left] = [await begin(call('s1')), await begin(call('s1'))];
  left.leave();
  await house.audited(2);
  await house.gateway.drain(1);
  expect(await behind.answer).toMatchObject({ status: 503 });
  opened.leave();
  await house.audited(4);
  expect(order()).toEqual([]);
});
