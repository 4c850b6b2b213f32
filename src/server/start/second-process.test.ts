import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely } from 'kysely';
import { afterEach, expect, test } from 'vitest';
import { serverInput } from '../../contract/servers/servers.ts';
import { accessOf } from '../access/grants.ts';
import { followed } from '../changes/feed.test-support.ts';
import { openDatabase } from '../db/open.ts';
import { fileIn, openFile } from '../db/sqlite/file.ts';
import { nodeSqliteDialect } from '../db/sqlite/node-sqlite.ts';
import type { Db, Tables } from '../db/tables.ts';
import { tokenIdentifier } from '../identity/identify.ts';
import type { Identity } from '../identity/identity.ts';
import { deriveKey } from '../identity/keys.ts';
import { findPerson, rememberPerson } from '../identity/people.ts';
import { mintToken, type PersonalTokens } from '../identity/personal-token.ts';
import { putScope } from '../registry/scopes/store.ts';
import { startScopes } from '../registry/scopes/watch.ts';
import { startRoutes } from '../registry/servers/routes.ts';
import { insert, remove, setEnabled } from '../registry/servers/store.ts';
import { revokeToken } from '../registry/tokens/store.ts';

const at = '2026-01-01T00:00:00.000Z';
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** What one process keeps in memory of a database. */
async function processOn(db: Db, file: string) {
  const feed = await followed({ db, hint: () => () => {} });
  const log = { info() {}, warn() {}, error() {} };
  const scopes = await startScopes({ db, feed, file, log, now: Date.now, after: () => () => {} });
  const routes = await startRoutes({ db, feed, credentialsOf: () => null });
  const personal: PersonalTokens = {
    ...{ db, key: deriveKey('a'.repeat(40), 'personal-token'), now: Date.now },
    settings: { issuer: 'own', audience: 'own', defaultHours: 1, maxHours: 1, perHour: 9 },
    freshPerson: async (provider, subject) => (await findPerson(db, provider, subject))?.known,
  };
  const tokens = tokenIdentifier({
    ...{
      trusted: [],
      cutoffOf: async () => undefined,
      personal,
      feed,
      memberships: { forget() {} },
      now: Date.now,
    },
    completeGroups: async () => [],
  });
  ends.push(() => feed.close(), scopes.close);
  return {
    ...{ feed, personal },
    async sees(token: string) {
      await feed.caughtUp();
      const who = await tokens.identify({ authorization: `Bearer ${token}` });
      const groups = who.is === 'identity' ? who.identity.groups : [];
      return {
        who: who.is === 'identity' ? who.identity.username : who.failure.code,
        ...{ groups, scopes: accessOf({ groups }, scopes.grants()).scopes },
        enabled: routes.find('a')?.enabled,
      };
    },
  };
}

test('what one process changes, every cache of another process on the same database sees', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gateway-two-'));
  ends.push(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'scopes.yml');
  writeFileSync(file, 'admins: []\ngroup_mappings: { admins: [admins] }');
  const { db, close } = await openDatabase(directory);
  ends.push(close);
  const other = new Kysely<Tables>({ dialect: nodeSqliteDialect(openFile(fileIn(directory))) });
  ends.push(() => other.destroy());
  const [here, there] = [await processOn(db, file), await processOn(other, file)];

  const person = {
    subject: 's',
    username: 'alice',
    name: null,
    email: null,
    tenant: 't',
    logoutHint: null,
    sid: null,
    groupsComplete: true,
  };
  const owner = { ...person, provider: 'entra', groups: ['g'], kind: 'person' } as unknown as Identity;
  await rememberPerson(db, 'entra', { ...person, groups: ['g'] }, at);
  const minted = await mintToken(here.personal, owner, { scopes: ['s'], hours: 1, description: '' });
  const both = async () => [await here.sees(minted.token), await there.sees(minted.token)];
  const agree = async (expected: object) => {
    for (const seen of await both()) expect(seen).toMatchObject(expected);
  };

  await agree({ who: 'alice', groups: ['g'], scopes: [], enabled: undefined });
  const scope = { name: 's', serverRules: [], agentRules: [], uiPermissions: {}, groupMappings: ['g'] };
  await putScope(db, { scope: { description: '', ...scope }, idpGroupId: null }, at);
  await agree({ scopes: ['s'] });
  const definition = serverInput.parse({ server_name: 'a', path: '/a', proxy_pass_url: 'http://h' });
  await insert(db, { id: 'a', definition, isEnabled: true, registeredBy: 'alice', registeredAt: at });
  await agree({ enabled: true });
  await setEnabled(other, '/a', { enabled: false, at });
  await agree({ enabled: false });
  await remove(db, '/a', 2);
  await agree({ enabled: undefined });
  await rememberPerson(other, 'entra', { ...person, groups: ['h'] }, at);
  await agree({ groups: ['h'], scopes: [] });
  await revokeToken(db, minted.id, null, { by: 'admin', at });
  await agree({ who: 'credential_revoked' });
});
