import { expect, test } from 'vitest';
import type { Server } from '../../contract/servers/servers.ts';
import { isIn, matches, sortOf, sorts } from './server-filter.ts';

const clock = {
  server_name: 'Current Time',
  path: '/currenttime',
  description: 'Tells the time of day in any zone',
  tags: ['Demo', 'time'],
  registered_by: 'alice',
  category: 'Watches',
  is_enabled: true,
  health_status: 'healthy',
} as unknown as Server;

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
  ['watches alice', true],
])('searching for %j finds the server: %s', (query, found) => {
  expect(matches(query, clock)).toBe(found);
});

test('only an enabled server can have an issue', () => {
  const broken = { ...clock, health_status: 'unhealthy' } as Server;
  expect(isIn('issues', broken)).toBe(true);
  expect(isIn('issues', { ...broken, is_enabled: false })).toBe(false);
  expect(isIn('issues', clock)).toBe(false);
});

test('broken servers come first where that is asked, disabled ones last', () => {
  const named = (server_name: string, parts: object) => ({ ...clock, server_name, ...parts }) as Server;
  const list = [
    named('Off', { is_enabled: false }),
    named('Well 10', {}),
    named('Well 9', {}),
    named('Ill', { health_status: 'unhealthy' }),
  ];
  const order = (asked: string) => list.toSorted(sorts[sortOf(asked)].compare).map((one) => one.server_name);
  expect(order('broken')).toEqual(['Ill', 'Well 9', 'Well 10', 'Off']);
  expect(order('constructor')).toEqual(['Ill', 'Off', 'Well 9', 'Well 10']);
});
