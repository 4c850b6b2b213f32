import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Emulator, shippedTenant, startEmulator } from '../../../entra-emulator/main.ts';
import { adminGraph, type Client } from '../../../entra-emulator/testing/graph.ts';
import {
  ages,
  codeOf,
  failureOf,
  groupsOf,
  type IdentityWorld,
  identityWorld,
  limits,
} from '../identity.test-support.ts';

const { accounts, agents, groups } = shippedTenant;
let emulator: Emulator;
let world: IdentityWorld;
let graph: Client;

beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());
beforeEach(async () => {
  emulator.reset();
  world = await identityWorld(emulator);
  graph = await adminGraph(emulator);
});
afterEach(() => world.database.close());

const refreshes = () => world.sent.filter((line) => line.endsWith('/oauth2/v2.0/token')).length;
const advance = (milliseconds: number) => emulator.clock.advance(milliseconds);
const removeAdmin = () => graph('DELETE', `/groups/${groups.admin}/members/${accounts.admin.objectId}/$ref`);
const disable = (who: { objectId: string }) =>
  graph('PATCH', `/users/${who.objectId}`, { accountEnabled: false });
const groupsIn = async (session: string) => (await world.sessions.resume(session))?.groups;
const endOf = (session: string) => failureOf(world.sessions.resume(session));

/** Ends every way to read groups without the person but what the gateway's own token may. */
async function withoutGraphRights(): Promise<void> {
  await world.database.close();
  const { clientId, clientSecret } = agents.stray;
  world = await identityWorld(emulator, { graph: { clientId, clientSecret } });
}

test('a session has the groups of the sign-in, without asking again while they are fresh', async () => {
  const session = await world.open(accounts.admin);
  const before = world.sent.length;
  advance(ages.maxAge - 1000);
  expect(await groupsIn(session)).toEqual([groups.admin]);
  expect(world.sent.length).toBe(before);
});

test('somebody removed from a group loses it within the refresh time, in sessions and personal tokens', async () => {
  const session = await world.open(accounts.admin);
  const token = await world.mint(session);
  expect(groupsOf(await world.ask(token))).toEqual([groups.admin]);
  await removeAdmin();
  advance(ages.maxAge);
  expect(await groupsIn(session)).toEqual([]);
  expect(groupsOf(await world.ask(token))).toEqual([]);
});

test('groups that somebody got at the provider are told, with those of before', async () => {
  const session = await world.open(accounts.user);
  const had = (await groupsIn(session)) ?? [];
  await graph('POST', `/groups/${groups.admin}/members/$ref`, {
    '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${accounts.user.objectId}`,
  });
  advance(ages.maxAge + 1000);
  await groupsIn(session);
  await world.open(accounts.user);
  const sorted = world.seen.map((told) => told.map((names) => [...names].sort()));
  const both = [...had, groups.admin].sort();
  expect(sorted).toEqual([
    [[], had],
    [had, both],
    [both, both],
  ]);
});

test('many requests at once cause one refresh, and the new refresh token is kept', async () => {
  const session = await world.open(accounts.manyGroups);
  const before = refreshes();
  const stored = () =>
    world.database.db.selectFrom('people').select('refresh_sealed').executeTakeFirstOrThrow();
  const first = await stored();
  advance(ages.maxAge);
  const answers = await Promise.all(Array.from({ length: 20 }, () => groupsIn(session)));
  for (const found of answers) expect(found).toHaveLength(205);
  expect(refreshes() - before).toBe(1);
  expect(await stored()).not.toEqual(first);
  advance(ages.maxAge);
  expect(await groupsIn(session)).toHaveLength(205);
});

test('a refresh token is stored encrypted, and reaches no identity', async () => {
  const { person, refreshToken } = await world.signIn(accounts.admin);
  const session = await world.sessions.open('entra', person, refreshToken);
  const dump = JSON.stringify(await world.database.db.selectFrom('people').selectAll().execute());
  expect(refreshToken).toBeTruthy();
  expect(dump).not.toContain(refreshToken);
  expect(Object.keys((await world.sessions.resume(session)) ?? {}).join()).not.toMatch(/refresh|refused/);
});

test('a disabled account ends its sessions and personal tokens with the reason; signing in anew mends both', async () => {
  const session = await world.open(accounts.admin);
  const other = await world.open(accounts.admin);
  const token = await world.mint(session);
  await disable(accounts.admin);
  advance(ages.maxAge);
  expect(await endOf(session)).toBe('credential_revoked');
  await expect(world.sessions.resume(other)).rejects.toThrow(/AADSTS50(057|173)/);
  expect(codeOf(await world.ask(token))).toBe('credential_revoked');
  await graph('PATCH', `/users/${accounts.admin.objectId}`, { accountEnabled: true });
  const fresh = await world.open(accounts.admin);
  expect(await groupsIn(fresh)).toEqual([groups.admin]);
  expect(await endOf(session)).toBe('credential_revoked');
  expect(groupsOf(await world.ask(token))).toEqual([groups.admin]);
});

