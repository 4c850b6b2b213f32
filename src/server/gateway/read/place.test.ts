import fc from 'fast-check';
import { expect, test } from 'vitest';
import { serverPath } from '../../../contract/servers/servers.ts';
import { owns, placeOf } from './place.ts';

test.each([
  ['/currenttime/mcp', { server: 'currenttime', endpoint: 'mcp', query: '' }],
  ['/team/a/time/sse?x=1', { server: 'team/a/time', endpoint: 'sse', query: 'x=1' }],
  ['/currenttime/mcp/', { server: 'currenttime', endpoint: 'mcp', query: '' }],
  ['/a.b/messages?session=q', { server: 'a.b', endpoint: 'messages', query: 'session=q' }],
])('%s names a server and an endpoint', (url, place) => {
  expect(owns(url)).toBe(true);
  expect(placeOf(url)).toEqual(place);
});

test.each([
  '/a%2fb/mcp',
  '/a/../b/mcp',
  '/./mcp',
  '/a//mcp',
  '/a\\b/mcp',
  '/%61/mcp',
  '/a/..%2f/mcp',
  '/a;x/mcp',
  `/${'a'.repeat(201)}/mcp`,
])('%s is ours, and refused', (url) => {
  expect(owns(url)).toBe(true);
  expect(placeOf(url)).toBeUndefined();
});

test.each([
  '/mcp',
  '/api/servers/x/mcp',
  '/API/x/mcp',
  '/',
  '/a/mcp/x',
  '/a/mcp#x',
  'http://h/a/mcp',
  '/a/mc%70',
])('%s is not ours', (url) => expect(owns(url)).toBe(false));

test('every path that can be registered is reachable', () => {
  const path = fc
    .stringMatching(/^(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]{0,9}){1,4}$/)
    .filter((text) => serverPath.safeParse(text).success);
  fc.assert(
    fc.property(path, (text) => {
      expect(owns(`${text}/mcp`)).toBe(true);
      expect(placeOf(`${text}/mcp`)?.server).toBe(text.slice(1));
    }),
  );
});
