import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Emulator, shippedTenant, startEmulator } from '../../../entra-emulator/main.ts';
import { adminGraph } from '../../../entra-emulator/testing/graph.ts';
import { askAgentToken, signInForTokens } from '../../../entra-emulator/testing/sign-in.ts';
import {
  ages,
  codeOf,
  failureOf,
  groupsOf,
  type IdentityWorld,
  identityWorld,
} from '../identity.test-support.ts';

const { accounts, agents, groups } = shippedTenant;
let emulator: Emulator;
let world: IdentityWorld;

beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());
beforeEach(async () => {
  emulator.reset();
  world = await identityWorld(emulator);
});
afterEach(() => world.database.close());

const graphCalls = () => world.sent.filter((line) => line.includes('/graph/'));
const manyGroupsId = accounts.manyGroups.objectId;

/** A person's access token for the gateway. */
async function userToken(account: { objectId: string }): Promise<string> {
  const scope = `openid profile ${shippedTenant.appIdUri}/access_as_user`;
  return String((await signInForTokens(emulator, account, { scope })).access_token);
}
async function agentToken(agent: { clientId: string; clientSecret: string }): Promise<string> {
  return String((await askAgentToken(emulator, agent)).body.access_token);
}

/** Graph asks for more patience than anybody has, so it is not asked again: the test need not wait. */
const atOnce = { retryAfterSeconds: 60 };

test('somebody in 205 groups signs in with all of them', async () => {
  const { person } = await world.signIn(accounts.manyGroups);
  expect(person.groupsComplete).toBe(true);
  expect(person.groups).toHaveLength(205);
  expect(person.groups).toContain(groups.users);
  expect(graphCalls()).toEqual(['POST /graph/v1.0/me/getMemberObjects']);
});

test("the same person's bearer token has all groups, read once for many calls at a time", async () => {
  const [one, two] = [await userToken(accounts.manyGroups), await userToken(accounts.manyGroups)];
  const answers = await Promise.all([one, two, one, two].map((token) => world.ask(token)));
  for (const who of answers) expect(groupsOf(who)).toHaveLength(205);
  expect(graphCalls().filter((line) => line.startsWith('POST'))).toEqual([
    `POST /graph/v1.0/users/${manyGroupsId}/getMemberObjects`,
  ]);
});

test('with Graph failing, sign-in and bearer token get a specific error', async () => {
  emulator.faults.add({ kind: 'status', status: 503, path: '/graph/', ...atOnce });
  expect(await failureOf(world.signIn(accounts.manyGroups))).toBe('groups_unavailable');
  expect(codeOf(await world.ask(await userToken(accounts.manyGroups)))).toBe('groups_unavailable');
});

test('an outage is asked about again only after a pause', async () => {
  emulator.faults.add({ kind: 'throttle', path: '/getMemberObjects' });
  const token = await userToken(accounts.manyGroups);
  for (let tries = 0; tries < 5; tries++) expect(codeOf(await world.ask(token))).toBe('groups_unavailable');
  expect(graphCalls().filter((line) => line.startsWith('POST'))).toHaveLength(1);
  emulator.faults.clear();
  emulator.clock.advance(10_000);
  expect(groupsOf(await world.ask(token))).toHaveLength(205);
});

test("nobody gets somebody else's groups, whatever is cached and whatever fails", async () => {
  expect(groupsOf(await world.ask(await userToken(accounts.manyGroups)))).toHaveLength(205);
  emulator.faults.add({ kind: 'overageThreshold', groups: 0 });
  const admin = await userToken(accounts.admin);
  expect(groupsOf(await world.ask(admin))).toEqual([groups.admin]);
  emulator.faults.add({ kind: 'status', status: 500, path: '/graph/', ...atOnce });
  expect(codeOf(await world.ask(await userToken(accounts.user)))).toBe('groups_unavailable');
});

test('groups read before an outage go on for the time of grace and no longer', async () => {
  const longLived = { nbf: 0, iat: 0, exp: Math.floor(world.now() / 1000) + 86_400 };
  const claims = JSON.parse(
    Buffer.from((await userToken(accounts.manyGroups)).split('.')[1]!, 'base64url').toString(),
  ) as Record<string, unknown>;
  const token = await emulator.sign({ ...claims, ...longLived });
  expect(groupsOf(await world.ask(token))).toHaveLength(205);
  emulator.faults.add({ kind: 'status', status: 503, path: '/graph/', ...atOnce });
  emulator.clock.advance(ages.maxAge + 1000);
  expect(groupsOf(await world.ask(token))).toHaveLength(205);
  emulator.clock.advance(ages.grace);
  expect(codeOf(await world.ask(token))).toBe('groups_unavailable');
});

