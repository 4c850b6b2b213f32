import { expect, test } from 'vitest';
import type { HealthChange, HealthStatus } from '../../contract/servers/servers.ts';
import { healthyPercent, spansOf } from './health-spans.ts';

const change = (at: number, status: HealthStatus): HealthChange => ({
  at: new Date(at).toISOString(),
  ...{ status, reason: null, detail: null },
});

test('the time before the first change is unknown, and the last state lasts to the end', () => {
  expect(spansOf([change(100, 'healthy'), change(300, 'unhealthy')], 0, 1000)).toEqual([
    { from: 0, to: 100, status: 'unknown' },
    { from: 100, to: 300, status: 'healthy' },
    { from: 300, to: 1000, status: 'unhealthy' },
  ]);
});

test('a change before the time says how it begins, and one after it does not count', () => {
  const changes = [change(1, 'unhealthy'), change(50, 'healthy'), change(5000, 'unhealthy')];
  expect(spansOf(changes, 100, 200)).toEqual([{ from: 100, to: 200, status: 'healthy' }]);
});

test.each([
  [[], null],
  [[change(0, 'healthy')], 100],
  [[change(0, 'disabled')], null],
  [[change(0, 'healthy'), change(999, 'unhealthy')], 99.9],
  [[change(0, 'healthy'), change(250, 'disabled'), change(750, 'unhealthy')], 50],
] as const)('%j is healthy for %s percent', (changes, percent) => {
  expect(healthyPercent(spansOf(changes, 0, 1000))).toBe(percent);
});

test('a short trouble in a long time is not rounded away', () => {
  expect(healthyPercent(spansOf([change(0, 'healthy'), change(999_999, 'unhealthy')], 0, 1_000_000))).toBe(
    99.9,
  );
});
