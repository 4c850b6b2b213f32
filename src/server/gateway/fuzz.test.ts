import { connect } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Received, routeOf, rpc, send, startGateway, startUpstream } from './gateway.test-support.ts';

const wanted = 'now';
const messages: readonly object[] = [
  rpc('ping'),
  rpc('tools/call', { name: wanted }),
  rpc('tools/call', { name: wanted, arguments: { name: 'secret', method: 'tools/list' } }),
  rpc('tools/call', { name: 'secret' }),
  rpc('tools/list'),
  rpc('resources/read', { uri: 'file:///secret' }),
  { jsonrpc: '2.0', method: 'notifications/initialized' },
  { jsonrpc: '2.0', id: 7, result: {} },
  [rpc('ping'), rpc('tools/call', { name: 'secret' }, 2)],
];

/** Header lines that have led parsers astray. */
const lines: readonly string[] = [
  'Transfer-Encoding: chunked',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding: identity',
  'Content-Length: 0',
  'Content-Length: 5',
  'Content-Length:\t7 ',
  ' folded: yes',
  'Connection: close, authorization, content-length',
  'Connection: upgrade',
  'Upgrade: h2c',
  'Expect: 100-continue',
  'Expect: something',
  'Content-Encoding: gzip',
  'Content-Type: application/json; charset=utf-7',
  'X-Authorization: Bearer alice',
  'Authorization: Bearer alice',
  'Mcp-Method: tools/list',
  'MCP-Protocol-Version: 2025-03-26',
  'X-HTTP-Method-Override: DELETE',
  'X-Original-URL: /time/secret',
  'X: a\rY: b',
  'X: \0',
];

/** The usual thing nine times of ten, so that most requests get far, and something odd in the others. */
const mostly = (usual: string, ...odd: string[]) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...odd) });

const asked = fc
  .record({
    method: mostly('POST', 'GET', 'DELETE', 'PUT', 'CONNECT', 'post'),
    path: mostly(
      '/time/mcp',
      ...['/time/%6dcp', '//time/mcp', '/time/mcp/', '/x/../time/mcp', 'http://a/time/mcp', '*'],
    ),
    version: mostly('1.1', '1.0', '0.9', '2.0'),
    who: mostly('alice', 'bob', 'mallory'),
    message: fc.constantFrom(...messages),
    more: fc.oneof(fc.constant([]), fc.array(fc.constantFrom(...lines), { maxLength: 2 })),
    chunked: fc.boolean(),
  })
  .map(({ method, path, version, who, message, more, chunked }) => (host: string) => {
    const text = JSON.stringify(message);
    const [length, body] = chunked
      ? ['Transfer-Encoding: chunked', `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`]
      : [`Content-Length: ${text.length}`, text];
    const withBody = method === 'POST' ? ['Content-Type: application/json', length] : [];
    const head = [`Host: ${host}`, `Authorization: Bearer ${who}`, ...withBody, ...more].join('\r\n');
    return `${method} ${path} HTTP/${version}\r\n${head}\r\n\r\n${method === 'POST' ? body : ''}`;
  });

/** Changes of single bytes: where, how, and with what. */
const changes = fc.array(
  fc.tuple(
    fc.nat(1_000),
    fc.constantFrom('set', 'insert', 'delete', 'again'),
    fc.constantFrom(...'\r\n\0 :,"{}[]0aÿ'),
  ),
  { maxLength: 3 },
);

function changed(text: string, edits: readonly [number, string, string][]): string {
  return edits.reduce((before, [where, how, byte]) => {
    const at = where % before.length;
    const end = how === 'insert' ? at : at + 1;
    const put = how === 'delete' ? '' : how === 'again' ? before.slice(Math.max(0, at - 40), at + 1) : byte;
    return before.slice(0, at) + put + before.slice(end);
  }, text);
}

async function talk(origin: string, bytes: Buffer, cuts: readonly number[]): Promise<void> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname).setNoDelay(true);
  socket.on('error', () => undefined).resume();
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    socket.write(bytes.subarray(from, Math.max(from, cut % bytes.length)));
    from = Math.max(from, cut % bytes.length);
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.write(bytes.subarray(from));
  // A request may be whole or not; its end would abort what is under way, so that gets some turns first.
  for (let turn = 0; turn < 80 && !socket.closed; turn += 1)
    await new Promise((resolve) => setImmediate(resolve));
  if (socket.closed) return;
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.end();
  await closed;
}

/** What may have reached the server, read from its bytes once more, and by a parser that is not the gateway's. */
function isAllowed({ method, url, body }: Received): boolean {
  if (url !== '/mcp') return false;
  if (method !== 'POST') return (method === 'GET' || method === 'DELETE') && body === '';
  const read = JSON.parse(body) as { method?: string; params?: { name?: string } };
  return (Array.isArray(read) ? (read as (typeof read)[]) : [read]).every(
    (one) =>
      one.method === undefined ||
      one.method === 'ping' ||
      (one.method === 'tools/call' && one.params?.name === wanted),
  );
}

test('whatever bytes a client sends, nothing that is not allowed reaches a server, and the gateway goes on', async () => {
  const upstream = await startUpstream();
  const house = await startGateway({ alice: ['time ping', `time tools/call ${wanted}`], bob: [] });
  house.routes.set('time', routeOf('time', upstream.url));
  const { host } = new URL(house.origin);
  const stream = fc.record({
    requests: fc.array(asked, { minLength: 1, maxLength: 3 }),
    edits: fc.oneof(fc.constant([]), changes),
    cuts: fc.array(fc.nat(2_000), { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(stream, async ({ requests, edits, cuts }) => {
      const text = changed(
        requests.map((write) => write(host)).join(''),
        edits as [number, string, string][],
      );
      const seen = upstream.received.length;
      await talk(house.origin, Buffer.from(text, 'latin1'), cuts);
      expect(upstream.received.slice(seen).filter((one) => !isAllowed(one))).toEqual([]);
    }),
    { numRuns: 1_500 },
  );
  const decisions = house.events.map(({ decision }) => decision);
  // Not more arrived than was allowed, and both were asked for often enough to mean something.
  expect(upstream.received.length).toBeLessThanOrEqual(decisions.filter((one) => one === 'allow').length);
  expect(upstream.received.length).toBeGreaterThan(100);
  expect(decisions.filter((one) => one === 'deny').length).toBeGreaterThan(100);
  expect((await send(`${house.origin}/time/mcp`, { as: 'alice', body: rpc('ping') })).status).toBe(200);
  await house.close();
  expect(house.gateway.counts()).toMatchObject({ calls: 0, streams: 0, upstream: { sockets: 0 } });
  await upstream.close();
});