test('without the permission the refusal names it', async () => {
  await world.database.close();
  const graph = { clientId: agents.stray.clientId, clientSecret: agents.stray.clientSecret };
  world = await identityWorld(emulator, { graph });
  const who = await world.ask(await userToken(accounts.manyGroups));
  expect(codeOf(who)).toBe('groups_incomplete');
  expect(who.is !== 'identity' && who.failure.message).toContain('User.Read.All');
});

test("another host's next page is not asked: the token stays here", async () => {
  const { readGraphGroups } = await import('../../provider/entra-graph.ts');
  const asked: string[] = [];
  const send = async (url: string | URL): Promise<Response> => {
    asked.push(String(url));
    return Response.json({ value: ['g1'], '@odata.nextLink': 'https://evil.example/next' });
  };
  expect(await failureOf(readGraphGroups('https://graph.example', 'self', 't', send))).toBe(
    'groups_unavailable',
  );
  expect(asked).toEqual(['https://graph.example/v1.0/me/getMemberObjects']);
});

test('pages are followed to the end, and endless ones are not', async () => {
  const { readGraphGroups } = await import('../../provider/entra-graph.ts');
  const paged = (pages: number) => {
    let count = 0;
    return async (): Promise<Response> => {
      count += 1;
      const more = count < pages ? { '@odata.nextLink': 'https://graph.example/v1.0/next' } : {};
      return Response.json({ value: [`g${count}`], ...more });
    };
  };
  expect(await readGraphGroups('https://graph.example', 'self', 't', paged(3))).toEqual(['g1', 'g2', 'g3']);
  expect(await failureOf(readGraphGroups('https://graph.example', 'self', 't', paged(1000)))).toBe(
    'groups_unavailable',
  );
});

test('a disabled or deleted account is refused, whatever groups it has left', async () => {
  const token = await userToken(accounts.manyGroups);
  const graph = await adminGraph(emulator);
  await graph('PATCH', `/users/${manyGroupsId}`, { accountEnabled: false });
  expect(codeOf(await world.ask(token))).toBe('credential_revoked');
  await graph('DELETE', `/users/${manyGroupsId}`);
  emulator.clock.advance(61_000);
  expect(codeOf(await world.ask(token))).toBe('credential_revoked');
});

test('an agent whose token lists no groups gets them from Graph', async () => {
  emulator.faults.add({ kind: 'dropGroups' });
  expect(groupsOf(await world.ask(await agentToken(agents.developer)))).toEqual([
    'role:Gateway.Invoke',
    groups.developers,
  ]);
  expect(graphCalls()).toContain(
    `POST /graph/v1.0/servicePrincipals/${agents.developer.objectId}/getMemberObjects`,
  );
});

async function storeClient(clientId: string, isEnabled = 1, source = 'manual'): Promise<void> {
  const at = new Date(world.now()).toISOString();
  await world.database.db
    .insertInto('m2m_clients')
    .values({
      ...{ provider: 'entra', client_id: clientId, name: 'n', description: '', groups: '["local"]' },
      ...{ is_enabled: isEnabled, source, created_by: 'admin', created_at: at, updated_at: at },
    })
    .execute();
}

test('an agent in no group at the provider gets those of our own table', async () => {
  await storeClient(agents.stray.clientId);
  expect(groupsOf(await world.ask(await agentToken(agents.stray)))).toEqual(['local']);
});

test('our own table never serves people, and one can switch an agent off there', async () => {
  await storeClient(emulator.clientId);
  expect(groupsOf(await world.ask(await userToken(accounts.noGroup)))).toEqual([]);
  await storeClient(agents.admin.clientId, 0);
  expect(codeOf(await world.ask(await agentToken(agents.admin)))).toBe('client_refused');
});

test('the copy of an account in the directory gives no groups: what the directory says is all', async () => {
  emulator.faults.add({ kind: 'dropGroups' });
  const graph = await adminGraph(emulator);
  await graph('DELETE', `/groups/${groups.admin}/members/${agents.admin.objectId}/$ref`);
  await storeClient(agents.admin.clientId, 1, 'entra');
  expect(groupsOf(await world.ask(await agentToken(agents.admin)))).toEqual(['role:Gateway.Invoke']);
  emulator.faults.add({ kind: 'status', status: 503, path: '/graph/', ...atOnce });
  await storeClient(agents.developer.clientId, 1, 'entra');
  expect(codeOf(await world.ask(await agentToken(agents.developer)))).toBe('groups_unavailable');
});

test('a copy can still switch its account off, and says nothing for one without a way to its groups', async () => {
  await storeClient(agents.admin.clientId, 0, 'entra');
  expect(codeOf(await world.ask(await agentToken(agents.admin)))).toBe('client_refused');
  await storeClient(agents.stray.clientId, 1, 'keycloak');
  expect(groupsOf(await world.ask(await agentToken(agents.stray)))).toEqual([]);
});

