import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  routeOf,
  rpc,
  type ScriptedUpstream,
  send,
  sendJson,
  startGateway,
  startUpstream,
  type TestGateway,
} from '../../src/server/gateway/gateway.test-support.ts';

const megabyte = 1024 * 1024;
const limits = { bodyBytes: 4 * megabyte, bodyBytesPerIdentity: 8 * megabyte, bodyBytesTotal: 20 * megabyte };

let upstream: ScriptedUpstream;
let house: TestGateway;

beforeAll(async () => {
  upstream = await startUpstream();
  const allowed = ['time *', 'time tools/call now'];
  const rules = {
    none: [],
    elsewhere: ['other *'],
    alice: allowed,
    bob: allowed,
    carol: allowed,
    dora: allowed,
  };
  house = await startGateway(rules, { limits: { ...limits, bodyMs: 300 } });
  house.routes.set('time', routeOf('time', upstream.url));
});
afterAll(async () => {
  await house.close();
  await upstream.close();
});

/** Sends the head of a request and some of its body, and nothing more; gives what comes back. */
function park(
  as: string | undefined,
  more: readonly string[],
  body = '',
): { socket: Socket; answer: Promise<string> } {
  const { hostname, port, host } = new URL(house.origin);
  const socket = connect(Number(port), hostname);
  const head = [
    ...['POST /time/mcp HTTP/1.1', `Host: ${host}`, 'Content-Type: application/json'],
    ...(as === undefined ? [] : [`Authorization: Bearer ${as}`]),
    ...more,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  let text = '';
  const answer = new Promise<string>((resolve) => {
    const done = (): void => resolve(text);
    socket.on('data', (chunk) => {
      text += String(chunk);
      if (/\r\n\r\n[{[].*[}\]]/s.test(text)) done();
    });
    socket.on('error', done).on('close', done);
  });
  return { socket, answer };
}

describe('an account with nothing on a server is refused by the head alone', () => {
  test.each([
    ['no token', undefined, 401],
    ['a wrong token', 'mallory', 401],
    ['no rights at all', 'none', 403],
    ['rights elsewhere only', 'elsewhere', 403],
  ] as const)('%s', async (_, as, status) => {
    const before = house.events.length;
    for (const more of [
      ['Content-Length: 4000000'],
      ['Transfer-Encoding: chunked'],
      ['Content-Length: 4000000', 'Expect: 100-continue'],
    ]) {
      // Not one byte of the body has been sent: the answer cannot have waited for any.
      const { socket, answer } = park(as, more);
      const text = await answer;
      expect(text).toMatch(new RegExp(`^HTTP/1\\.1 (?:100 Continue\r\n\r\nHTTP/1\\.1 )?${status} `));
      expect(text).toMatch(/connection: close/i);
      await new Promise((resolve) => (socket.destroyed ? resolve(null) : socket.once('close', resolve)));
    }
    await house.audited(before + 3);
    expect(upstream.received).toEqual([]);
  });

  test('one that goes on sending is cut off, and one that is sent whole gets to read the refusal', async () => {
    const { socket, answer } = park('none', ['Content-Length: 4000000000']);
    expect(await answer).toContain(' 403 ');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const chunk = 'x'.repeat(megabyte);
    const pour = (): void => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', pour);
    pour();
    await closed;
    expect(socket.bytesWritten).toBeLessThan(64 * megabyte);
    const whole = await send(`${house.origin}/time/mcp`, { as: 'none', body: 'x'.repeat(600_000) });
    expect(whole.status).toBe(403);
    expect(whole.json()).toMatchObject({ error: { data: { code: 'not_allowed' } } });
  });
});

describe('bodies in flight are bounded', () => {
  test('of one identity: what is announced counts before it comes, and others go on', async () => {
    const parked = [0, 1].map(() => park('alice', ['Content-Length: 4000000'], '{'));
    const third = await park('alice', ['Content-Length: 4000000']).answer;
    expect(third).toContain(' 429 ');
    expect(third).toMatch(/retry-after: 1/i);
    const own = { body: rpc('tools/call', { name: 'now', arguments: { x: 'y'.repeat(3 * megabyte) } }) };
    expect((await send(`${house.origin}/time/mcp`, { as: 'bob', ...own })).status).toBe(200);
    for (const { answer } of parked) expect(await answer).toContain(' 408 ');
    // What they held is free again.
    expect((await send(`${house.origin}/time/mcp`, { as: 'alice', ...own })).status).toBe(200);
  });

  test('of all identities together', async () => {
    const parked = ['alice', 'alice', 'bob', 'bob', 'carol'].map((as) =>
      park(as, ['Content-Length: 4000000'], '{'),
    );
    expect(await park('dora', ['Content-Length: 4000000']).answer).toContain(' 503 ');
    for (const { answer } of parked) expect(await answer).toContain(' 408 ');
  });

  test('a body that comes in crumbs, with a length or in chunks, has its time', async () => {
    for (const more of [['Content-Length: 1000'], ['Transfer-Encoding: chunked']]) {
      const { socket, answer } = park('alice', more);
      const drip = setInterval(() => socket.write(more[0]?.startsWith('C') ? ' ' : '1\r\n \r\n'), 20);
      expect(await answer).toContain(' 408 ');
      clearInterval(drip);
    }
  });

  test('a body that is held while its server works counts until the answer is here', async () => {
    const waiting: (() => void)[] = [];
    upstream.script = (_, res) =>
      void waiting.push(() => sendJson(res, { jsonrpc: '2.0', id: 1, result: {} }));
    const large = {
      as: 'alice',
      body: rpc('tools/call', { name: 'now', arguments: { x: 'y'.repeat(3.5e6) } }),
    };
    const running = [0, 1].map(() => send(`${house.origin}/time/mcp`, large));
    while (waiting.length < 2) await new Promise((resolve) => setImmediate(resolve));
    expect((await send(`${house.origin}/time/mcp`, large)).status).toBe(429);
    for (const go of waiting) go();
    for (const answer of running) expect((await answer).status).toBe(200);
    upstream.script = (_, res) => sendJson(res, { jsonrpc: '2.0', id: 1, result: {} });
    expect((await send(`${house.origin}/time/mcp`, large)).status).toBe(200);
  });
});

const members = Array.from({ length: 350_000 }, (_, at) => `"${at}":0`).join();
test.each([
  ['of 350,000 keys in its arguments', `{"name":"now","arguments":{${members}}}`],
  ['of 350,000 keys in its params', `{"name":"now",${members}}`],
  ['of 350,000 keys in its _meta', `{"name":"now","_meta":{${members}}}`],
  ['of many small objects', `{"name":"now","arguments":[${Array(300_000).fill('{"a":0}').join()}]}`],
  ['nested without end', `{"name":"now","arguments":${'['.repeat(3_000_000)}`],
])('a body %s is refused where it passes the limit', async (_, params) => {
  const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`;
  const answer = await send(`${house.origin}/time/mcp`, { as: 'alice', body });
  expect(answer).toMatchObject({ status: 400 });
});
