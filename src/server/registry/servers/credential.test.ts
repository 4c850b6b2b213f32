import { afterEach, beforeEach, expect, test } from 'vitest';
import { credentialInput } from '../../../contract/servers/server-credentials.ts';
import { serverInput } from '../../../contract/servers/servers.ts';
import { type OpenDatabase, openMemory } from '../../db/open.ts';
import { createConnectionVault } from '../../egress/vault.ts';
import { Failure } from '../../failure/errors.ts';
import { keyringOf } from '../../identity/keys.ts';
import { createSealer } from '../../identity/sealer.ts';
import { changedCredential, credentialsFrom } from './credential.ts';
import { rotateCredentials } from './rotate.ts';
import { find, insert, type ServerRow, type StoredCredential, setCredential } from './store.ts';

const at = '2026-01-01T00:00:00.000Z';
const vault = createSealer(keyringOf('the first secret of this test').of('upstream-credential'));
const definition = serverInput.parse({ server_name: 'a', path: '/a', proxy_pass_url: 'http://h' });

function after(input: object, credential: StoredCredential | null = null): StoredCredential | null {
  return changedCredential(vault, { id: 'a', definition, credential }, credentialInput.parse(input), at);
}

function headersOf(credential: StoredCredential | null, id = 'a', holder = vault) {
  return credentialsFrom(holder)({ id, definition, credential })?.headers;
}

function faultOf(change: () => unknown): string | undefined {
  try {
    change();
  } catch (error) {
    if (error instanceof Failure) return error.faults.map(({ at: place }) => place).join();
    throw error;
  }
  return undefined;
}

test('each scheme has its header, and custom headers go along', () => {
  expect(headersOf(null)).toEqual([]);
  expect(headersOf(after({ auth_scheme: 'bearer', auth_credential: 's3cret' }))).toEqual([
    'Authorization',
    'Bearer s3cret',
  ]);
  expect(headersOf(after({ auth_scheme: 'api_key', auth_credential: 's3cret' }))).toEqual([
    'X-API-Key',
    's3cret',
  ]);
  const custom_headers = [{ name: 'X-Tenant', value: 'acme' }];
  const both = {
    auth_scheme: 'api_key',
    auth_credential: 'k',
    auth_header_name: 'Api-Token',
    custom_headers,
  };
  expect(headersOf(after(both))).toEqual(['Api-Token', 'k', 'X-Tenant', 'acme']);
  expect(headersOf(after({ auth_scheme: 'none', custom_headers }))).toEqual(['X-Tenant', 'acme']);
});

test('what a change leaves out stays, as long as the scheme stays', () => {
  const custom_headers = [{ name: 'X-Tenant', value: 'acme' }];
  const first = after({ auth_scheme: 'bearer', auth_credential: 'one', custom_headers });
  expect(headersOf(after({ auth_scheme: 'bearer', custom_headers: [] }, first))).toEqual([
    'Authorization',
    'Bearer one',
  ]);
  expect(headersOf(after({ auth_scheme: 'api_key', auth_credential: 'two' }, first))).toEqual([
    ...['X-API-Key', 'two', 'X-Tenant', 'acme'],
  ]);
  expect(faultOf(() => after({ auth_scheme: 'api_key' }, first))).toBe('body.auth_credential');
  expect(faultOf(() => after({ auth_scheme: 'bearer' }))).toBe('body.auth_credential');
  expect(after({ auth_scheme: 'none', custom_headers: [] }, first)).toBeNull();
});

test('a header that would go twice is refused', () => {
  const twice = (name: string) =>
    after({
      auth_scheme: 'bearer',
      auth_credential: 'one',
      custom_headers: [
        { name: 'x-a', value: '1' },
        { name, value: '2' },
      ],
    });
  expect(faultOf(() => twice('X-A'))).toBe('body.custom_headers');
  expect(faultOf(() => twice('authorization'))).toBe('body.custom_headers');
});

