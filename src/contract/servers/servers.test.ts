import { expect, test } from 'vitest';
import { serverInput, serverPath } from './servers.ts';

test.each([
  ['currenttime', '/currenttime'],
  ['/currenttime/', '/currenttime'],
  ['//team/tools-2.1_x//', '/team/tools-2.1_x'],
  ['/mcpgw', '/mcpgw'],
  ['/mcp/time', '/mcp/time'],
])('%s becomes the path %s', (given, path) => {
  expect(serverPath.parse(given)).toBe(path);
});

test.each([
  '',
  '/',
  '/api',
  '/API/time',
  '/api/servers',
  '/oauth2/login',
  '/groups',
  '/groups/import',
  '/time/mcp',
  '/time/SSE',
  '/time/toggle',
  '/.well-known',
  '/a//b',
  '/a/../b',
  '/a b',
  '/a%2fb',
  '/ä',
  `/${'a'.repeat(200)}`,
])('%s is refused as a path', (given) => {
  expect(serverPath.safeParse(given).success).toBe(false);
});

test('a registration takes the defaults and refuses what it does not know', () => {
  const least = { server_name: 'Time', path: 'time', proxy_pass_url: 'http://127.0.0.1:8000' };
  expect(serverInput.parse(least)).toMatchObject({
    path: '/time',
    supported_transports: ['streamable-http'],
    tags: [],
    license: 'N/A',
    mcp_endpoint: null,
  });
  expect(serverInput.safeParse({ ...least, proxy_pas_url: 'x' }).success).toBe(false);
  expect(serverInput.safeParse({ ...least, proxy_pass_url: 'file:///etc/passwd' }).success).toBe(false);
  expect(serverInput.safeParse({ ...least, proxy_pass_url: 'http://u:p@host/' }).success).toBe(false);
});