test('sessions revoked at the provider end here', async () => {
  const session = await world.open(accounts.user);
  advance(1000);
  await graph('POST', `/users/${accounts.user.objectId}/revokeSignInSessions`);
  advance(ages.maxAge);
  expect(await endOf(session)).toBe('credential_revoked');
});

test('a provider outage signs nobody out: the grace first, then "could not tell"', async () => {
  const session = await world.open(accounts.admin);
  const token = await world.mint(session);
  emulator.faults.add({ kind: 'status', status: 503, path: '/oauth2/v2.0/token' });
  advance(ages.maxAge);
  const before = refreshes();
  for (let tries = 0; tries < 5; tries++) expect(await groupsIn(session)).toEqual([groups.admin]);
  expect(groupsOf(await world.ask(token))).toEqual([groups.admin]);
  expect(refreshes() - before).toBe(1);
  advance(ages.grace);
  expect(await endOf(session)).toBe('identity_unavailable');
  expect(codeOf(await world.ask(token))).toBe('identity_unavailable');
  emulator.faults.clear();
  advance(10_000);
  expect(await groupsIn(session)).toEqual([groups.admin]);
});

test("an expired secret of the gateway's own signs nobody out, and is logged", async () => {
  const session = await world.open(accounts.admin);
  emulator.faults.add({ kind: 'aadsts', code: 7000222, path: 'token' });
  advance(ages.maxAge);
  expect(await groupsIn(session)).toEqual([groups.admin]);
  expect(world.logged).toHaveLength(1);
});

test('a claims challenge ends the session, and the next sign-in asks for the claims', async () => {
  const session = await world.open(accounts.admin);
  const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
  emulator.faults.add({ kind: 'aadsts', code: 50076, claims, path: 'token', times: 1 });
  advance(ages.maxAge);
  expect(await endOf(session)).toBe('sign_in_again');
  expect(await endOf(session)).toBe('credential_revoked');
  expect(await world.sessions.claimsOf('entra', session)).toBe(claims);
  const begun = await world.login.begin('entra', '/', { claims });
  expect(begun.url.searchParams.get('claims')).toBe(claims);
});

test('a claims challenge during sign-in leads to one more sign-in with the claims, not to a circle', async () => {
  const fault = { kind: 'aadsts', code: 50076, claims: '{"c":1}', path: 'token', times: 1 };
  emulator.faults.add(fault);
  await expect(world.signIn(accounts.admin)).rejects.toMatchObject({
    claims: '{"c":1}',
    next: { provider: 'entra', returnTo: '/' },
  });
  emulator.faults.add(fault);
  expect(await failureOf(world.signIn(accounts.admin, '{"c":1}'))).toBe('sign_in_refused');
});

test('after sign-out a personal token follows the groups by the last refresh token', async () => {
  const session = await world.open(accounts.admin);
  const token = await world.mint(session);
  await world.sessions.end((await world.sessions.resume(session))?.credentialId ?? '');
  await removeAdmin();
  advance(ages.maxAge);
  expect(groupsOf(await world.ask(token))).toEqual([]);
});

test('sign-out without personal tokens leaves no refresh token behind', async () => {
  const session = await world.open(accounts.admin);
  await world.sessions.end((await world.sessions.resume(session))?.credentialId ?? '');
  const row = await world.database.db.selectFrom('people').select('refresh_sealed').executeTakeFirstOrThrow();
  expect(row.refresh_sealed).toBeNull();
});

async function dropRefreshToken(): Promise<void> {
  await world.database.db.updateTable('people').set({ refresh_sealed: null }).execute();
}

test("without a refresh token the gateway's own Graph token reads the groups", async () => {
  const token = await world.mint(await world.open(accounts.admin));
  await dropRefreshToken();
  await removeAdmin();
  advance(ages.maxAge);
  expect(groupsOf(await world.ask(token))).toEqual([]);
  await disable(accounts.admin);
  advance(ages.maxAge);
  expect(codeOf(await world.ask(token))).toBe('credential_revoked');
});

test('groups that nobody can read any more are believed for a bounded time, then refused with words', async () => {
  await withoutGraphRights();
  const session = await world.open(accounts.admin);
  const token = await world.mint(session);
  await dropRefreshToken();
  advance(ages.maxAge + ages.grace - 1000);
  expect(groupsOf(await world.ask(token))).toEqual([groups.admin]);
  advance(61_000);
  expect(codeOf(await world.ask(token))).toBe('groups_stale');
  expect(await endOf(session)).toBe('groups_stale');
});

test('a session ends when it is not used, and after its lifetime however it is used', async () => {
  const idle = await world.open(accounts.user);
  advance(limits.idleSeconds * 1000 + 1000);
  expect(await endOf(idle)).toBe('credential_expired');
  const used = await world.open(accounts.user);
  for (let hours = 1; hours < 8; hours++) {
    advance(3_600_000);
    expect(await groupsIn(used)).toEqual([groups.users]);
  }
  advance(3_600_000);
  expect(await world.sessions.resume(used)).toBeUndefined();
});
