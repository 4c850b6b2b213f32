import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  routeOf,
  rpc,
  type ScriptedUpstream,
  send,
  startGateway,
  startUpstream,
  type TestGateway,
} from '../gateway.test-support.ts';
import { newTraceparent, traceIn } from './trace.ts';

const [trace, span] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
const id = '3d594650-3436-4bb1-9d2b-0c7f3e3f1a52';

let upstream: ScriptedUpstream;
let house: TestGateway;
beforeAll(async () => {
  upstream = await startUpstream();
  house = await startGateway({ alice: ['* *'] }, { newId: () => id });
  house.routes.set('time', routeOf('time', upstream.url));
});
afterAll(async () => {
  await house.close();
  await upstream.close();
});

test.each([
  [`00-${trace}-${span}-01`, trace],
  [`00-${trace}-${span}-00`, trace],
  [`cc-${trace}-${span}-01`, trace],
  [`cc-${trace}-${span}-01-what-comes-later`, trace],
  [`cc-${trace}-${span}-01.no`, undefined],
  [`00-${trace}-${span}-01-more`, undefined],
  [`ff-${trace}-${span}-01`, undefined],
  [`00-${'0'.repeat(32)}-${span}-01`, undefined],
  [`00-${trace}-${'0'.repeat(16)}-01`, undefined],
  [`00-${trace.toUpperCase()}-${span}-01`, undefined],
  [`00-${trace}-${span}`, undefined],
  [`00-${trace}-${span}-01, 00-${trace}-${span}-01`, undefined],
  ['', undefined],
  [undefined, undefined],
])('the trace id in %j', (header, expected) => {
  expect(traceIn(header)?.traceId).toBe(expected);
});

test('a new one is valid whatever the correlation id is', () => {
  expect(traceIn(newTraceparent(id))?.traceId).toBe(id.replaceAll('-', ''));
  expect(traceIn(newTraceparent('id-1'))?.traceId).toMatch(/^[0-9a-f]{32}$/);
});

async function call(headers: Record<string, string | string[]>, body = rpc('ping')) {
  const before = house.events.length;
  await send(`${house.origin}/time/mcp`, { as: 'alice', headers, body });
  const events = await house.audited(before + 1);
  return { sent: upstream.received.at(-1)?.headers, detail: events.at(-1)?.detail };
}

test("a client's trace goes to the server as it is, and into the audit record", async () => {
  const { sent, detail } = await call({ traceparent: `00-${trace}-${span}-00`, tracestate: 'a=1' });
  expect(sent).toMatchObject({ traceparent: `00-${trace}-${span}-00`, tracestate: 'a=1' });
  expect(detail).toEqual({ trace_id: trace, parent_span_id: expect.stringMatching(/^[0-9a-f]{16}$/) });
});

test('without a valid one the server gets one that the correlation id tells', async () => {
  const own = `00-${id.replaceAll('-', '')}-9d2b0c7f3e3f1a52-01`;
  const { sent, detail } = await call({});
  expect(sent).toMatchObject({ traceparent: own, 'x-correlation-id': id });
  expect(detail).toBeUndefined();
  const broken = await call({ traceparent: ['00-broken', '00-twice'], tracestate: 'a=1' });
  expect(broken.sent?.traceparent).toBe(own);
  expect(broken.sent).not.toHaveProperty('tracestate');
});

const meta = (members: object) => rpc('ping', { _meta: members });

test.each([
  ['alone', {}, trace],
  ['beside a broken header', { traceparent: '00-broken', tracestate: 'b=2' }, trace],
  ['beside the header of another', { traceparent: `00-${'c'.repeat(32)}-${span}-01` }, 'c'.repeat(32)],
])('a trace that the message says in _meta, %s', async (_, headers, expected) => {
  const body = meta({ traceparent: `00-${trace}-${span}-01`, tracestate: 'a=1' });
  const { sent, detail } = await call(headers, body);
  const isOfTheMessage = expected === trace;
  expect(sent?.traceparent).toBe(`00-${expected}-${span}-01`);
  expect(sent?.tracestate).toBe(isOfTheMessage ? 'a=1' : undefined);
  expect(detail).toEqual({ trace_id: expected, parent_span_id: span });
  // The message itself passes as it is, with its own word.
  expect(upstream.received.at(-1)?.body).toBe(JSON.stringify(body));
});

test.each([
  ['no trace', { traceparent: 'x' }],
  ['no text', { traceparent: 7, tracestate: [] }],
  ['what no header can say', { traceparent: `cc-${trace}-${span}-01-a\r\nx-admin: 1` }],
])('_meta that says %s is none', async (_, members) => {
  const { sent, detail } = await call({}, meta(members));
  expect(sent?.traceparent).toBe(`00-${id.replaceAll('-', '')}-9d2b0c7f3e3f1a52-01`);
  expect(sent).not.toHaveProperty('x-admin');
  expect(detail).toBeUndefined();
});

test('a tracestate in _meta that no header can say is left out', async () => {
  const members = { traceparent: `00-${trace}-${span}-01`, tracestate: 'a=1\r\nx-admin: 1' };
  const { sent } = await call({}, meta(members));
  expect(sent?.traceparent).toBe(`00-${trace}-${span}-01`);
  expect(sent).not.toHaveProperty('tracestate');
});
