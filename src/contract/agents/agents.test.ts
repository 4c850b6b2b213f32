import { expect, test } from 'vitest';
import { agentPath, reservedAgentSegments } from './agents.ts';

test.each([
  ['flight-booking', '/flight-booking'],
  ['/flight-booking/', '/flight-booking'],
  ['//team/flight.2_x//', '/team/flight.2_x'],
  ['/card/flights', '/card/flights'],
])('%s becomes the path %s', (given, path) => {
  expect(agentPath.parse(given)).toBe(path);
});

test.each([
  ...['', '/', '/all', '/All', '/.well-known', '/a//b', '/a/../b', '/a b', '/a%2fb', '/ä', '/*'],
  ...['<script>alert(1)</script>', '/a\u202eb', `/${'a'.repeat(200)}`, 'x'.repeat(10_000)],
  ...reservedAgentSegments.flatMap((last) => [`/${last}`, `/flights/${last.toUpperCase()}`]),
])('%j is no path of an agent', (path) => {
  expect(agentPath.safeParse(path).success).toBe(false);
});