test('while Graph is away our own table answers; without a row it is "could not tell"', async () => {
  emulator.faults.add({ kind: 'dropGroups' });
  emulator.faults.add({ kind: 'status', status: 503, path: '/graph/', ...atOnce });
  await storeClient(agents.admin.clientId);
  expect(groupsOf(await world.ask(await agentToken(agents.admin)))).toEqual(['role:Gateway.Invoke', 'local']);
  expect(codeOf(await world.ask(await agentToken(agents.developer)))).toBe('groups_unavailable');
});

test('an agent removed from a group loses it within the refresh time', async () => {
  emulator.faults.add({ kind: 'dropGroups' });
  const token = await agentToken(agents.admin);
  expect(groupsOf(await world.ask(token))).toContain(groups.admin);
  const graph = await adminGraph(emulator);
  await graph('DELETE', `/groups/${groups.admin}/members/${agents.admin.objectId}/$ref`);
  emulator.clock.advance(ages.maxAge);
  expect(groupsOf(await world.ask(token))).toEqual(['role:Gateway.Invoke']);
});

test('applications can be asked for an app role, or be named', async () => {
  await world.database.close();
  const stray = agents.stray.clientId;
  world = await identityWorld(emulator, { requiredAppRoles: ['Gateway.Invoke'] });
  expect(codeOf(await world.ask(await agentToken(agents.user)))).toBe('identity');
  expect(codeOf(await world.ask(await agentToken(agents.stray)))).toBe('client_refused');
  expect(codeOf(await world.ask(await userToken(accounts.user)))).toBe('identity');
  await world.database.close();
  world = await identityWorld(emulator, { allowedClientIds: [stray] });
  expect(codeOf(await world.ask(await agentToken(agents.stray)))).toBe('identity');
  expect(codeOf(await world.ask(await agentToken(agents.user)))).toBe('client_refused');
});

test('tokens of another tenant are accepted only when it is named', async () => {
  const { tenantId } = shippedTenant.other;
  const claims = JSON.parse(
    Buffer.from((await agentToken(agents.user)).split('.')[1]!, 'base64url').toString(),
  ) as Record<string, unknown>;
  const iss = `${emulator.origin}/${tenantId}/v2.0`;
  const foreign = await emulator.sign({ ...claims, tid: tenantId, iss });
  const mixed = await emulator.sign({ ...claims, tid: tenantId });
  expect(codeOf(await world.ask(foreign))).toBe('credential_invalid');
  await world.database.close();
  world = await identityWorld(emulator, { allowedTenants: [tenantId] });
  expect(codeOf(await world.ask(foreign))).toBe('identity');
  expect(codeOf(await world.ask(mixed))).toBe('credential_invalid');
});

test('a further audience is one of ours when it is named', async () => {
  const claims = JSON.parse(
    Buffer.from((await agentToken(agents.user)).split('.')[1]!, 'base64url').toString(),
  ) as Record<string, unknown>;
  const token = await emulator.sign({ ...claims, aud: 'https://gateway.contoso.example/' });
  expect(codeOf(await world.ask(token))).toBe('credential_invalid');
  await world.database.close();
  world = await identityWorld(emulator, { audiences: ['https://gateway.contoso.example'] });
  expect(codeOf(await world.ask(token))).toBe('identity');
});

test('an emergency key roll needs no restart', async () => {
  expect(codeOf(await world.ask(await agentToken(agents.user)))).toBe('identity');
  await emulator.rollKeys('emergency');
  expect(codeOf(await world.ask(await agentToken(agents.user)))).toBe('identity');
});

test('while the key set is away, known keys go on and unknown ones are "could not tell"', async () => {
  const known = await agentToken(agents.user);
  expect(codeOf(await world.ask(known))).toBe('identity');
  emulator.faults.add({ kind: 'jwksOutage' });
  expect(codeOf(await world.ask(await agentToken(agents.developer)))).toBe('identity');
  await emulator.rollKeys('emergency');
  expect(codeOf(await world.ask(await agentToken(agents.admin)))).toBe('identity_unavailable');
});

test("a Graph token of the gateway's own that was revoked is replaced", async () => {
  emulator.faults.add({ kind: 'claimsChallenge', times: 1 });
  const token = await userToken(accounts.manyGroups);
  expect(codeOf(await world.ask(token))).toBe('groups_unavailable');
  const asked = () => world.sent.filter((line) => line.endsWith('/oauth2/v2.0/token')).length;
  const before = asked();
  emulator.clock.advance(10_000);
  expect(groupsOf(await world.ask(token))).toHaveLength(205);
  expect(asked() - before).toBe(1);
});
