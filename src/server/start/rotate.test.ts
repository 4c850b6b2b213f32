import { afterEach, beforeEach, expect, test } from 'vitest';
import { credentialInput } from '../../contract/servers/server-credentials.ts';
import { serverInput } from '../../contract/servers/servers.ts';
import { type Config, readConfig } from '../config/config.ts';
import { type OpenDatabase, openMemory } from '../db/open.ts';
import type { Db } from '../db/tables.ts';
import { findConnection, storeConnection } from '../egress/store.ts';
import { createConnectionVault } from '../egress/vault.ts';
import { type Keyring, keyringOf, seal, unseal } from '../identity/keys.ts';
import { type FakeTransit, startTransit } from '../identity/kms/transit.test-support.ts';
import { createSealer } from '../identity/sealer.ts';
import { changedCredential, credentialsFrom } from '../registry/servers/credential.ts';
import { find, insert, setCredential } from '../registry/servers/store.ts';
import { openKeys } from './keys.ts';
import { rotateStored, sealedColumns } from './rotate.ts';

const at = '2026-01-01T00:00:00.000Z';
const secret = '2f9c5e81a7d04b36c8f1e29d7a5b6043';
const newSecret = 'b71d3e5f90a24c68d1f3e5a7c9b2d4f6';
let database: OpenDatabase;
let transit: FakeTransit;
beforeEach(async () => {
  database = await openMemory();
  transit = await startTransit();
});
afterEach(async () => {
  await transit.close();
  await database.close();
});

function config(more: Record<string, string> = {}): Config {
  return readConfig({ EVALUATION: 'true', SECRET_KEY: secret, ...more }, '/');
}

const rotate = (more: Record<string, string> = {}, newDataKey = false) =>
  rotateStored({ db: database.db, config: config(more), print: () => {} }, { newDataKey });

/** The keys that a process with these settings would have. */
async function ringOf(more: Record<string, string> = {}): Promise<Keyring> {
  const log = { warn() {} };
  const { keys, close } = await openKeys({
    db: database.db,
    config: config(more),
    log,
    now: Date.now,
    waitMs: 0,
  });
  await close();
  return keys;
}

const owner = {
  provider: 'test',
  subject: 'ann',
  serverId: 's1',
  purpose: 'call',
  address: 'https://a.example',
};

/** Something of each kind, sealed with a ring. */
async function fill(db: Db, ring: Keyring): Promise<void> {
  const text = (purpose: Parameters<Keyring['of']>[0], holder: string) =>
    seal(ring.of(purpose), 'text', holder);
  const person = { provider: 'test', subject: 'ann' };
  await db
    .insertInto('people')
    .values({
      ...{ ...person, username: 'ann', name: null, email: null, groups: '[]', groups_read_at: at },
      ...{ refresh_sealed: text('refresh-token', ''), tenant: null, refused_at: null, refused_because: null },
    })
    .execute();
  await db
    .insertInto('sessions')
    .values({
      ...{ ...person, id_hash: 'h', logout_hint: text('refresh-token', 'logout-hint') },
      ...{ created_at: at, last_seen_at: at, expires_at: at },
    } as never)
    .execute();
  const key = {
    kid: 'k',
    period: 1,
    private_sealed: text('oauth-key', 'k'),
    public_jwk: '{}',
    created_at: at,
  };
  await db.insertInto('oauth_keys').values(key).execute();
  await db
    .insertInto('oauth_artifacts')
    .values({
      ...{ id_hash: 'a', model: 'RefreshToken', grant_id: null, code_hash: null, consumed_at: null },
      ...{ payload_sealed: text('oauth-artifact', 'a'), expires_at: at },
    })
    .execute();
  await db
    .insertInto('jobs')
    .values({
      ...{ id: 'j', kind: 'm2m', name: 'n', name_key: 'n', state: 'done', progress: '{}', trouble: null },
      ...{ secret_sealed: text('job-secret', 'j'), secret_state: 'waiting', created_by: 'ann' },
      ...{ created_at: at, updated_at: at },
    } as never)
    .execute();
  const vault = createConnectionVault(ring);
  const client = { provider: '', subject: '', serverId: 's1', purpose: 'client', address: '' };
  await db
    .insertInto('egress_clients')
    .values({
      ...{ server_id: 's1', issuer: 'https://i.example', client_id: 'c', auth_method: 'client_secret_basic' },
      ...{ secret_sealed: vault.seal(client, 'client-secret', 'text'), key_id: vault.keyId },
      ...{ expires_at: null, created_at: at },
    })
    .execute();
  const times = { accessExpiresAt: null, endsAt: null };
  const made = { access: 'text', refresh: 'text', scopes: [], username: 'ann', mode: 'oauth_user' } as const;
  const none = { issuer: null, account: null, audience: null };
  await storeConnection(db, vault, { owner, ...made, ...none, ...times }, at);
  const definition = serverInput.parse({ server_name: 's1', path: '/s1', proxy_pass_url: 'http://h' });
  const row = await insert(db, {
    id: 's1',
    definition,
    isEnabled: true,
    registeredBy: 'ann',
    registeredAt: at,
  });
  const sealer = createSealer(ring.of('upstream-credential'));
  const said = credentialInput.parse({ auth_scheme: 'bearer', auth_credential: 'text' });
  await setCredential(db, row, { credential: changedCredential(sealer, row, said, at), at });
}

