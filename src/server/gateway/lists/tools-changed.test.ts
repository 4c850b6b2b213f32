import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  open,
  routeOf,
  rpc,
  type ScriptedUpstream,
  sendJson,
  startGateway,
  startUpstream,
  type TestGateway,
} from '../gateway.test-support.ts';
import { ToolsChangedSpotter } from './sse.ts';

const changed = 'data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n';
const escaped = changed.replaceAll('/', '\\/');
const seen = (text: string, sizes: number[]): number => {
  const spotter = new ToolsChangedSpotter();
  const bytes = Buffer.from(text);
  let [from, count] = [0, 0];
  for (const size of sizes) {
    if (spotter.spots(bytes.subarray(from, from + size))) count += 1;
    from += size;
  }
  return count + (spotter.spots(bytes.subarray(from)) ? 1 : 0);
};

test.each([changed, escaped])('the word is seen once wherever the stream is cut: %j', (text) => {
  for (let first = 0; first <= text.length; first += 1)
    for (const second of [0, 1, 7, 18, 40]) expect(seen(text, [first, second]), `${first}+${second}`).toBe(1);
  expect(
    seen(
      text,
      Array.from(text, () => 1),
    ),
  ).toBe(1);
  expect(seen(text + text, [text.length])).toBe(2);
});

test.each([
  'data: {"method":"notifications/resources/list_changed"}\n\n',
  'data: {"method":"notifications/prompts/list_changed"}\n\n',
  'data: {"method":"notifications/progress"}\n\n',
  'data: tools/list\n\ndata: _changed\n\n',
])('other events are not it: %j', (text) => {
  for (let first = 0; first <= text.length; first += 1) expect(seen(text, [first])).toBe(0);
});

let upstream: ScriptedUpstream;
let house: TestGateway;
let told: string[];
beforeEach(async () => {
  told = [];
  upstream = await startUpstream();
  house = await startGateway(
    { alice: ['* * *'], some: ['* *', '* tools/call now'] },
    { toolsChanged: (server) => void told.push(server) },
  );
  house.routes.set('time', routeOf('time', upstream.url));
  house.routes.set('old', routeOf('old', null, { sse: new URL('/sse', upstream.url) }));
});
afterEach(async () => {
  await house.close();
  await upstream.close();
});

test.each([
  ['the stream of a session', 'alice', 'time/mcp', undefined],
  ['one that is filtered', 'some', 'time/mcp', undefined],
  ['one of the 2024-11-05 transport', 'alice', 'old/sse', undefined],
  ['a subscription', 'alice', 'time/mcp', rpc('subscriptions/listen', { notifications: {} })],
  ['the answer to a call', 'alice', 'time/mcp', rpc('tools/call', { name: 'now' })],
  ['a filtered list', 'some', 'time/mcp', rpc('tools/list')],
])('%s that says that tools changed tells the registry, and passes as it came', async (_, as, path, body) => {
  const parts = [': hello\n\n', changed.slice(0, 50), changed.slice(50)];
  upstream.script = (_received, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const part of parts) res.write(part);
    res.end();
  };
  const answer = await open(`${house.origin}/${path}`, { as, ...(body ? { body } : {}) });
  expect(await answer.rest()).toBe(parts.join(''));
  expect(told).toEqual([path.replace(/\/.*/, '')]);
  // Nothing is asked of the server for that on this way.
  expect(upstream.received).toHaveLength(1);
});

test('a stream is asked for without compression, in which nothing could be seen', async () => {
  upstream.script = (_, res) => res.writeHead(200, { 'content-type': 'text/event-stream' }).end();
  const headers = { 'accept-encoding': 'gzip' };
  const body = rpc('subscriptions/listen', { notifications: {} });
  await (await open(`${house.origin}/time/mcp`, { as: 'alice', headers, body })).rest();
  expect(upstream.received[0]?.headers).toMatchObject({ 'accept-encoding': 'identity' });
});

test('an answer that is no stream is not searched', async () => {
  upstream.script = (_, res) =>
    sendJson(res, { jsonrpc: '2.0', id: 1, result: { content: [{ text: changed }] } });
  const body = rpc('tools/call', { name: 'now' });
  await (await open(`${house.origin}/time/mcp`, { as: 'alice', body })).rest();
  expect(told).toEqual([]);
});
