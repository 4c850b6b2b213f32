import { afterAll, beforeAll, expect, test } from 'vitest';
import { admin, clientToken } from './admin.ts';
import { listTools, type RealmGateway, startRealmGateway, startUpstream } from './gateway.ts';
import { makeAdministrator, makeAgent } from './realm.ts';

const realm = 'directory';
let gateway: RealmGateway;
let upstream: Awaited<ReturnType<typeof startUpstream>>;
let operator: Awaited<ReturnType<typeof makeAgent>>;

beforeAll(async () => {
  [gateway, upstream] = await Promise.all([
    startRealmGateway(realm, async () => {
      const { clientId, clientSecret } = await makeAdministrator(realm, ['manage-users', 'manage-clients']);
      return { KEYCLOAK_ADMIN_CLIENT_ID: clientId, KEYCLOAK_ADMIN_CLIENT_SECRET: clientSecret };
    }),
    startUpstream(),
  ]);
  operator = await makeAgent(realm, 'operator', { groups: [gateway.realm.groups.admins] });
  const made = await api('POST', '/api/servers', {
    ...{ server_name: 'Upstream', path: '/upstream', proxy_pass_url: upstream.url, is_enabled: true },
  });
  expect(made).toMatchObject({ status: 201 });
});
afterAll(async () => {
  upstream?.close();
  await gateway?.close();
});

// biome-ignore lint/suspicious/noExplicitAny: tests read what they know to be there.
async function api(method: string, path: string, body?: object): Promise<{ status: number; body: any }> {
  const answer = await fetch(`${gateway.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await clientToken(realm, operator)}`,
      'content-type': 'application/json',
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: answer.status, body: await answer.json() };
}

const iam = '/api/management/iam';

/** What Keycloak itself says of somebody's groups. */
async function groupsIn(id: string): Promise<string[]> {
  const { body } = await admin('GET', `/${realm}/users/${id}/groups`);
  return body.map(({ name }: { name: string }) => name).sort();
}

test('a person is created in the realm with a password that has to be changed, in groups, and deleted again', async () => {
  const human = { username: 'Ada', email: 'ada@example.com', first_name: 'Ada', last_name: 'Lovelace' };
  const made = await api('POST', `${iam}/users/human`, { ...human, groups: ['mcp-users'] });
  expect(made).toMatchObject({
    status: 200,
    body: { username: 'ada', groups_assigned: ['mcp-users'], must_change_password: true },
  });
  const [found] = (await admin('GET', `/${realm}/users?username=ada&exact=true`)).body;
  expect(found).toMatchObject({ email: 'ada@example.com', requiredActions: ['UPDATE_PASSWORD'] });
  expect(await groupsIn(found.id)).toEqual(['mcp-users']);

  const changed = await api('PATCH', `${iam}/users/ada@example.com/groups`, { groups: ['mcp-admins'] });
  expect(changed).toMatchObject({ body: { added: ['mcp-admins'], removed: ['mcp-users'] } });
  expect(await groupsIn(found.id)).toEqual(['mcp-admins']);

  const list = await api('GET', `${iam}/users?search=ADA`);
  expect(list.body.users).toMatchObject([{ username: 'ada', groups: ['mcp-admins'] }]);
  expect((await api('GET', `${iam}/users?search=*da`)).body.users).toEqual([]);

  expect((await api('POST', `${iam}/users/human`, { ...human, groups: ['mcp-users'] })).status).toBe(409);
  const locking = await api('DELETE', `${iam}/users/ada`);
  expect(locking).toMatchObject({ status: 409, body: { code: 'would_lock_out' } });
  const other = { username: 'grace', email: 'grace@example.com', first_name: 'Grace', last_name: 'Hopper' };
  await api('POST', `${iam}/users/human`, { ...other, groups: ['mcp-admins'] });
  expect(await api('DELETE', `${iam}/users/ada`)).toMatchObject({ status: 200, body: { deleted: true } });
  expect((await admin('GET', `/${realm}/users?username=ada&exact=true`)).body).toEqual([]);
});

