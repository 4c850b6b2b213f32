import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { routeOf, rpc, send, startGateway, startUpstream } from './gateway.test-support.ts';

const json = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
const stream = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
const list = '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"now"}]}}';

/** What a bad server does with a request; also what a good one does. */
const upstreams: readonly ((socket: Socket) => void)[] = [
  (socket) => socket.write(`${json}Content-Length: ${list.length}\r\n\r\n${list}`),
  (socket) => socket.write(`${stream}f\r\ndata: {"a":1}\n\n\r\n0\r\n\r\n`),
  (socket) => socket.resetAndDestroy(),
  (socket) => socket.end(),
  (socket) => socket.end('HTTP/1.1 200'),
  (socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-', () => socket.resetAndDestroy()),
  (socket) => socket.write(`${json}${'x: y\r\n'.repeat(100_000)}\r\n`),
  (socket) => socket.write(`${json}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`),
  (socket) => socket.write(Buffer.from(`${json}Content-Length: 4\r\n\r\n{\xff\xfe}`, 'latin1')),
  (socket) => socket.end(`${json}Content-Length: 999\r\n\r\n${list}`),
  (socket) => socket.end(`${stream}ff\r\ndata: {`),
  (socket) => socket.write(`${stream}zz\r\n`),
  (socket) => socket.write(`${json}Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd`),
  (socket) => socket.write(`${json}Content-Length: 3\r\n\r\n${list}`),
  (socket) =>
    void socket.write(`${stream}9\r\ndata: {}\n\r\n`, () => setImmediate(() => socket.resetAndDestroy())),
  () => undefined,
];

/** How a client goes away: never, when it has sent so much, or when the answer begins. */
const clients = ['stays', 'half the headers', 'half the body', 'all sent', 'first bytes'] as const;
const asks = [
  rpc('tools/call', { name: 'now' }),
  rpc('tools/list'),
  rpc('subscriptions/listen', {}),
  undefined,
];

async function runClient(
  origin: string,
  ask: object | undefined,
  leaves: (typeof clients)[number],
): Promise<void> {
  const { hostname, port, host } = new URL(origin);
  const body = ask ? JSON.stringify(ask) : '';
  const head = `${ask ? 'POST' : 'GET'} /bad/mcp HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer alice\r\nConnection: close\r\n${ask ? `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n` : ''}\r\n`;
  const socket = connect(Number(port), hostname);
  const closed = once(socket, 'close');
  socket.on('error', () => undefined);
  const leave = (): void => void socket.destroy();
  if (leaves === 'half the headers') socket.write(head.slice(0, 40), leave);
  else if (leaves === 'half the body') socket.write(head + body.slice(0, 10), leave);
  else if (leaves === 'all sent') socket.write(head + body, leave);
  else socket.write(head + body);
  socket.on('data', () => leaves === 'first bytes' && leave());
  await closed;
}

/** Timers that keep this process alive. */
const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

test('whatever servers and clients do to each other, nothing is left open and every request is recorded', async () => {
  const timersBefore = timers();
  let turn = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => upstreams[turn++ % upstreams.length]?.(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const house = await startGateway(
    { alice: ['bad *', 'bad tools/call now', 'good *', 'good tools/call now'] },
    { limits: { headersMs: 5_000 } },
  );
  const address = server.address() as AddressInfo;
  house.routes.set('bad', routeOf('bad', new URL(`http://127.0.0.1:${address.port}/`)));
  const good = await startUpstream();
  house.routes.set('good', routeOf('good', good.url));
  const others: number[] = [];
  let begun = 0;
  house.server.on('request', () => {
    begun += 1;
  });
  // Numbers of scripts, clients and requests without a common divisor, so that each meets each.
  const runs = Array.from({ length: upstreams.length * clients.length * asks.length * 2 }, (_, at) => at);
  const workers = Array.from({ length: 20 }, async () => {
    for (let at = runs.pop(); at !== undefined; at = runs.pop()) {
      const leaves = clients[at % clients.length] ?? 'stays';
      const ask = asks[Math.floor(at / clients.length) % asks.length];
      await runClient(house.origin, ask, leaves);
      const call = { as: 'alice', body: rpc('tools/call', { name: 'now' }) };
      if (at % 5 === 0) others.push((await send(`${house.origin}/good/mcp`, call)).status);
    }
  });
  await Promise.all(workers);
  await house.audited(begun);
  const { gateway } = house;
  while (gateway.counts().upstream.calls + gateway.counts().upstream.streams > 0)
    await new Promise((resolve) => setImmediate(resolve));
  expect(gateway.counts()).toMatchObject({ calls: 0, streams: 0 });
  await gateway.close();
  expect(house.events).toHaveLength(begun);
  expect(new Set(house.events.map(({ correlationId }) => correlationId)).size).toBe(begun);
  expect(others.length).toBeGreaterThan(50);
  expect(new Set(others)).toEqual(new Set([200]));
  expect(house.gateway.counts()).toEqual({
    calls: 0,
    streams: 0,
    upstream: { sockets: 0, calls: 0, streams: 0 },
  });
  await house.close();
  await good.close();
  server.close();
  expect(timers()).toBeLessThanOrEqual(timersBefore);
});
