import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Emulator, shippedTenant, startEmulator } from '../../entra-emulator/main.ts';
import { adminGraph } from '../../entra-emulator/testing/graph.ts';
import { askAgentToken, signInForTokens } from '../../entra-emulator/testing/sign-in.ts';
import {
  ages,
  codeOf,
  entraConfig,
  failureOf,
  groupsOf,
  type IdentityWorld,
  identityWorld,
} from './identity.test-support.ts';
import { entra } from './providers/entra.ts';

const { accounts, agents, groups } = shippedTenant;
let emulator: Emulator;
let world: IdentityWorld;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());
afterEach(async () => {
  emulator.reset();
  await world.database.close();
});

const scope = `openid profile ${shippedTenant.appIdUri}/access_as_user`;
/** An access token for the gateway, as a client gets it that signs somebody in. */
const bearerOf = async (account: { objectId: string }) =>
  String((await signInForTokens(emulator, account, { scope })).access_token);

test('a guest is called in version 1.0 tokens as at home, not by a pairwise subject', async () => {
  world = await identityWorld(emulator);
  const graph = await adminGraph(emulator);
  const id = (await graph('GET', `/applications(appId='${emulator.clientId}')`)).body.id;
  await graph('PATCH', `/applications/${id}`, {
    api: { requestedAccessTokenVersion: null },
    optionalClaims: { accessToken: [] },
  });
  const who = await world.ask(await bearerOf(accounts.guest));
  expect(who.is === 'identity' && who.identity.username).toBe('gus@fabrikam.example');
});

test('people and agents get in with keys of the application’s own (claims mapping)', async () => {
  emulator.faults.add({ kind: 'ownKeys', appId: emulator.clientId });
  world = await identityWorld(emulator);
  expect((await world.signIn(accounts.user)).person.subject).toBe(accounts.user.objectId);
  expect(codeOf(await world.ask(await bearerOf(accounts.user)))).toBe('identity');
  const agent = (await askAgentToken(emulator, agents.user)).body.access_token;
  expect(codeOf(await world.ask(String(agent)))).toBe('identity');
});

/** A session and a personal token whose refresh then meets a code. */
async function meet(code: number) {
  const session = await world.open(accounts.user);
  const token = await world.mint(session);
  emulator.faults.add({ kind: 'aadsts', code, path: 'token', times: 1 });
  emulator.clock.advance(ages.maxAge + 1000);
  return { session, token };
}

test('sign-in frequency ends sessions and tokens, unless a setting leaves the tokens', async () => {
  world = await identityWorld(emulator);
  const strict = await meet(70043);
  expect(codeOf(await world.ask(strict.token))).toBe('credential_revoked');
  expect(await failureOf(world.sessions.resume(strict.session))).toBe('credential_revoked');
  await world.database.close();

  world = await identityWorld(emulator, { tokensOutliveSignIn: true });
  const { session, token } = await meet(70043);
  expect(await failureOf(world.sessions.resume(session))).toBe('credential_revoked');
  expect(groupsOf(await world.ask(token))).toEqual([groups.users]);
  // The directory is asked from now on, so a change there counts.
  const graph = await adminGraph(emulator);
  await graph('DELETE', `/groups/${groups.users}/members/${accounts.user.objectId}/$ref`);
  emulator.clock.advance(ages.maxAge + 1000);
  expect(groupsOf(await world.ask(token))).toEqual([]);
  await graph('PATCH', `/users/${accounts.user.objectId}`, { accountEnabled: false });
  emulator.clock.advance(ages.maxAge + 1000);
  expect(codeOf(await world.ask(token))).toBe('credential_revoked');
});

test('only what is about the age of the sign-in is left out: any other refusal ends the tokens', async () => {
  world = await identityWorld(emulator, { tokensOutliveSignIn: true });
  const { session, token } = await meet(50173);
  expect(await failureOf(world.sessions.resume(session))).toBe('credential_revoked');
  expect(codeOf(await world.ask(token))).toBe('credential_revoked');
});

test('a request that came too often (AADSTS50196) is an outage, for people and for the gateway itself', async () => {
  world = await identityWorld(emulator);
  const { session, token } = await meet(50196);
  expect((await world.sessions.resume(session))?.groups).toEqual([groups.users]);
  expect(groupsOf(await world.ask(token))).toEqual([groups.users]);
  emulator.faults.add({ kind: 'aadsts', code: 50196, path: 'token' });
  const member = { kind: 'person', tenant: emulator.tenantId, subject: accounts.user.objectId } as const;
  const provider = world.trusted[0]!.provider;
  expect(await failureOf(world.memberships.fresh(provider, member))).toBe('groups_unavailable');
});

test('where nobody could decide how Entra ID behaves, the gateway takes the worst (strict emulator)', async () => {
  const strict = await startEmulator({ strict: true });
  world = await identityWorld(strict);
  const guest = await world.signIn(accounts.guest);
  expect(guest.person).toMatchObject({ subject: accounts.guest.objectId, username: 'gus@fabrikam.example' });
  expect((await world.signIn(accounts.manyGroups)).person.groups).toHaveLength(205);
  const { body } = await askAgentToken(strict, agents.admin);
  const who = await world.ask(String(body.access_token));
  expect(groupsOf(who)).toEqual(expect.arrayContaining([groups.admin, 'role:Gateway.Invoke']));
  await strict.close();
});

test('an Application ID URI of one’s own is named wherever a scope or an audience is', async () => {
  world = await identityWorld(emulator);
  const applicationIdUri = 'api://contoso.example/gateway';
  const commandLineClientId = shippedTenant.publicClientId;
  const own = entra({ ...entraConfig(emulator), applicationIdUri, commandLineClientId });
  expect(own.resourceScopes).toEqual([`${applicationIdUri}/.default`]);
  expect(own.commandLine?.scope).toContain(` ${applicationIdUri}/access_as_user`);
  const claims = {
    tid: emulator.tenantId,
    iss: emulator.issuers.v1,
    oid: 'o',
    appid: 'a',
    scp: 'access_as_user',
  };
  const bearer = (aud: string) => own.bearer?.({ ...claims, aud }, { alg: 'RS256' });
  expect(bearer(applicationIdUri)).toMatchObject({ subject: 'o' });
  expect(bearer(`${applicationIdUri}/`)).toMatchObject({ subject: 'o' });
  const remedy = `${applicationIdUri}/.default`;
  expect(() => bearer('api://other')).toThrow(remedy);
  expect(() => bearer('https://graph.microsoft.com')).toThrow(remedy);
});
