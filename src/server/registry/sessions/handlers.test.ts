import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Handlers } from '../../../contract/endpoint.ts';
import type { sessionEndpoints } from '../../../contract/people/sessions.ts';
import { type Emulator, shippedTenant, startEmulator } from '../../../entra-emulator/main.ts';
import { signInForTokens } from '../../../entra-emulator/testing/sign-in.ts';
import type { Access, Caller } from '../../access/caller.ts';
import { compile } from '../../access/grants.ts';
import { holdConnection } from '../../egress/egress.test-support.ts';
import {
  codeOf,
  failureOf,
  groupsOf,
  type IdentityWorld,
  identityWorld,
  limits,
} from '../../identity/identity.test-support.ts';
import type { Identity } from '../../identity/identity.ts';
import { sessionHandlers } from './handlers.ts';

const { accounts, agents, groups } = shippedTenant;
let emulator: Emulator;
let world: IdentityWorld;
let handlers: Handlers<typeof sessionEndpoints, Caller<Identity>>;

beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());
beforeEach(async () => {
  emulator.reset();
  await build(await identityWorld(emulator));
});
afterEach(() => world.database.close());

/** The servers of connections that were deleted. */
let ended: string[] = [];

async function build(made: IdentityWorld): Promise<void> {
  world = made;
  ended = [];
  handlers = sessionHandlers({
    grants: () => compile(new Map()),
    ...{ db: world.database.db, now: world.now, idleSeconds: limits.idleSeconds },
    connectionsEnded: (gone) => void ended.push(...gone.map(({ owner }) => owner.serverId)),
  });
}

async function callerOf(session: string, isAdmin = false): Promise<Caller<Identity>> {
  const identity = await world.sessions.resume(session);
  if (!identity) throw new Error('no session');
  const access = { isAdmin } as Access;
  return { identity, access, correlationId: 'c', note: () => {} };
}
const idOf = async (session: string) => (await world.sessions.resume(session))?.credentialId ?? '';
const list = async (caller: Caller<Identity>, all?: 'true') => {
  const query = all ? { all } : {};
  const answer = await handlers['sessions.list']({ params: {}, query, body: undefined }, caller);
  return (answer as { sessions: { id: string; username: string; is_current: boolean }[] }).sessions;
};
const end = (id: string, caller: Caller<Identity>) =>
  settled(handlers['sessions.end']({ params: { id }, query: {}, body: undefined }, caller));
const endAll = (who: { objectId: string }, caller: Caller<Identity>, revoke_tokens = false) =>
  settled(
    handlers['sessions.endAll'](
      { params: { provider: 'entra', subject: who.objectId }, query: {}, body: { revoke_tokens } },
      caller,
    ),
  );
const settled = <T>(answer: T | Promise<T>): Promise<T> =>
  Promise.resolve(answer).finally(world.feed.caughtUp);

test('people see their own sessions, administrators all of them', async () => {
  const [one, two] = [await world.open(accounts.user), await world.open(accounts.user)];
  const admin = await world.open(accounts.admin);
  const own = await list(await callerOf(two));
  expect(own.map(({ id, is_current }) => [id, is_current])).toEqual(
    expect.arrayContaining([
      [await idOf(one), false],
      [await idOf(two), true],
    ]),
  );
  expect(own).toHaveLength(2);
  expect(await list(await callerOf(admin, true), 'true')).toHaveLength(3);
  expect(await failureOf(list(await callerOf(two), 'true'))).toBe('not_allowed');
  const shown = JSON.stringify(await list(await callerOf(admin, true), 'true'));
  for (const secret of [one, two, admin]) expect(shown).not.toContain(secret);
});

test('a person ends their other session, effective on its next request; nobody ends that of somebody else', async () => {
  const [mine, lost] = [await world.open(accounts.user), await world.open(accounts.user)];
  const other = await world.open(accounts.developer);
  const caller = await callerOf(mine);
  await end(await idOf(lost), caller);
  await expect(world.sessions.resume(lost)).rejects.toThrow('ended by bob@');
  expect(await failureOf(end(await idOf(other), caller))).toBe('not_found');
  expect(await world.sessions.resume(other)).toBeDefined();
  await end(await idOf(other), await callerOf(mine, true));
  expect(await failureOf(world.sessions.resume(other))).toBe('credential_revoked');
});

test('an administrator ends every session of a person and their tokens, effective on the next request', async () => {
  const admin = await callerOf(await world.open(accounts.admin), true);
  const [one, two] = [await world.open(accounts.user), await world.open(accounts.user)];
  const token = await world.mint(one);
  expect(codeOf(await world.ask(token))).toBe('identity');
  expect(await endAll(accounts.user, admin, true)).toEqual({ sessions_ended: 2, tokens_revoked: 1 });
  for (const session of [one, two])
    expect(await failureOf(world.sessions.resume(session))).toBe('credential_revoked');
  expect(codeOf(await world.ask(token))).toBe('credential_revoked');
  expect(await failureOf(endAll(accounts.developer, admin))).toBe('not_found');
});

test('with all sessions of a person end the credentials that they have at servers, and no other', async () => {
  const admin = await callerOf(await world.open(accounts.admin), true);
  await world.open(accounts.user);
  const { db } = world.database;
  await holdConnection(db, accounts.user.objectId, 's1');
  await holdConnection(db, accounts.admin.objectId, 's2');
  await endAll(accounts.user, admin);
  expect(ended).toEqual(['s1']);
  expect(await db.selectFrom('connections').select('server_id').execute()).toEqual([{ server_id: 's2' }]);
});

test('tokens that are not revoked have to prove their groups anew', async () => {
  const admin = await callerOf(await world.open(accounts.admin), true);
  const token = await world.mint(await world.open(accounts.user));
  expect(codeOf(await world.ask(token))).toBe('identity');
  const sent = world.sent.length;
  await endAll(accounts.user, admin);
  expect(groupsOf(await world.ask(token))).toEqual([groups.users]);
  expect(world.sent.slice(sent).join()).toContain(`/users/${accounts.user.objectId}/getMemberObjects`);
});

test('the provider’s own access tokens of that person end with the sessions', async () => {
  const admin = await callerOf(await world.open(accounts.admin), true);
  await world.open(accounts.user);
  const scope = `openid profile ${shippedTenant.appIdUri}/access_as_user`;
  const tokenOf = async () =>
    String((await signInForTokens(emulator, accounts.user, { scope })).access_token);
  const token = await tokenOf();
  expect(codeOf(await world.ask(token))).toBe('identity');
  await endAll(accounts.user, admin);
  expect(codeOf(await world.ask(token))).toBe('credential_revoked');
  // Entra ID dates its tokens five minutes back.
  emulator.clock.advance(301_000);
  expect(codeOf(await world.ask(await tokenOf()))).toBe('identity');
  expect(codeOf(await world.ask(token))).toBe('credential_revoked');
});

test('where nobody can prove them, such tokens wait for the next sign-in', async () => {
  await world.database.close();
  const { clientId, clientSecret } = agents.stray;
  await build(await identityWorld(emulator, { graph: { clientId, clientSecret } }));
  const admin = await callerOf(await world.open(accounts.admin), true);
  const token = await world.mint(await world.open(accounts.user));
  await endAll(accounts.user, admin);
  expect(codeOf(await world.ask(token))).toBe('groups_stale');
  await world.open(accounts.user);
  expect(codeOf(await world.ask(token))).toBe('identity');
});
