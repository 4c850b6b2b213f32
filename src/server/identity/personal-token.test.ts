import { SignJWT } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { followed } from '../changes/feed.test-support.ts';
import type { Feed } from '../changes/feed.ts';
import { type OpenDatabase, openMemory } from '../db/open.ts';
import { revokeToken } from '../registry/tokens/store.ts';
import type { FreshPerson } from './fresh-people.ts';
import { type TokenIdentifier, tokenIdentifier } from './identify.ts';
import type { Identity, Who } from './identity.ts';
import { deriveKey } from './keys.ts';
import { findPerson, rememberPerson } from './people.ts';
import { identityOfPersonalToken, mintToken, type PersonalTokens, scopesOfStored } from './personal-token.ts';

const start = Date.parse('2026-11-01T12:00:00Z');
const settings = {
  issuer: 'mcp-auth-server',
  audience: 'mcp-registry',
  defaultHours: 8,
  maxHours: 24,
  perHour: 100,
};
const alice = {
  subject: 'oid-alice',
  username: 'alice@contoso.example',
  name: 'Alice',
  email: null,
  groups: ['g-admin'],
  groupsComplete: true,
  logoutHint: null,
  tenant: 'tenant',
  sid: null,
};

let now: number;
let database: OpenDatabase;
let feed: Feed;
let world: PersonalTokens;
let identifier: TokenIdentifier;

beforeEach(async () => {
  now = start;
  database = await openMemory();
  feed = await followed(database);
  const key = deriveKey('a'.repeat(40), 'personal-token');
  const { db } = database;
  const freshPerson: FreshPerson = async (provider, subject) =>
    (await findPerson(db, provider, subject))?.known;
  world = { db, key, settings, freshPerson, now: () => now };
  identifier = tokenIdentifier({
    ...{ trusted: [], personal: world, feed, memberships: { forget() {} }, now: () => now },
    completeGroups: async () => [],
    cutoffOf: async () => undefined,
  });
  await rememberPerson(database.db, 'entra', alice, new Date(now).toISOString());
});
afterEach(() => database.close());

const owner: Identity = {
  ...alice,
  kind: 'person',
  provider: 'entra',
  clientId: null,
  method: 'session',
  credentialId: 'session',
  expiresAt: start + 3_600_000,
};
const mint = () => mintToken(world, owner, { scopes: ['read'], hours: 2, description: 'for tests' });
const ask = (token: string): Promise<Who> =>
  Promise.resolve(identifier.identify({ authorization: `Bearer ${token}` }));
const codeOf = (who: Who): string => (who.is === 'identity' ? 'identity' : who.failure.code);

test('a minted token is its owner, limited to the scopes asked for', async () => {
  const { token, id } = await mint();
  const who = await ask(token);
  expect(who.is === 'identity' && who.identity).toMatchObject({
    kind: 'person',
    subject: 'oid-alice',
    groups: ['g-admin'],
    limitedTo: ['read'],
    method: 'personal-token',
    credentialId: id,
  });
});

test('a token made with a token ends with it at the latest', async () => {
  const ends = async (by: Partial<Identity>, hours: number) => {
    const request = { scopes: ['read'], hours, description: '' };
    return Date.parse((await mintToken(world, { ...owner, ...by }, request)).expiresAt) - now;
  };
  const byToken = { method: 'personal-token', expiresAt: now + 5_400_000 } as const;
  expect([await ends(byToken, 24), await ends(byToken, 1)]).toEqual([5_400_000, 3_600_000]);
  expect(await ends({ expiresAt: now + 5_400_000 }, 24)).toBe(24 * 3_600_000);
});

test('the groups are those that the owner has now, not those in the token', async () => {
  const { token } = await mint();
  await ask(token);
  await rememberPerson(database.db, 'entra', { ...alice, groups: [] }, new Date(now).toISOString());
  await feed.caughtUp();
  const who = await ask(token);
  expect(who.is === 'identity' && who.identity.groups).toEqual([]);
});

test('a revoked token is refused on the next request, although it was cached', async () => {
  const { token, id } = await mint();
  expect(codeOf(await ask(token))).toBe('identity');
  await revokeToken(database.db, id, owner, { by: 'alice', at: new Date(now).toISOString() });
  await feed.caughtUp();
  expect(codeOf(await ask(token))).toBe('credential_revoked');
});

test('nobody revokes the token of somebody else', async () => {
  const { token, id } = await mint();
  const mallory = { provider: 'entra', subject: 'oid-mallory' };
  expect(await revokeToken(database.db, id, mallory, { by: 'mallory', at: '' })).toBeUndefined();
  expect(codeOf(await ask(token))).toBe('identity');
});

test('a token ends with its lifetime, cached or not', async () => {
  const { token } = await mint();
  await ask(token);
  now = start + 2 * 3_600_000 + 1000;
  expect(codeOf(await ask(token))).toBe('credential_expired');
});

test('the second look at a token answers at once, from the cache', async () => {
  const { token } = await mint();
  await ask(token);
  expect(identifier.identify({ authorization: `Bearer ${token}` })).not.toBeInstanceOf(Promise);
});

test('X-Authorization goes before Authorization', async () => {
  const { token } = await mint();
  const headers = { 'x-authorization': `Bearer ${token}`, authorization: 'Bearer for-the-server' };
  expect(codeOf(await identifier.identify(headers))).toBe('identity');
});

test.each([
  ['nothing', {}, 'credential_missing'],
  ['Basic', { authorization: 'Basic YTpi' }, 'credential_invalid'],
  ['two headers', { authorization: ['Bearer a', 'Bearer b'] }, 'credential_invalid'],
  ['garbage', { authorization: 'Bearer x' }, 'credential_invalid'],
])('%s is nobody', async (_, headers, code) => {
  expect(codeOf(await identifier.identify(headers))).toBe(code);
});

test.each([
  ['another key', { key: deriveKey('b'.repeat(40), 'personal-token') }],
  ['another purpose', { key: deriveKey('a'.repeat(40), 'csrf') }],
  ['another audience', { audience: 'mcp-internal' }],
  ['another use', { use: 'refresh' }],
  ['no id', { jti: undefined }],
  ['an id that is not stored', { jti: 'made-up' }],
])('a token with %s is refused', async (_, wrong) => {
  const { id } = await mint();
  const given = {
    key: world.key,
    audience: settings.audience,
    use: 'access',
    jti: id as string | undefined,
    ...wrong,
  };
  let jwt = new SignJWT({ token_use: given.use })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(settings.issuer)
    .setAudience(given.audience)
    .setSubject('alice')
    .setExpirationTime(Math.floor(start / 1000) + 60);
  if (given.jti) jwt = jwt.setJti(given.jti);
  expect(codeOf(await ask(await jwt.sign(given.key)))).toBe('credential_invalid');
});

test('a token for all scopes also has those that its owner gets later; a list of scopes is a limit', async () => {
  const ask = { scopes: ['read'], hours: 2, description: '' };
  const whole = await mintToken(world, owner, { ...ask, isWhole: true });
  const limited = await mintToken(world, owner, ask);
  expect((await identityOfPersonalToken(world, whole.token)).limitedTo).toBeUndefined();
  expect((await identityOfPersonalToken(world, limited.token)).limitedTo).toEqual(['read']);
  const rows = await world.db.selectFrom('tokens').select('scopes').execute();
  expect(rows.map(({ scopes }) => scopesOfStored(scopes))).toEqual([['read'], ['read']]);
});
