import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Identity } from '../identity/identity.ts';
import {
  open,
  type Received,
  routeOf,
  rpc,
  type ScriptedUpstream,
  send,
  sendJson,
  startGateway,
  startUpstream,
  type TestGateway,
} from './gateway.test-support.ts';
import type { GatewayLimits } from './limits.ts';

let upstream: ScriptedUpstream;
let house: TestGateway;
let url: string;
const call = { as: 'alice', body: rpc('tools/call', { name: 'now' }, 4) };

beforeEach(async () => {
  upstream = await startUpstream();
  await start();
});

async function start(limits: Partial<GatewayLimits> = {}): Promise<void> {
  house = await startGateway({ alice: ['* * *'] }, { limits });
  house.routes.set('time', routeOf('time', upstream.url));
  url = `${house.origin}/time/mcp`;
}

/** Begins again with a limit for headers that tests can wait for. */
async function startImpatient(): Promise<void> {
  await house.close();
  await start({ headersMs: 400 });
}

afterEach(async () => {
  await house.close();
  expect(house.gateway.counts()).toEqual({
    calls: 0,
    streams: 0,
    upstream: { sockets: 0, calls: 0, streams: 0 },
  });
  await upstream.close();
});

/** A server that speaks whatever bytes it is told to, once for each request it reads. */
async function rawUpstream(answer: (socket: Socket) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => answer(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  house.routes.set(
    'raw',
    routeOf('raw', new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)),
  );
  return server;
}

async function settled(): Promise<void> {
  while (house.gateway.counts().calls + house.gateway.counts().upstream.calls > 0)
    await new Promise((resolve) => setImmediate(resolve));
}

describe('streams', () => {
  test('the first event arrives before the second exists, byte for byte, with ids and comments', async () => {
    let stream: ServerResponse | undefined;
    upstream.script = (_, res) => {
      stream = res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.flushHeaders();
    };
    const answer = await open(url, call);
    expect(answer).toMatchObject({ status: 200 });
    for (const event of [': hi\n\n', 'id: 1\r\nevent: message\r\ndata: {}\r\n\r\n', 'retry: 5\n\n']) {
      stream?.write(event);
      expect(await answer.event()).toBe(event);
    }
    stream?.end();
    expect(await answer.next()).toBeUndefined();
  });

  test('a stream may be silent for longer than the limit for headers', async () => {
    await startImpatient();
    let stream: ServerResponse | undefined;
    upstream.script = (_, res) => {
      stream = res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.flushHeaders();
    };
    const answer = await open(url, { as: 'alice' });
    // The limit passes for another call meanwhile, and that one is over.
    const silent = await rawUpstream(() => undefined);
    expect(await send(`${house.origin}/raw/mcp`, call)).toMatchObject({ status: 504 });
    expect(await send(`${house.origin}/raw/mcp`, call)).toMatchObject({ status: 504 });
    stream?.end('data: late\n\n');
    expect(await answer.rest()).toBe('data: late\n\n');
    silent.close();
  });

  test('a client that leaves ends the stream at the server', async () => {
    upstream.script = (_, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: 1\n\n');
    };
    for (const ask of [call, { as: 'alice' }, { as: 'alice', body: rpc('subscriptions/listen', {}) }]) {
      const answer = await open(url, ask);
      await answer.next();
      answer.leave();
      expect(await upstream.received.at(-1)?.closed).toBe(true);
    }
    const events = await house.audited(3);
    expect(events.map(({ decision, status }) => [decision, status])).toEqual([
      ['allow', 200],
      ['allow', 200],
      ['allow', 200],
    ]);
  });

  test('a slow reader slows the server, and memory stays bounded', async () => {
    const [piece, total] = ['x'.repeat(65_536), 1_000];
    let sent = 0;
    let stalled: (() => void) | undefined;
    const isStalled = new Promise<void>((resolve) => {
      stalled = resolve;
    });
    upstream.script = (_, res) => {
      res.writeHead(200, { 'content-type': 'application/octet-stream' });
      const more = (): void => {
        while (sent < total) {
          sent += 1;
          if (!res.write(piece)) {
            res.once('drain', more);
            if (sent > 50) stalled?.();
            return;
          }
        }
        res.end();
      };
      more();
    };
    const answer = await open(url, call);
    answer.res.pause();
    await isStalled;
    expect(sent).toBeLessThan(total);
    let read = 0;
    for await (const chunk of answer.res) read += (chunk as Buffer).length;
    expect(read).toBe(piece.length * total);
  });
});

