import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TestGateway } from './gateway.test-support.ts';
import {
  open,
  routeOf,
  rpc,
  type ScriptedUpstream,
  send,
  sendJson,
  startGateway,
  startUpstream,
} from './gateway.test-support.ts';

/** A server of raw sockets: what it does with a request is the test's to say. */
let server: Server;
let act: (socket: Socket) => void;
let sockets: Set<Socket>;
let good: ScriptedUpstream;
let house: TestGateway;

const call = rpc('tools/call', { name: 'now' });
const stream = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
const body = '{"jsonrpc":"2.0","id":1,"result":{}}';
const whole = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

async function listen(port = 0): Promise<number> {
  sockets = new Set();
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => act(socket));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function die(): Promise<void> {
  for (const socket of sockets) socket.resetAndDestroy();
  server.close();
  await once(server, 'close');
}

beforeEach(async () => {
  const port = await listen();
  good = await startUpstream((_, res) => sendJson(res, { jsonrpc: '2.0', id: 1, result: {} }));
  house = await startGateway(
    { alice: ['bad *', 'bad tools/call now', 'good *', 'good tools/call now'] },
    { limits: { callsPerIdentity: 1_000 } },
  );
  house.routes.set('bad', routeOf('bad', new URL(`http://127.0.0.1:${port}/mcp`)));
  house.routes.set('good', routeOf('good', new URL(`${good.url}`)));
});
afterEach(async () => {
  await house.gateway.close();
  const { counts } = house.gateway;
  await house.close();
  await good.close();
  if (server.listening) await die();
  expect(counts()).toEqual({ calls: 0, streams: 0, upstream: { sockets: 0, calls: 0, streams: 0 } });
});

const ask = (path = 'bad') => send(`${house.origin}/${path}/mcp`, { as: 'alice', body: call });

test('an answer without end is held in no memory and ends when its client leaves', async () => {
  const chunk = Buffer.from(`10000\r\n${'x'.repeat(0x10000)}\r\n`);
  let written = 0;
  act = (socket) => {
    socket.write(stream);
    const more = (): void => {
      while (!socket.destroyed && socket.write(chunk)) written += chunk.length;
    };
    socket.on('drain', more);
    more();
  };
  const answer = await open(`${house.origin}/bad/mcp`, { as: 'alice', body: call });
  // The gateway breaks the connection off, so an error comes first, for which `once` would fail.
  const left = new Promise((resolve) => [...sockets][0]!.once('close', resolve));
  await answer.next();
  // Another call goes through while this one is as fast as it can be.
  expect((await ask('good')).status).toBe(200);
  answer.leave();
  await left;
  expect(written).toBeGreaterThan(0);
  expect((await house.audited(2)).map(({ status }) => status)).toEqual([200, 200]);
});

test('bytes that are not UTF-8 pass as they are where nothing has to be read', async () => {
  const bytes = Buffer.from([0x7b, 0xff, 0xfe, 0xc3, 0x28, 0x7d]);
  act = (socket) => {
    socket.write(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${bytes.length}\r\n\r\n`,
    );
    socket.write(bytes);
  };
  const { res } = await open(`${house.origin}/bad/mcp`, { as: 'alice', body: call });
  const chunks: Buffer[] = [];
  for await (const chunk of res) chunks.push(chunk as Buffer);
  expect(Buffer.concat(chunks)).toEqual(bytes);
});

test('a server that dies during 200 calls fails these and no other, and its successor on the port is found', async () => {
  let waiting = 0;
  const all = new Promise<void>((resolve) => {
    act = () => {
      waiting += 1;
      if (waiting === 200) resolve();
    };
  });
  const calls = Array.from({ length: 200 }, () => ask());
  await all;
  const { port } = server.address() as AddressInfo;
  const others = Array.from({ length: 20 }, () => ask('good'));
  await die();
  expect(new Set((await Promise.all(calls)).map(({ status }) => status))).toEqual(new Set([502]));
  expect(new Set((await Promise.all(others)).map(({ status }) => status))).toEqual(new Set([200]));
  act = (socket) => socket.write(whole);
  await listen(port);
  expect((await ask()).status).toBe(200);
  expect(await house.audited(221)).toHaveLength(221);
});

test('a server that says nothing after its headers holds its own call only, until the client leaves', async () => {
  act = (socket) => void socket.write(stream);
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => open(`${house.origin}/bad/mcp`, { as: 'alice', body: call })),
  );
  expect(house.gateway.counts()).toMatchObject({ calls: 50, upstream: { calls: 50 } });
  expect((await ask('good')).status).toBe(200);
  const left = [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  for (const answer of answers) answer.leave();
  await Promise.all(left);
  expect((await house.audited(51)).map(({ status }) => status)).toEqual(Array(51).fill(200));
});

/** Writes an event of 50 MB as fast as it is taken, and tells how much was. */
function writeHugeEvent(socket: Socket): { written: number } {
  const told = { written: 0 };
  const chunk = Buffer.from(`100000\r\n${'x'.repeat(0x100000)}\r\n`);
  socket.write(`${stream}6\r\ndata: \r\n`);
  const more = (): void => {
    while (!socket.destroyed && told.written < 50 << 20) {
      told.written += 0x100000;
      if (!socket.write(chunk)) return;
    }
    if (!socket.destroyed) socket.write('2\r\n\n\n\r\n0\r\n\r\n');
    socket.off('drain', more);
  };
  socket.on('drain', more);
  more();
  return told;
}

test('an event of 50 MB passes where nothing has to be read', async () => {
  act = writeHugeEvent;
  const { res } = await open(`${house.origin}/bad/mcp`, { as: 'alice', body: call });
  let read = 0;
  for await (const chunk of res) read += (chunk as Buffer).length;
  expect(read).toBe('data: '.length + (50 << 20) + '\n\n'.length);
});

test('an event of 50 MB that would have to be held costs its own request, in little memory', async () => {
  act = (socket) => void writeHugeEvent(socket);
  const answer = await open(`${house.origin}/bad/mcp`, { as: 'alice', body: rpc('tools/list', {}, 'big') });
  const text = await answer.event();
  expect(JSON.parse(text.slice('data: '.length))).toMatchObject({
    ...{ id: 'big', error: { data: { code: 'upstream_invalid' } } },
  });
  answer.leave();
});

test('a list in bytes that are not UTF-8 is not passed', async () => {
  const item = (name: string) => `{"name":"${name}","description":"\xff"}`;
  const list = `{"jsonrpc":"2.0","id":1,"result":{"tools":[${['now', 'n\xffw'].map(item)}]}}`;
  const bytes = Buffer.from(list, 'latin1');
  act = (socket) => {
    const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${bytes.length}\r\n\r\n`;
    socket.write(head);
    socket.write(bytes);
  };
  const answer = await send(`${house.origin}/bad/mcp`, { as: 'alice', body: rpc('tools/list') });
  expect(answer.status).toBe(502);
  expect(answer.text).not.toContain('"now"');
});

test('a longer body than announced is cut at its length, and what follows is taken for no answer', async () => {
  const more = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond';
  act = (socket) => void socket.write(whole + more);
  expect((await ask()).text).toBe(body);
  expect((await ask()).text).toBe(body);
});
