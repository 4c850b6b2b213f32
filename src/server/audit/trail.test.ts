import { expect, test, vi } from 'vitest';
import type { AuditEvent } from './event.ts';
import { createTrail } from './trail.ts';

const event = (action: string): AuditEvent => ({
  kind: 'mcp',
  at: '2026-01-01T00:00:00.000Z',
  correlationId: 'c',
  who: { provider: 'entra', subject: 's', username: 'alice', clientId: null, method: 'bearer' },
  clientIp: '127.0.0.1',
  action,
  resource: 'currenttime',
  decision: 'allow',
  status: 200,
  durationMs: 1.5,
});
const log = { error: () => {} };

test('what was recorded is written before close ends, in order and complete, and then the sink is closed', async () => {
  const written: string[] = [];
  let closed = false;
  const sink = {
    name: 's',
    async write(events: readonly AuditEvent[]) {
      await new Promise(setImmediate);
      written.push(...events.map(({ action }) => action));
    },
    async close() {
      closed = true;
    },
  };
  const trail = createTrail({ sinks: [sink], log });
  const actions = Array.from({ length: 1500 }, (_, index) => `call-${index}`);
  for (const action of actions) trail.record(event(action));
  await trail.close();
  expect(written).toEqual(actions);
  expect(closed).toBe(true);
});

test('what comes while a batch is written waits for the next one, and is one batch', async () => {
  const batches: string[][] = [];
  const written: (() => void)[] = [];
  const sink = {
    name: 's',
    write(events: readonly AuditEvent[]) {
      batches.push(events.map(({ action }) => action));
      return new Promise<void>((resolve) => void written.push(resolve));
    },
  };
  const trail = createTrail({ sinks: [sink], log });
  trail.record(event('first'));
  const flushed = trail.flush();
  await Promise.resolve();
  for (const action of ['second', 'third', 'fourth']) trail.record(event(action));
  written.shift()?.();
  await flushed;
  expect(batches).toEqual([['first']]);
  const closed = trail.close();
  await Promise.resolve();
  expect(batches).toEqual([['first'], ['second', 'third', 'fourth']]);
  written.shift()?.();
  await closed;
});

test('what is left out while a batch is written costs no event that is still to be written', async () => {
  const written: string[] = [];
  let release = (): void => {};
  const sink = {
    name: 's',
    async write(events: readonly AuditEvent[]) {
      if (written.length === 0)
        await new Promise<void>((resolve) => {
          release = resolve;
        });
      written.push(...events.map(({ action }) => action));
    },
  };
  const trail = createTrail({ sinks: [sink], log });
  for (let at = 0; at < 100_000; at++) trail.record(event(`${at}`));
  await Promise.resolve();
  for (let at = 100_000; at < 100_010; at++) trail.record(event(`${at}`));
  release();
  await trail.close();
  expect(written).toEqual(Array.from({ length: 100_010 }, (_, at) => `${at}`));
});

test('a sink that fails gets the same events again, and no other sink suffers', async () => {
  const written: string[] = [];
  let failing = true;
  const flaky = {
    name: 'flaky',
    async write(events: readonly AuditEvent[]) {
      if (failing) throw new Error('disk full');
      written.push(...events.map(({ action }) => action));
    },
  };
  const good: string[] = [];
  const steady = {
    name: 'steady',
    async write(events: readonly AuditEvent[]) {
      good.push(...events.map(({ action }) => action));
    },
  };
  const trail = createTrail({ sinks: [flaky, steady], log });
  trail.record(event('first'));
  await trail.flush();
  failing = false;
  trail.record(event('second'));
  await trail.close();
  expect(written).toEqual(['first', 'second']);
  expect(good).toEqual(['first', 'second']);
});

test('what a sink did not take is offered again as it was, and what came meanwhile after it', async () => {
  const offered: string[][] = [];
  const flaky = {
    name: 'flaky',
    async write(events: readonly AuditEvent[]) {
      offered.push(events.map(({ action }) => action));
      if (offered.length < 3) throw new Error('away');
    },
  };
  const trail = createTrail({ sinks: [flaky], log });
  trail.record(event('first'));
  await trail.flush();
  for (const action of ['second', 'third']) trail.record(event(action));
  await trail.flush();
  await trail.close();
  expect(offered).toEqual([['first'], ['first'], ['first'], ['second', 'third']]);
});

test('who reads the record waits for it and for no other sink; a sink that fails rests, and is said once', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  try {
    const hanging = Promise.withResolvers<void>();
    let tries = 0;
    const said: unknown[] = [];
    const stored: AuditEvent[] = [];
    const trail = createTrail({
      sinks: [
        { name: 'stored', write: async (events) => void stored.push(...events) },
        { name: 'hanging', write: () => hanging.promise },
        {
          name: 'away',
          async write() {
            tries += 1;
            throw new Error('away');
          },
        },
      ],
      log: { error: (facts) => void said.push(facts) },
    });
    trail.record(event('first'));
    await trail.flush();
    expect(stored).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(30_000);
    // Rests that grow to a second each.
    expect(tries).toBeGreaterThan(25);
    expect(tries).toBeLessThan(40);
    expect(said).toMatchObject([{ sink: 'away', held: 1 }]);
    hanging.resolve();
    await trail.close();
  } finally {
    vi.useRealTimers();
  }
});

test('a token that somebody sends in the place of a name is not recorded', async () => {
  const token = `eyJ${'a'.repeat(30)}.eyJ${'b'.repeat(60)}.${'c'.repeat(40)}`;
  const written: AuditEvent[] = [];
  const sink = { name: 's', write: async (events: readonly AuditEvent[]) => void written.push(...events) };
  const trail = createTrail({ sinks: [sink], log });
  trail.record({ ...event(`call-${token}`), tool: token, resource: `/${token}/x` });
  trail.record({ ...event('resources/read'), detail: { uri: `x:/${token}`, batch: [{ prompt: token }] } });
  trail.record({ ...event('tools/call'), tool: 'eyJust-a-name', resource: null });
  await trail.close();
  expect(written[0]).toMatchObject({ action: 'call-[a token]', tool: '[a token]', resource: '/[a token]/x' });
  expect(written[1]?.detail).toEqual({ uri: 'x:/[a token]', batch: [{ prompt: '[a token]' }] });
  expect(written[2]).toMatchObject({ tool: 'eyJust-a-name', resource: null });
});
