import { expect, test } from 'vitest';
import type { Server } from '../../contract/servers.ts';
import { isIn, matches } from './server-filter.ts';

const clock = {
  server_name: 'Current Time',
  path: '/currenttime',
  description: 'Tells the time of day in any zone',
  tags: ['Demo', 'time'],
  is_enabled: true,
  health_status: 'healthy',
} as Server;

test.each([
  ['', true],
  ['  time   zone ', true],
  ['CURRENT', true],
  ['/currenttime', true],
  ['zone weather', false],
  ['#demo', true],
  ['#dem', false],
  ['dem', true],
  ['#demo clock', false],
  ['#', true],
])('searching for %j finds the server: %s', (query, found) => {
  expect(matches(query, clock)).toBe(found);
});

test('only an enabled server can have an issue', () => {
  const broken = { ...clock, health_status: 'unhealthy' } as Server;
  expect(isIn('issues', broken)).toBe(true);
  expect(isIn('issues', { ...broken, is_enabled: false })).toBe(false);
  expect(isIn('issues', clock)).toBe(false);
});
