import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { routeOf, rpc, send, startGateway, type TestGateway } from './gateway.test-support.ts';

/** A server of raw sockets that notes the id of every call it got, whole or in part. */
let server: Server;
let house: TestGateway;
let got: number[];
let connections: number;
/** What it does with the first bytes of a call: its number on this connection, and its id. */
let act: (socket: Socket, turn: number, id: number) => void;

const answer = (id: number, more = ''): string => {
  const text = JSON.stringify({ jsonrpc: '2.0', id, result: {} });
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${more}Content-Length: ${text.length}\r\n\r\n${text}`;
};
const ask = (id: number, more: object = {}) =>
  send(`${house.origin}/raw/mcp`, { as: 'alice', body: rpc('tools/call', { name: 'now', ...more }, id) });

async function start(connectionsPerServer = 1): Promise<void> {
  house = await startGateway({ alice: ['* * *'] }, { limits: { connectionsPerServer } });
  const { port } = server.address() as AddressInfo;
  house.routes.set('raw', routeOf('raw', new URL(`http://127.0.0.1:${port}/mcp`)));
}

beforeEach(async () => {
  [got, connections] = [[], 0];
  server = createServer((socket) => {
    connections += 1;
    let turn = 0;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      const id = /"id":(\d+)/.exec(String(chunk))?.[1];
      if (id === undefined) return;
      got.push(Number(id));
      turn += 1;
      act(socket, turn, Number(id));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await start();
});
afterEach(async () => {
  await house.close();
  server.close();
});

test.each([
  ['closed', (socket: Socket) => void socket.end()],
  ['reset', (socket: Socket) => void socket.resetAndDestroy()],
  ['reset in the middle of its answer', (socket: Socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-')],
])('a call whose kept connection is %s once it arrived is not sent again', async (_, end) => {
  act = (socket, turn, id) => (turn === 1 ? void socket.write(answer(id)) : end(socket));
  expect((await ask(1)).status).toBe(200);
  expect((await ask(2)).status).toBe(502);
  expect([got, connections]).toEqual([[1, 2], 1]);
  expect((await ask(3)).status).toBe(200);
  expect([got, connections]).toEqual([[1, 2, 3], 2]);
  expect(await house.audited(3)).toHaveLength(3);
});

test('a call of which a server read a part before it reset the connection is not sent again', async () => {
  act = (socket, turn, id) => (turn === 1 ? void socket.write(answer(id)) : void socket.resetAndDestroy());
  await ask(1);
  expect((await ask(2, { arguments: { long: 'x'.repeat(3_000_000) } })).status).toBe(502);
  expect([got, connections]).toEqual([[1, 2], 1]);
});

test('a connection that the server closed while nothing was on it fails no call', async () => {
  let closed: Promise<unknown> | undefined;
  act = (socket, _, id) => {
    closed = once(socket, 'close');
    socket.end(answer(id));
  };
  expect((await ask(1)).status).toBe(200);
  await closed;
  while (house.gateway.counts().upstream.sockets > 0) await new Promise((resolve) => setImmediate(resolve));
  expect((await ask(2)).status).toBe(200);
  expect([got, connections]).toEqual([[1, 2], 2]);
});

test('calls that meet the closing of their connection arrive once or not at all', async () => {
  act = (socket, turn, id) => {
    socket.write(answer(id));
    // After the answer, and so at the very time at which the next call comes.
    if (turn % 2 === 1) setImmediate(() => socket.end());
  };
  const statuses: number[] = [];
  for (let id = 1; id <= 200; id += 1) statuses.push((await ask(id)).status);
  expect(new Set(got).size).toBe(got.length);
  statuses.forEach((status, at) => {
    // What was answered had arrived; what failed may have.
    if (status === 200) expect(got).toContain(at + 1);
    else expect(status).toBe(502);
  });
  expect(statuses).toContain(200);
});

test('calls that wait for a connection go on when the one they waited for dies, for nothing of them was sent', async () => {
  let die: (() => void) | undefined;
  const first = new Promise<void>((resolve) => {
    act = (socket, _, id) => {
      if (id !== 1) return void socket.write(answer(id));
      die = () => socket.resetAndDestroy();
      return resolve();
    };
  });
  const doomed = ask(1);
  await first;
  const waiting = [2, 3, 4].map((id) => ask(id));
  while (house.gateway.counts().upstream.calls < 4) await new Promise((resolve) => setImmediate(resolve));
  die?.();
  expect((await doomed).status).toBe(502);
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(got).toEqual([1, 2, 3, 4]);
});
