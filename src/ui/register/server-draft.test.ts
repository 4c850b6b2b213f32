import { expect, test } from 'vitest';
import { credentialOf, emptyDraft, faultsOf, fieldAt, importDrafts } from './server-draft.ts';

const good = { ...emptyDraft, server_name: 'A', path: '/a', proxy_pass_url: 'https://a.example/mcp' };

test('the configuration of an IDE becomes forms; programs it starts itself are named', () => {
  const { drafts, skipped } = importDrafts(
    JSON.stringify({
      mcpServers: {
        'My Docs': { url: 'https://docs.example/mcp', headers: { Authorization: 'Bearer abc' } },
        old: { type: 'sse', url: 'https://old.example/events', headers: { 'X-Api-Key': `\${env:KEY}` } },
        local: { command: 'npx', args: ['x'] },
      },
    }),
  );
  expect(skipped).toEqual(['local']);
  expect(drafts[0]).toMatchObject({ path: '/my-docs', auth_scheme: 'bearer', auth_credential: 'abc' });
  expect(drafts[1]).toMatchObject({
    ...{ transport: 'sse', auth_scheme: 'api_key', auth_header_name: 'X-Api-Key', auth_credential: '' },
  });
});

test('a registration and the form of VS Code are read too', () => {
  const own = { server_name: 'A', path: '/a', proxy_pass_url: 'https://a.example', tags: ['x', 'y'] };
  expect(importDrafts(JSON.stringify(own)).drafts[0]).toMatchObject({ path: '/a', tags: 'x, y' });
  const { drafts } = importDrafts('{"servers":{"b":{"type":"http","url":"https://b.example/mcp"}}}');
  expect(drafts[0]).toMatchObject({ server_name: 'b', transport: 'streamable-http' });
});

test.each(['{', '[]', '{}', '{"mcpServers":[]}', 'null'])('%s is refused with words', (text) => {
  expect(() => importDrafts(text)).toThrow(/JSON|neither/);
});

test.each([
  [{}, undefined, ''],
  [{ path: '/api/x' }, 'path', 'belongs to the gateway'],
  [{ path: '' }, 'path', 'needed'],
  [{ server_name: ' ' }, 'server_name', ''],
  [{ proxy_pass_url: 'ftp://x' }, 'proxy_pass_url', 'http://'],
  [{ auth_scheme: 'bearer' }, 'auth_credential', 'needed'],
  [{ auth_scheme: 'bearer', auth_credential: 'Bearer x' }, 'auth_credential', 'alone'],
] as const)('a draft with %j has its fault at %s', (change, field, words) => {
  const faults = faultsOf({ ...good, ...change }, 'none');
  expect(Object.keys(faults)).toEqual(field ? [field] : []);
  if (field) expect(faults[field]).toContain(words);
});

test('a stored credential stays unless another is given', () => {
  const stored = { ...good, auth_scheme: 'bearer' };
  expect(credentialOf(stored, 'bearer')).toBeUndefined();
  expect(credentialOf({ ...stored, auth_credential: 'x' }, 'bearer')).toMatchObject({ auth_credential: 'x' });
  expect(credentialOf(good, 'bearer')).toEqual({ auth_scheme: 'none' });
});

test('faults of the API find their fields', () => {
  expect(fieldAt('body.supported_transports.0')).toBe('transport');
  expect(fieldAt('body.path')).toBe('path');
  expect(fieldAt('body.__proto__')).toBeUndefined();
});
