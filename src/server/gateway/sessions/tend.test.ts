import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type Answer,
  open,
  routeOf,
  rpc,
  type ScriptedUpstream,
  send,
  sendJson,
  startGateway,
  startUpstream,
  type TestGateway,
} from '../gateway.test-support.ts';
import type { GatewayLimits } from '../limits.ts';

let upstream: ScriptedUpstream;
let house: TestGateway;
let url: string;
let streams: ServerResponse[];

beforeEach(async () => {
  streams = [];
  upstream = await startUpstream((_, res) => {
    streams.push(res.writeHead(200, { 'content-type': 'text/event-stream' }));
    res.flushHeaders();
  });
});
afterEach(async () => {
  await house.close();
  expect(house.gateway.counts()).toMatchObject({ calls: 0, streams: 0 });
  await upstream.close();
});

async function start(limits: Partial<GatewayLimits>): Promise<void> {
  house = await startGateway({ alice: ['* * *'], bob: ['* * *'] }, { limits });
  house.routes.set('time', routeOf('time', upstream.url));
  url = `${house.origin}/time/mcp`;
}

/** The text of a stream up to what is looked for. */
async function upTo(answer: Answer, looked: string): Promise<string> {
  let text = '';
  while (!text.includes(looked))
    text += (await answer.next()) ?? expect.fail(`the stream ended after ${text}`);
  return text;
}

const comment = ': keep-alive\n';

test.each([
  ['the stream of a session', undefined],
  ['a modern subscription', rpc('subscriptions/listen', {})],
  ['a call that takes long', rpc('tools/call', { name: 'now' })],
])('%s that is silent gets comments between its lines', async (_, body) => {
  await start({ keepAliveMs: 10 });
  const answer = await open(url, { as: 'alice', ...(body ? { body } : {}) });
  await upTo(answer, comment);
  streams[0]?.write('id: 1\ndata: {"a":1}\n\n');
  expect((await upTo(answer, '\n\n')).replaceAll(comment, '')).toBe('id: 1\ndata: {"a":1}\n\n');
  await upTo(answer, comment);
  streams[0]?.end('data: {"b":2}\n\n');
  expect((await answer.rest()).replaceAll(comment, '')).toBe('data: {"b":2}\n\n');
});

test('no comment gets into a line that has begun, nor into what is no stream of text', async () => {
  await start({ keepAliveMs: 5 });
  const packed = gzipSync('data: {"a":1}\n\n');
  const parts: [Record<string, string>, Buffer, Buffer][] = [
    [{ 'content-type': 'text/event-stream' }, Buffer.from('data: {"a"'), Buffer.from(':1}\n\n')],
    [{ 'content-type': 'text/event-stream' }, Buffer.from('id: 1\r'), Buffer.from('\ndata: {}\r\n\r\n')],
    [{ 'content-type': 'application/json' }, Buffer.from('{\n'), Buffer.from('}')],
    [
      { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' },
      packed.subarray(0, 10),
      packed.subarray(10),
    ],
    [
      { 'content-type': 'text/event-stream', 'content-length': '11' },
      Buffer.from('data:\n'),
      Buffer.from('x: y\n'),
    ],
  ];
  const watched = await open(url, { as: 'alice' });
  for (const [headers, first, rest] of parts) {
    let res: ServerResponse | undefined;
    upstream.script = (_, made) => {
      res = made.writeHead(200, headers);
      res.write(first);
    };
    const { res: answer } = await open(url, { as: 'alice', body: rpc('tools/call', { name: 'now' }) });
    // By the time that a third comment comes on another stream, one would have come on this.
    for (let count = 0; count < 3; count += 1) await upTo(watched, comment);
    res?.end(rest);
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks)).toEqual(Buffer.concat([first, rest]));
  }
  watched.leave();
});

test('a stream that is silent for too long is ended on both sides, a call is not', async () => {
  await start({ keepAliveMs: 10, streamIdleMs: 30 });
  const call = await open(url, { as: 'alice', body: rpc('tools/call', { name: 'now' }) });
  const stream = await open(url, { as: 'alice' });
  await stream.rest();
  expect(await upstream.received[1]?.closed).toBe(true);
  expect(await house.audited(1)).toMatchObject([{ action: '$stream', reason: 'stream_idle', status: 200 }]);
  streams[0]?.end('data: {}\n\n');
  expect((await call.rest()).replaceAll(comment, '')).toBe('data: {}\n\n');
});

test('a client that reads nothing is given up, and the server told', async () => {
  await start({ keepAliveMs: 10, stallMs: 40 });
  upstream.script = (_, res) => {
    res.writeHead(200, { 'content-type': 'application/octet-stream' });
    const more = (): void => {
      while (!res.destroyed && res.write(Buffer.alloc(1 << 20)));
    };
    res.on('drain', more);
    more();
  };
  const { port, host } = new URL(house.origin);
  const client = connect(Number(port), '127.0.0.1').pause();
  client.on('error', () => undefined);
  const body = JSON.stringify(rpc('tools/call', { name: 'now' }));
  client.write(
    `POST /time/mcp HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer alice\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  expect(await house.audited(1)).toMatchObject([{ reason: 'client_stalled', status: 200 }]);
  expect(await upstream.received[0]?.closed).toBe(true);
  client.destroy();
});

test('an identity has so many streams and no more, to all servers together', async () => {
  await start({ streamsPerIdentity: 2 });
  house.routes.set('twin', routeOf('twin', upstream.url));
  const first = await open(url, { as: 'alice' });
  const second = await open(`${house.origin}/twin/mcp`, {
    as: 'alice',
    body: rpc('subscriptions/listen', {}),
  });
  const refused = await send(url, { as: 'alice' });
  expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
  expect(refused.json()).toMatchObject({ error: { data: { code: 'too_many_requests' } } });
  const others = await open(url, { as: 'bob' });
  first.leave();
  await house.audited(2);
  const again = await open(url, { as: 'alice' });
  expect([again.status, others.status]).toEqual([200, 200]);
  for (const answer of [second, others, again]) answer.leave();
  await house.audited(5);
});

test('headers are as large as the setting lets them be', async () => {
  upstream.script = (_, res) => sendJson(res, { jsonrpc: '2.0', id: 1, result: {} });
  house = await startGateway({ alice: ['* * *'] }, {}, { headerBytes: 16_384 });
  house.routes.set('time', routeOf('time', upstream.url));
  const ask = (bytes: number) =>
    send(`${house.origin}/time/mcp`, {
      as: 'alice',
      body: rpc('ping'),
      headers: { 'x-long': 'x'.repeat(bytes) },
    });
  expect([(await ask(15_000)).status, (await ask(17_000)).status]).toEqual([200, 431]);
  expect(upstream.received).toHaveLength(1);
});

test('a client that sends too slowly is cut off, before and after its headers', async () => {
  house = await startGateway({ alice: ['* * *'] }, {}, { headersMs: 20, requestMs: 60 });
  house.routes.set('time', routeOf('time', upstream.url));
  const { port } = house.server.address() as AddressInfo;
  for (const begun of [
    'POST /time/mcp HTTP/1.1\r\nHost: ',
    `POST /time/mcp HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer alice\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{`,
  ]) {
    const client = connect(port, '127.0.0.1');
    let answer = '';
    client.on('data', (chunk) => {
      answer += String(chunk);
    });
    client.on('error', () => undefined);
    client.write(begun);
    await once(client, 'close');
    expect(answer).toMatch(/^(?:HTTP\/1\.1 408 |$)/);
  }
  expect(upstream.received).toHaveLength(0);
});
