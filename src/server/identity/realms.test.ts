import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OpenDatabase, openMemory } from '../db/open.ts';
import type { Person } from '../provider/provider.ts';
import { findM2mClient } from './groups/groups.ts';
import { findPerson, rememberPerson } from './people.ts';
import { settleRealms } from './realms.ts';

const at = '2026-11-01T12:00:00.000Z';
const alice: Person = {
  ...{ subject: 'alice', tenant: 'realm', username: 'alice', name: null, email: null, groups: ['admins'] },
  ...{ groupsComplete: true, logoutHint: null, sid: null },
};
let database: OpenDatabase;

beforeEach(async () => {
  database = await openMemory();
  const { db } = database;
  await settleRealms(db, [{ name: 'oidc', realm: 'https://one.example' }], at);
  await rememberPerson(db, 'oidc', alice, at);
  const token = { id: 't', subject: 'alice', username: 'alice', description: '', scopes: '[]' };
  await db
    .insertInto('tokens')
    .values({
      ...{ ...token, provider: 'oidc', created_at: at, expires_at: '2027', last_used_at: null },
      ...{ revoked_at: null, revoked_by: null },
    })
    .execute();
  const times = { created_by: 'admin', created_at: at, updated_at: at };
  await db
    .insertInto('m2m_clients')
    .values({
      ...{ provider: 'oidc', client_id: 'bot', name: 'bot', description: '', groups: '["admins"]' },
      ...{ is_enabled: 1, ...times },
    })
    .execute();
});
afterEach(() => database.close());

test('the same issuer, and another provider, change nothing', async () => {
  const realms = [
    { name: 'oidc', realm: 'https://one.example' },
    { name: 'keycloak', realm: 'https://two.example' },
  ];
  expect(await settleRealms(database.db, realms, at)).toEqual([]);
  expect(await findPerson(database.db, 'oidc', 'alice')).toBeDefined();
});

test('another issuer under the same name ends all that was known of the first one', async () => {
  const { db } = database;
  const changed = await settleRealms(db, [{ name: 'oidc', realm: 'https://two.example' }], at);
  expect(changed).toMatchObject([
    { before: 'https://one.example', after: 'https://two.example', tokens: 1, people: 1, applications: 1 },
  ]);
  expect(await findPerson(db, 'oidc', 'alice')).toBeUndefined();
  expect(await db.selectFrom('tokens').select('revoked_at').execute()).toEqual([{ revoked_at: at }]);
  expect(await findM2mClient(db, 'oidc', 'bot')).toMatchObject({ enabled: false });
  const kinds = await db.selectFrom('changes').select('kind').execute();
  expect(new Set(kinds.map(({ kind }) => kind))).toEqual(new Set(['token', 'person', 'm2m_client']));
  expect(await settleRealms(db, [{ name: 'oidc', realm: 'https://two.example' }], at)).toEqual([]);
});