test('an account whose group does not exist is not created', async () => {
  const human = { username: 'nobody', email: 'n@example.com', first_name: 'No', last_name: 'Body' };
  const refused = await api('POST', `${iam}/users/human`, { ...human, groups: ['no-such-group'] });
  expect(refused).toMatchObject({ status: 422 });
  expect(JSON.stringify(refused.body)).toContain("no group 'no-such-group'");
  expect((await admin('GET', `/${realm}/users?username=nobody&exact=true`)).body).toEqual([]);
});

test('the password policy of the realm is told in its own words', async () => {
  await admin('PUT', `/${realm}`, { passwordPolicy: 'length(40)' });
  const human = { username: 'short', email: 's@example.com', first_name: 'S', last_name: 'T' };
  const password = 'Long enough for us 1';
  const refused = await api('POST', `${iam}/users/human`, { ...human, password, groups: ['mcp-users'] });
  await admin('PUT', `/${realm}`, { passwordPolicy: '' });
  expect(JSON.stringify(refused.body)).toContain('minimum length 40');
  expect(JSON.stringify(refused.body)).not.toContain(password);
});

test('an agent is created with a secret that works at once: token, groups, and servers of its group', async () => {
  const made = await api('POST', `${iam}/users/m2m`, { name: 'deploy-bot', groups: ['mcp-users'] });
  expect(made).toMatchObject({
    status: 200,
    body: { client_id: 'deploy-bot', groups_assigned: ['mcp-users'], secret_expires_at: null },
  });
  const token = await clientToken(realm, {
    clientId: 'deploy-bot',
    clientSecret: made.body.client_secret,
  });
  const answer = await listTools(gateway, token);
  expect(answer.status, await answer.clone().text()).toBe(200);
  const { body: clients } = await admin('GET', `/${realm}/clients?clientId=deploy-bot`);
  expect(clients).toMatchObject([
    { standardFlowEnabled: false, directAccessGrantsEnabled: false, publicClient: false },
  ]);
  const list = await api('GET', `${iam}/users?search=deploy`);
  expect(list.body.users).toMatchObject([{ username: 'deploy-bot', groups: ['mcp-users'] }]);

  expect(await api('PATCH', `${iam}/users/deploy-bot/groups`, { groups: ['mcp-admins'] })).toMatchObject({
    body: { added: ['mcp-admins'], removed: ['mcp-users'] },
  });
  expect((await api('POST', `${iam}/users/m2m`, { name: 'deploy-bot', groups: ['mcp-users'] })).status).toBe(
    409,
  );
  expect(await api('DELETE', `${iam}/users/deploy-bot`)).toMatchObject({ status: 200 });
  expect((await admin('GET', `/${realm}/clients?clientId=deploy-bot`)).body).toEqual([]);
});

test('a client that the gateway did not make is neither shown nor deleted', async () => {
  const list = await api('GET', `${iam}/users`);
  const names = list.body.users.map(({ username }: { username: string }) => username);
  expect(names).not.toContain('operator');
  expect((await api('DELETE', `${iam}/users/operator`)).status).toBe(404);
  expect((await api('DELETE', `${iam}/users/service-account-operator`)).status).toBe(404);
  expect((await admin('GET', `/${realm}/clients?clientId=operator`)).body).toHaveLength(1);
});

test('a scope gets a group of its own in the realm, which goes with it', async () => {
  const made = await api('POST', `${iam}/groups`, {
    ...{ name: 'finance', description: 'Looks at money', scope_config: { create_in_idp: true } },
  });
  expect(made.status, JSON.stringify(made.body)).toBe(200);
  const [group] = (await admin('GET', `/${realm}/groups?search=finance&exact=true`)).body;
  expect(group).toMatchObject({ name: 'finance', description: 'Looks at money' });
  const list = await api('GET', `${iam}/groups`);
  expect(list.body.groups).toContainEqual(expect.objectContaining({ id: group.id, name: 'finance' }));
  const patched = await api('PATCH', `${iam}/groups/finance`, { description: 'Counts money' });
  expect(patched.status, JSON.stringify(patched.body)).toBe(200);
  const removed = await api('DELETE', `${iam}/groups/finance`);
  expect(removed.status, JSON.stringify(removed.body)).toBe(200);
  expect((await admin('GET', `/${realm}/groups?search=finance&exact=true`)).body).toEqual([]);
});
