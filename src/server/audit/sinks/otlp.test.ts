import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Outbound, outbound } from '../../net/outbound.ts';
import type { AuditEvent } from '../event.ts';
import { createTrail } from '../trail.ts';
import { otlpSink } from './otlp.ts';

const event: AuditEvent = {
  kind: 'mcp',
  at: '2026-01-01T00:00:00.250Z',
  correlationId: '0123abcd-0123-4abc-8abc-0123456789ab',
  who: { provider: 'entra', subject: 's', username: 'alice@example.com', clientId: null, method: 'bearer' },
  clientIp: '127.0.0.1',
  action: 'tools/call',
  tool: 'now',
  resource: 'currenttime',
  decision: 'allow',
  reason: 'users',
  status: 200,
  durationMs: 1.5,
};

interface Received {
  readonly path: string | undefined;
  readonly key: string | undefined;
  readonly body: {
    resourceSpans: { resource: unknown; scopeSpans: { spans: Record<string, unknown>[] }[] }[];
  };
}

let received: Received[];
let status: number;
let way: Outbound;
let url: string;
const warnings: string[] = [];
const collector = createServer(async (req: IncomingMessage, res) => {
  const body = JSON.parse(await text(req));
  received.push({ path: req.url, key: req.headers['x-key']?.toString(), body });
  res.writeHead(status).end('{}');
});

beforeEach(async () => {
  [received, status] = [[], 200];
  warnings.length = 0;
  way = outbound({ policy: { allowPrivate: true } });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`;
});
afterEach(async () => {
  await way.close();
  collector.closeAllConnections();
  await new Promise((resolve) => collector.close(resolve));
});

function sink() {
  const log = { warn: (_: object, message: string) => void warnings.push(message) };
  return otlpSink({ url, headers: { 'x-key': 'k' }, serviceName: 'gw', version: '1.2.3', fetch: way, log });
}

function spans(): Record<string, unknown>[] {
  return received.flatMap(({ body }) => body.resourceSpans[0]?.scopeSpans[0]?.spans ?? []);
}

test('a call becomes a server span of the trace that the gateway began', async () => {
  await sink().write([event]);
  expect(received[0]).toMatchObject({ path: '/v1/traces', key: 'k' });
  expect(received[0]?.body.resourceSpans[0]?.resource).toEqual({
    attributes: [
      { key: 'service.name', value: { stringValue: 'gw' } },
      { key: 'service.version', value: { stringValue: '1.2.3' } },
    ],
  });
  expect(spans()).toEqual([
    expect.objectContaining({
      traceId: '0123abcd01234abc8abc0123456789ab',
      spanId: '8abc0123456789ab',
      name: 'tools/call now',
      kind: 2,
      startTimeUnixNano: '1767225600250000000',
      endTimeUnixNano: '1767225600251500000',
      status: { code: 0 },
    }),
  ]);
  expect(spans()[0]).not.toHaveProperty('parentSpanId');
});

test("a call in a client's trace is a child of the client's span", async () => {
  const detail = { trace_id: 'a'.repeat(32), parent_span_id: 'b'.repeat(16) };
  await sink().write([{ ...event, detail }]);
  expect(spans()[0]).toMatchObject({ traceId: 'a'.repeat(32), parentSpanId: 'b'.repeat(16) });
});

test('who called stays in the audit trail, and what is no call is not exported', async () => {
  await sink().write([event, { ...event, kind: 'sign-in' }]);
  expect(spans()).toHaveLength(1);
  expect(JSON.stringify(received)).not.toContain('alice');
  expect(JSON.stringify(received)).not.toContain('127.0.0.1');
});

test('a failed call is an error', async () => {
  await sink().write([{ ...event, status: 502, decision: 'error' }]);
  expect(spans()[0]).toMatchObject({ status: { code: 2 } });
});

test('a collector that refuses is said once, and again only after it took some', async () => {
  const one = sink();
  for (const answer of [503, 503, 200, 503]) {
    status = answer;
    await one.write([event]);
  }
  expect(warnings).toHaveLength(2);
});

test('a collector that hangs holds no other sink up', async () => {
  const never = { name: 'hangs', write: () => new Promise<void>(() => {}) };
  const written: string[] = [];
  const done = Promise.withResolvers<void>();
  const other = {
    name: 'other',
    async write(events: readonly AuditEvent[]) {
      written.push(...events.map(({ action }) => action));
      done.resolve();
    },
  };
  const trail = createTrail({ sinks: [never, other], log: { error: () => {} } });
  trail.record(event);
  void trail.flush();
  await done.promise;
  expect(written).toEqual(['tools/call']);
});