test.each([
  { auth_scheme: 'basic', auth_credential: 'a' },
  { auth_scheme: 'none', auth_credential: 'a' },
  { auth_scheme: 'none', auth_header_name: 'X-Key' },
  { auth_scheme: 'bearer', auth_credential: '' },
  { auth_scheme: 'bearer', auth_credential: 'Bearer a' },
  { auth_scheme: 'bearer', auth_credential: 'a\r\nX-Injected: 1' },
  { auth_scheme: 'bearer', auth_credential: 'caf\u00e9' },
  { auth_scheme: 'api_key', auth_credential: 'a', auth_header_name: 'X Key' },
  ...['Host', 'content-length', 'Transfer-Encoding', 'Connection', 'Mcp-Method', 'Proxy-Authorization'].map(
    (name) => ({ auth_scheme: 'none', custom_headers: [{ name, value: 'a' }] }),
  ),
  { auth_scheme: 'none', custom_headers: [{ name: 'X-A:', value: 'a' }] },
  { auth_scheme: 'none', custom_headers: [{ name: 'X-A', value: 'a\nb' }] },
])('refused as input: %j', (input) => {
  expect(credentialInput.safeParse(input).success).toBe(false);
});

test('what is stored hides the values, and opens for its server and with its key only', () => {
  const stored = after({ auth_scheme: 'bearer', auth_credential: 's3cret-value' });
  expect(JSON.stringify(stored)).not.toContain('s3cret-value');
  expect(Buffer.from(stored!.sealed, 'base64url').toString('latin1')).not.toContain('s3cret-value');
  expect(headersOf(stored, 'another')).toBeUndefined();
  const next = createSealer(keyringOf('the second secret of this test').of('upstream-credential'));
  expect(headersOf(stored, 'a', next)).toBeUndefined();
  expect(
    headersOf(
      stored,
      'a',
      createSealer(keyringOf('the second secret', 'the first secret of this test').of('upstream-credential')),
    ),
  ).toEqual(['Authorization', 'Bearer s3cret-value']);
});

let database: OpenDatabase;
beforeEach(async () => {
  database = await openMemory();
});
afterEach(() => database.close());

async function add(id: string, credential: StoredCredential | null): Promise<ServerRow> {
  const own = serverInput.parse({ server_name: id, path: `/${id}`, proxy_pass_url: 'http://h' });
  const row = { id, definition: own, isEnabled: true, registeredBy: 'bob', registeredAt: at };
  return setCredential(database.db, await insert(database.db, row), { credential, at });
}

test('a rotation moves what it can read to the present key, once, and names the rest', async () => {
  const { db } = database;
  const sealedBy = (secret: string, id: string) => ({
    ...after({ auth_scheme: 'bearer', auth_credential: 'one' })!,
    ...createSealer(keyringOf(secret).of('upstream-credential')).seal(
      id,
      '{"credential":"one","customValues":[]}',
    ),
  });
  const kept = await add('old', sealedBy('old', 'old'));
  await add('lost', sealedBy('lost', 'lost'));
  await add('none', null);
  const rotating = createSealer(keyringOf('new', 'old').of('upstream-credential'));
  const connections = createConnectionVault(keyringOf('new', 'old'));
  expect(await rotateCredentials(db, rotating, connections)).toEqual({
    rotated: 1,
    current: 0,
    unreadable: ['/lost'],
    lost: 0,
  });
  expect(await rotateCredentials(db, rotating, connections)).toEqual({
    rotated: 0,
    current: 1,
    unreadable: ['/lost'],
    lost: 0,
  });
  const row = await find(db, '/old');
  expect(row?.revision).toBe(kept.revision);
  expect(headersOf(row!.credential, 'old', createSealer(keyringOf('new').of('upstream-credential')))).toEqual(
    ['Authorization', 'Bearer one'],
  );
});