/** How many of the nine sealed texts a ring opens by its first key. */
async function openBy(ring: Keyring): Promise<number> {
  const first: Keyring = { of: (purpose) => () => [ring.of(purpose)()[0]] };
  const { db } = database;
  let count = 0;
  const counts = (text: unknown): void => {
    if (text === 'text') count += 1;
  };
  for (const { table, column, purpose, holder } of sealedColumns) {
    const row = (await db.selectFrom(table).selectAll().executeTakeFirst()) as unknown as Record<
      string,
      string
    >;
    try {
      counts(unseal(first.of(purpose), row[column] ?? '', holder(row)));
    } catch {
      // It does not open.
    }
  }
  const vault = createConnectionVault(first);
  const connection = await findConnection(db, owner);
  const { keyId = '', accessSealed, refreshSealed } = connection ?? {};
  counts(vault.open(owner, 'access', { keyId, sealed: accessSealed ?? '' }));
  counts(vault.open(owner, 'refresh', { keyId, sealed: refreshSealed ?? '' }));
  const client = await db.selectFrom('egress_clients').selectAll().executeTakeFirstOrThrow();
  const clientOwner = { provider: '', subject: '', serverId: 's1', purpose: 'client', address: '' };
  const clientSecret = { keyId: client.key_id, sealed: client.secret_sealed ?? '' };
  counts(vault.open(clientOwner, 'client-secret', clientSecret));
  const server = await find(db, '/s1');
  const headers = credentialsFrom(createSealer(first.of('upstream-credential')))(server!);
  return JSON.stringify(headers).includes('Bearer text') ? count + 1 : count;
}

test('what was sealed before there were data keys is carried over, and needs SECRET_KEY no more', async () => {
  await fill(database.db, keyringOf(secret));
  expect(await rotate()).toMatchObject({ rotated: 0, dataKeys: { rewrapped: 0, made: false } });
  const done = await rotate({}, true);
  expect(done).toMatchObject({
    unreadable: [],
    lost: 0,
    dataKeys: { kms: 'embedded', made: true, retired: 0 },
  });
  expect(await openBy(keyringOf(secret))).toBe(0);
  expect(await openBy(await ringOf())).toBe(9);
  expect(await rotate()).toMatchObject({ rotated: 0 });
  // From here on a new SECRET_KEY wraps the one key anew, and nothing else changes.
  expect(await rotate({ SECRET_KEY: newSecret, SECRET_KEY_PREVIOUS: secret })).toMatchObject({
    ...{ rotated: 0, dataKeys: { rewrapped: 1 } },
  });
  expect(await openBy(await ringOf({ SECRET_KEY: newSecret }))).toBe(9);
});

test('with a KMS of its own everything is sealed anew under a key that SECRET_KEY does not give', async () => {
  await fill(database.db, await ringOf());
  const vault = { VAULT_KMS: 'transit', VAULT_ADDR: transit.address, VAULT_TOKEN: 'root' };
  const done = await rotate(vault);
  expect(done).toMatchObject({ lost: 0, dataKeys: { kms: 'transit:transit/mcp-gateway' } });
  expect(await openBy(await ringOf(vault))).toBe(9);
  const { db } = database;
  const byVault = db.selectFrom('data_keys').select(['number', 'kms']).orderBy('number');
  expect(await byVault.execute()).toEqual([
    { number: 1, kms: 'embedded' },
    { number: 2, kms: 'transit:transit/mcp-gateway' },
  ]);
  // Once every process has the new one, the one that SECRET_KEY opens is deleted.
  await db.updateTable('data_keys').set({ created_at: at }).execute();
  expect(await rotate(vault)).toMatchObject({ rotated: 0, dataKeys: { retired: 1 } });
  expect(await openBy(await ringOf(vault))).toBe(9);
  expect(await openBy(keyringOf(secret))).toBe(0);
});

test('another data key seals everything anew; what no key opens is counted, and then no key is deleted', async () => {
  await fill(database.db, await ringOf());
  const { db } = database;
  expect(await rotate({}, true)).toMatchObject({ rotated: 8, dataKeys: { made: true, retired: 0 } });
  expect(await openBy(await ringOf())).toBe(9);
  await db.updateTable('oauth_artifacts').set({ payload_sealed: 'nothing' }).execute();
  await db.updateTable('data_keys').set({ created_at: at }).execute();
  expect(await rotate()).toMatchObject({ rotated: 0, dataKeys: { retired: 0 } });
});

test('every sealed column of the database is sealed anew, but for what lives for minutes', async () => {
  const byStores = [
    'connections.access_sealed',
    'connections.refresh_sealed',
    'egress_clients.secret_sealed',
  ];
  const passing = ['virtual_sessions.sealed', 'virtual_replies.sealed'];
  const named = sealedColumns.map(({ table, column }) => `${table}.${column}`);
  const there = (await database.db.introspection.getTables()).flatMap(({ name, columns }) =>
    columns.filter((one) => /sealed|logout_hint/.test(one.name)).map((one) => `${name}.${one.name}`),
  );
  expect(there.sort()).toEqual([...named, ...byStores, ...passing].sort());
});
