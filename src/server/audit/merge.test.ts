import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { AuditEvent } from './event.ts';
import { createTrail, type HeldTrail } from './trail.ts';

const alice = { provider: 'entra', subject: 's', username: 'alice', clientId: null, method: 'bearer' };
const refusal: AuditEvent = {
  kind: 'mcp',
  at: '2026-01-01T00:00:00.000Z',
  correlationId: 'c',
  who: null,
  clientIp: '10.0.0.1',
  action: 'POST',
  resource: 'currenttime',
  decision: 'deny',
  reason: 'credential_missing',
  status: 401,
  durationMs: 2,
};

let written: AuditEvent[];
let trail: HeldTrail;
let tight = false;
const log = { error: () => {} };

beforeEach(() => {
  vi.useFakeTimers();
  written = [];
  tight = false;
  const sink = { name: 's', write: async (events: readonly AuditEvent[]) => void written.push(...events) };
  trail = createTrail({ sinks: [sink], log, isTight: () => tight });
});
afterEach(async () => {
  await trail.close();
  vi.useRealTimers();
});

const at = (second: number): string => new Date(Date.parse(refusal.at) + second * 1000).toISOString();
const requests = (events: readonly AuditEvent[]): number =>
  events.reduce((sum, { repeated }) => sum + (repeated?.count ?? 1), 0);

test('a flood of refusals leaves a few rows a minute: how many, from when to when, from where', async () => {
  for (let number = 0; number < 10_000; number++)
    trail.record({
      ...refusal,
      at: at(number / 1000),
      resource: `name-${number}`,
      clientIp: `10.0.${number % 40}.1`,
    });
  await vi.advanceTimersByTimeAsync(61_000);
  expect(written).toHaveLength(6);
  const merged = written.at(-1);
  expect(merged).toMatchObject({
    ...{ kind: 'mcp', action: 'POST', reason: 'credential_missing', status: 401, decision: 'deny' },
    ...{ resource: null, clientIp: null, who: null, durationMs: 2, at: at(0.005) },
    repeated: { count: 9_995, lastAt: at(9.999) },
  });
  const { addresses, requests_from_other_addresses: others } = (merged?.detail ?? {}) as {
    addresses: { requests: number }[];
    requests_from_other_addresses: number;
  };
  expect(addresses).toHaveLength(16);
  expect(addresses.reduce((sum, one) => sum + one.requests, others)).toBe(9_995);
});

test('what someone is refused after being asked to stop is one row a minute, of theirs alone', async () => {
  const bob = { ...alice, subject: 'b', username: 'bob' };
  const stopped = { ...refusal, reason: 'refused_too_often', status: 429 };
  for (let number = 0; number < 5_000; number++) {
    trail.record({ ...stopped, who: alice, at: at(number / 1000), action: `m-${number}` });
    if (number < 7) trail.record({ ...stopped, who: bob, at: at(1) });
  }
  // Before that each is kept, and so is any other failure.
  for (let number = 0; number < 3; number++) trail.record({ ...refusal, who: alice, status: 403 });
  for (let number = 0; number < 3; number++) trail.record({ ...refusal, who: alice, status: 429 });
  await vi.advanceTimersByTimeAsync(61_000);
  expect(written.slice(0, 6).every(({ repeated }) => repeated === undefined)).toBe(true);
  expect(written.slice(6)).toMatchObject([
    {
      who: alice,
      action: 'various',
      resource: null,
      at: at(0),
      repeated: { count: 5_000, lastAt: at(4.999) },
    },
    { who: bob, repeated: { count: 7 } },
  ]);
});

test('the next minute begins anew, and closing writes what is counted', async () => {
  for (let minute = 0; minute < 2; minute++) {
    for (let number = 0; number < 8; number++) trail.record({ ...refusal, at: at(minute * 60) });
    if (minute === 0) await vi.advanceTimersByTimeAsync(61_000);
  }
  await trail.close();
  expect(written.map(({ repeated }) => repeated?.count ?? 1)).toEqual([1, 1, 1, 1, 1, 3, 1, 1, 1, 1, 1, 3]);
  expect(written[5]?.clientIp).toBe('10.0.0.1');
});

test('nothing of identified callers is merged, nor what was allowed', async () => {
  for (let number = 0; number < 1_000; number++) {
    trail.record({ ...refusal, who: alice, resource: `mine-${number}` });
    trail.record({ ...refusal, decision: 'allow', status: 200, resource: `allowed-${number}` });
  }
  await trail.flush();
  expect(written).toHaveLength(2_000);
  expect(written.every(({ repeated }) => repeated === undefined)).toBe(true);
  expect(new Set(written.map(({ resource }) => resource)).size).toBe(2_000);
});

test.each(['kind', 'action', 'decision', 'reason', 'status'] as const)(
  'refusals that differ in %s are counted apart',
  async (member) => {
    const other = {
      kind: 'api',
      action: 'GET',
      decision: 'error',
      reason: 'identity_unavailable',
      status: 503,
    } as const;
    for (let number = 0; number < 20; number++) {
      trail.record(refusal);
      trail.record({ ...refusal, [member]: other[member] } as AuditEvent);
    }
    await trail.close();
    const merged = written.filter(({ repeated }) => repeated);
    expect(merged.map((event) => event[member])).toEqual([refusal[member], other[member]]);
  },
);

test('whatever callers vary, rows stay few and no request is missing in the counts', async () => {
  for (let number = 0; number < 20_000; number++)
    trail.record({
      ...refusal,
      ...{ action: `action-${number}`, reason: `reason-${number}`, resource: 'x'.repeat(100_000) },
      ...{
        clientIp: `10.1.${number >> 8}.${number & 255}`,
        tool: `tool-${number}`,
        detail: { big: 'y'.repeat(100_000) },
      },
    });
  await trail.close();
  expect(written.length).toBeLessThan(130);
  expect(requests(written)).toBe(20_000);
  expect(JSON.stringify(written).length).toBeLessThan(1_000_000);
});

test('where room is short nothing anonymous is kept by itself, and people are', async () => {
  tight = true;
  for (let number = 0; number < 10; number++) {
    trail.record(refusal);
    trail.record({ ...refusal, who: alice });
  }
  await trail.close();
  expect(written.filter(({ who }) => who)).toHaveLength(10);
  expect(written.filter(({ who }) => !who).map(({ repeated }) => repeated?.count)).toEqual([10]);
});

test('any mixture keeps the sum, and the order of what identified callers did', async () => {
  const some = fc.record({
    who: fc.constantFrom(null, alice),
    decision: fc.constantFrom('allow', 'deny', 'error'),
    action: fc.string({ maxLength: 3 }),
    status: fc.constantFrom(0, 200, 401, 403, 503),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(some, { maxLength: 300 }), async (events) => {
      const seen: AuditEvent[] = [];
      const sink = { name: 's', write: async (batch: readonly AuditEvent[]) => void seen.push(...batch) };
      const own = createTrail({ sinks: [sink], log });
      for (const [index, event] of events.entries())
        own.record({ ...refusal, ...event, correlationId: `c-${index}` } as AuditEvent);
      await own.close();
      expect(requests(seen)).toBe(events.length);
      const known = events.flatMap(({ who }, index) => (who ? [`c-${index}`] : []));
      expect(seen.filter(({ who }) => who).map(({ correlationId }) => correlationId)).toEqual(known);
    }),
    { numRuns: 50 },
  );
});
