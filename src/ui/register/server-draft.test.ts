import { expect, test } from 'vitest';
import type { ServerEntry } from '../../contract/files/entry.ts';
import { readRegistryFile } from '../../contract/files/read.ts';
import {
  credentialOf,
  definitionOf,
  draftOfEntry,
  emptyDraft,
  endpointOf,
  faultsOf,
  fieldAt,
} from './server-draft.ts';

const good = { ...emptyDraft, server_name: 'A', path: '/a', proxy_pass_url: 'https://a.example/mcp' };

const server = (text: unknown): ServerEntry => {
  const [entry] = readRegistryFile(JSON.stringify(text));
  if (entry?.kind !== 'server') throw new Error('no server');
  return entry;
};

test('an entry of a file becomes a form, and what the form has no field for goes along', () => {
  const url = 'https://docs.example/v1/tools';
  const headers = { Authorization: 'Bearer abc', 'X-Tenant': 'acme' };
  const draft = draftOfEntry(server({ mcpServers: { 'My Docs': { url, headers } } }));
  expect(draft).toMatchObject({ path: '/my-docs', endpoint: url, auth_scheme: 'bearer' });
  expect(definitionOf(draft)).toMatchObject({ proxy_pass_url: url, mcp_endpoint: url });
  expect(credentialOf(draft, 'none')).toEqual({
    ...{ auth_scheme: 'bearer', auth_credential: 'abc' },
    custom_headers: [{ name: 'X-Tenant', value: 'acme' }],
  });
  const own = { server_name: 'A', path: '/a', proxy_pass_url: 'https://a.example', tags: ['x', 'y'] };
  const full = draftOfEntry(server({ ...own, version: '2', metadata: { team: 'a' } }));
  expect(full).toMatchObject({ path: '/a', tags: 'x, y', endpoint: '' });
  expect(definitionOf(full)).toMatchObject({ version: '2', metadata: { team: 'a' }, mcp_endpoint: null });
});

test('an SSE server keeps its endpoint, and the usual ones are not repeated', () => {
  const sse = draftOfEntry(
    server({ mcpServers: { old: { type: 'sse', url: 'https://old.example/events' } } }),
  );
  expect(definitionOf(sse)).toMatchObject({
    ...{ supported_transports: ['sse'], sse_endpoint: 'https://old.example/events' },
  });
  expect(endpointOf('https://a.example/x/mcp')).toBe('');
  expect(endpointOf('https://a.example/x/sse/?a=b')).toBe('');
  expect(endpointOf('https://a.example/mcp/x')).toBe('https://a.example/mcp/x');
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
