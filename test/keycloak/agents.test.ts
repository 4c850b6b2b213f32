import { afterAll, beforeAll, expect, test } from 'vitest';
import { admin, clientToken } from './admin.ts';
import { listTools, type RealmGateway, startRealmGateway, startUpstream } from './gateway.ts';
import { makeAgent } from './realm.ts';

const realm = 'agents';
let gateway: RealmGateway;
let upstream: Awaited<ReturnType<typeof startUpstream>>;

beforeAll(async () => {
  [gateway, upstream] = await Promise.all([startRealmGateway(realm), startUpstream()]);
  const operator = await makeAgent(realm, 'operator', { groups: [gateway.realm.groups.admins] });
  const answer = await fetch(`${gateway.url}/api/servers`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await clientToken(realm, operator)}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      ...{ server_name: 'Upstream', path: '/upstream', proxy_pass_url: upstream.url, is_enabled: true },
    }),
  });
  expect(answer.status, await answer.text()).toBe(201);
});
afterAll(async () => {
  upstream?.close();
  await gateway?.close();
});

test("an agent's token by client credentials is accepted with the groups of its service account", async () => {
  const agent = await makeAgent(realm, 'reader', { groups: [gateway.realm.groups.users] });
  const token = await clientToken(realm, agent);
  const answer = await listTools(gateway, token);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ result: { tools: [{ name: 'look' }] } });
  const me = await fetch(`${gateway.url}/api/auth/me`, { headers: { authorization: `Bearer ${token}` } });
  expect(await me.json()).toMatchObject({ username: 'reader', groups: ['mcp-users'], provider: 'keycloak' });
});

test('an agent in no mapped group is known, and may nothing', async () => {
  const { id } = await admin('POST', `/${realm}/groups`, { name: 'others' });
  const agent = await makeAgent(realm, 'other', { groups: [id] });
  expect((await listTools(gateway, await clientToken(realm, agent))).status).toBe(403);
});

test('a token for another audience is refused, and the refusal says which mapper is missing', async () => {
  const agent = await makeAgent(realm, 'foreign', {
    ...{ groups: [gateway.realm.groups.users], withScope: false },
  });
  const answer = await listTools(gateway, await clientToken(realm, agent));
  expect(answer.status).toBe(401);
  expect(await answer.text()).toMatch(
    /audience \(aud\) is not mcp-gateway-web.*audience mapper.*client foreign/,
  );
});

test('a token of another realm is refused', async () => {
  await admin('POST', '', { realm: 'elsewhere', enabled: true });
  const agent = await makeAgent('elsewhere', 'reader', { groups: [], withScope: false });
  expect((await listTools(gateway, await clientToken('elsewhere', agent))).status).toBe(401);
});

test('an agent that is taken out of its group loses what it gave with its next token', async () => {
  const { users } = gateway.realm.groups;
  const { id: other } = await admin('POST', `/${realm}/groups`, { name: 'nothing' });
  const agent = await makeAgent(realm, 'leaver', { groups: [users, other] });
  expect((await listTools(gateway, await clientToken(realm, agent))).status).toBe(200);
  await admin('DELETE', `/${realm}/users/${agent.accountId}/groups/${users}`);
  expect((await listTools(gateway, await clientToken(realm, agent))).status).toBe(403);
});

test('a new key of the realm is found without a restart', async () => {
  const agent = await makeAgent(realm, 'rotated', { groups: [gateway.realm.groups.users] });
  const before = await clientToken(realm, agent);
  expect((await listTools(gateway, before)).status).toBe(200);
  const { body: found } = await admin('GET', `/${realm}`);
  await admin('POST', `/${realm}/components`, {
    ...{ name: 'newer', providerId: 'rsa-generated', providerType: 'org.keycloak.keys.KeyProvider' },
    ...{ parentId: found.id, config: { priority: ['1000'], algorithm: ['RS256'], keySize: ['2048'] } },
  });
  const after = await clientToken(realm, agent);
  expect(keyOf(after)).not.toBe(keyOf(before));
  for (const token of [after, before]) expect((await listTools(gateway, token)).status).toBe(200);
});

function keyOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid;
}