describe('when a server fails', () => {
  test('a server that is down is 502, with the id of the request', async () => {
    const server = await rawUpstream(() => undefined);
    server.close();
    const answer = await send(`${house.origin}/raw/mcp`, call);
    expect(answer).toMatchObject({ status: 502 });
    expect(answer.json()).toMatchObject({
      id: 4,
      error: { code: 502, data: { code: 'upstream_unreachable' } },
    });
    expect(await house.audited(1)).toMatchObject([
      { decision: 'error', reason: 'upstream_unreachable', status: 502 },
    ]);
  });

  test('no headers in time is 504, and the request is ended', async () => {
    await startImpatient();
    upstream.script = () => undefined;
    const answer = await send(url, call);
    expect(answer.json()).toMatchObject({ id: 4, error: { code: 504, data: { code: 'upstream_timeout' } } });
    expect(await upstream.received[0]?.closed).toBe(true);
  });

  test.each([
    ['resets before the headers', (socket: Socket) => socket.resetAndDestroy(), 'upstream_unreachable'],
    ['closes before the headers', (socket: Socket) => socket.end(), 'upstream_unreachable'],
    [
      'breaks off in the headers',
      (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-'),
      'upstream_unreachable',
    ],
    ['speaks no HTTP', (socket: Socket) => socket.end('hello\r\n\r\n'), 'upstream_invalid'],
    [
      'gives two lengths',
      (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'),
      'upstream_invalid',
    ],
    [
      'sends endless headers',
      (socket: Socket) => socket.end(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(100_000)}\r\n`),
      'upstream_invalid',
    ],
    [
      'upgrades unasked',
      (socket: Socket) => socket.end('HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
      'upstream_unreachable',
    ],
  ])('one that %s is 502', async (_, script, code) => {
    const server = await rawUpstream(script);
    const answer = await send(`${house.origin}/raw/mcp`, call);
    expect(answer).toMatchObject({ status: 502 });
    expect(answer.json()).toMatchObject({ error: { data: { code } } });
    server.close();
  });

  test.each([
    ['a length', 'Content-Length: 100\r\n\r\nabc'],
    ['chunks', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'],
    [
      'an event stream',
      'Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: {}\n\r\n',
    ],
  ])('one that dies in the body, announced by %s, is never a clean end', async (_, rest) => {
    const server = await rawUpstream((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\n${rest}`, () => setImmediate(() => socket.destroy()));
    });
    await expect(
      (async () => {
        const answer = await open(`${house.origin}/raw/mcp`, call);
        await answer.rest();
      })(),
    ).rejects.toThrow();
    expect(await house.audited(1)).toMatchObject([{ decision: 'error', reason: 'upstream_unreachable' }]);
    server.close();
  });

  test('a body without a length that breaks off is broken for HTTP/1.0 clients too', async () => {
    const server = await rawUpstream((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', () =>
        setImmediate(() => socket.destroy()),
      );
    });
    const { hostname, port, host } = new URL(house.origin);
    const client = connect(Number(port), hostname);
    const body = JSON.stringify(call.body);
    client.write(
      `POST /raw/mcp HTTP/1.0\r\nHost: ${host}\r\nAuthorization: Bearer alice\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    client.resume();
    const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
    server.close();
  });

  test.each([301, 302, 303, 307, 308])('redirect %i is not followed', async (status) => {
    const elsewhere = await startUpstream();
    upstream.script = (_, res) => res.writeHead(status, { location: elsewhere.url.href }).end();
    const answer = await send(url, call);
    expect(answer).toMatchObject({ status: 502 });
    expect(answer.text).toContain('redirects');
    expect(elsewhere.received).toEqual([]);
    await elsewhere.close();
  });

  test('early hints do not count as the answer', async () => {
    upstream.script = (_, res) => {
      res.writeEarlyHints({ link: '</a>; rel=preload' });
      sendJson(res, { ok: true });
    };
    expect(await send(url, call)).toMatchObject({ status: 200, text: '{"ok":true}' });
  });

  test('the next call finds a server that came back', async () => {
    upstream.script = (_, res) => res.socket?.destroy();
    expect(await send(url, call)).toMatchObject({ status: 502 });
    upstream.script = (_, res) => sendJson(res, {});
    expect(await send(url, call)).toMatchObject({ status: 200 });
  });
});

describe('connections', () => {
  test('calls one after another share a connection', async () => {
    const ports = new Set<number | undefined>();
    upstream.script = (_: Received, res, req) => {
      ports.add(req.socket.remotePort);
      sendJson(res, {});
    };
    for (let count = 0; count < 5; count += 1) {
      await send(url, call);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(ports.size).toBe(1);
  });

  test('a client that leaves before the headers ends the call', async () => {
    let arrived: (() => void) | undefined;
    const isThere = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    upstream.script = () => arrived?.();
    const { hostname, port, host } = new URL(house.origin);
    const client = connect(Number(port), hostname);
    const body = JSON.stringify(call.body);
    client.write(
      `POST /time/mcp HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer alice\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await isThere;
    client.destroy();
    expect(await upstream.received[0]?.closed).toBe(true);
    expect(await house.audited(1)).toMatchObject([{ decision: 'allow', status: 0 }]);
    await settled();
  });

  test('a client that leaves in the middle of its body leaves a record and nothing else', async () => {
    const { hostname, port, host } = new URL(house.origin);
    const client = connect(Number(port), hostname);
    client.write(
      `POST /time/mcp HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer alice\r\nContent-Type: application/json\r\nContent-Length: 500\r\nExpect: 100-continue\r\n\r\n`,
    );
    await once(client, 'data');
    client.destroy();
    expect(await house.audited(1)).toMatchObject([{ decision: 'error', reason: 'client_left', status: 0 }]);
    expect(upstream.received).toEqual([]);
  });

  test('a client that leaves while it is being identified opens nothing at the server', async () => {
    await house.close();
    let answer: (() => void) | undefined;
    let asked: (() => void) | undefined;
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const identity = { subject: 'alice', provider: 'test' } as Identity;
    house = await startGateway(
      { alice: ['* * *'] },
      {
        identify: () =>
          new Promise((resolve) => {
            answer = () => resolve({ is: 'identity', identity });
            asked?.();
          }),
      },
    );
    house.routes.set('time', routeOf('time', upstream.url));
    const { hostname, port, host } = new URL(house.origin);
    const client = connect(Number(port), hostname);
    client.write(`GET /time/mcp HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await isAsked;
    client.destroy();
    await house.audited(1);
    answer?.();
    await new Promise((resolve) => setImmediate(resolve));
    expect(house.gateway.counts()).toMatchObject({ calls: 0, streams: 0, upstream: { streams: 0 } });
    expect(house.events).toMatchObject([{ reason: 'client_left', status: 0 }]);
  });
});
