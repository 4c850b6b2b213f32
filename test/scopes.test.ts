import { afterAll, beforeAll, expect, test } from 'vitest';
import { endpoints } from '../src/contract/index.ts';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { cli } from './cli-trial.ts';
import { seenEverywhere, startGateway, type TestGateway } from './harness.ts';
import { agentToken, type BrowserSession, signIn } from './sign-in.ts';

const { accounts, agents, groups } = shippedTenant;
const roles = ['admin', 'developer', 'operator', 'user', 'stray'] as const;

let gateway: TestGateway;
let session: BrowserSession;
const tokens = {} as Record<(typeof roles)[number], string>;

beforeAll(async () => {
  gateway = await startGateway();
  for (const role of roles) tokens[role] = await agentToken(gateway.emulatorUrl, agents[role]);
  session = await signIn(gateway.url, accounts.admin.userPrincipalName);
});
afterAll(() => gateway?.close());

const bearer = (role: (typeof roles)[number]) => ({ authorization: `Bearer ${tokens[role]}` });

async function ask(method: string, path: string, headers: Record<string, string>, body?: object | string) {
  const text = typeof body === 'object' ? JSON.stringify(body) : body;
  const type: Record<string, string> = typeof body === 'object' ? { 'content-type': 'application/json' } : {};
  const answer = await fetch(`${gateway.url}${path}`, {
    method,
    headers: { ...type, ...headers },
    ...(text === undefined ? {} : { body: text }),
  });
  const said = await answer.text();
  return {
    status: answer.status,
    body: (said.startsWith('{') ? JSON.parse(said) : {}) as Record<string, unknown>,
  };
}

/** Whether an agent may begin a conversation with the sample server that only unrestricted roles may use. */
async function mayUse(role: (typeof roles)[number]): Promise<boolean> {
  const accept = 'application/json, text/event-stream';
  const clientInfo = { name: 'test', version: '1' };
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo };
  const body = { jsonrpc: '2.0', id: 1, method: 'initialize', params };
  const { status } = await ask('POST', '/everything/mcp', { ...bearer(role), accept }, body);
  if (status !== 200 && status !== 403) throw new Error(`the server answered ${status}`);
  return status === 200;
}

const definition = {
  scope_name: 'team/everything',
  server_access: [{ server: 'everything', methods: ['initialize', 'tools/list'], tools: [] }],
  group_mappings: [groups.users],
};

/** Every route with an input that does what it says, in an order in which all succeed. */
const routes: [id: keyof typeof endpoints, body?: object][] = [
  ['scopes.import', { scope_name: 'trial' }],
  ['scopes.create', { group_name: 'trial 2' }],
  ['scopes.list'],
  ['scopes.get'],
  ['scopes.add', { server_name: 'everything', group_names: 'trial' }],
  ['scopes.remove', { server_name: 'everything', group_names: ['trial'] }],
  ['scopes.delete', { group_name: 'trial 2' }],
  ['groups.list'],
  ['groups.create', { name: 'trial 3' }],
  ['groups.get'],
  ['groups.patch', { description: 'x' }],
  ['groups.remove'],
  ['access.server'],
  ['access.dryRun', { definition: { scope_name: 'trial' } }],
  ['access.effective', { groups: [] }],
  ['access.explain', { groups: [], server: 'everything', method: 'ping' }],
];

test('no route about scopes, groups and decisions is missing here', () => {
  const all = Object.keys(endpoints).filter(
    // One's own groups are everybody's to see.
    (id) => /^(scopes|groups|access)\./.test(id) && id !== 'groups.mine',
  );
  expect(routes.map(([id]) => id as string).sort()).toEqual(all.sort());
});

test.each(routes)('%s is for administrators and nobody else', async (id, body?: object) => {
  const { method, path } = endpoints[id];
  const url = path.replace('{name}', 'trial').replace('{path}', 'everything');
  expect((await ask(method, url, {}, body)).status).toBe(401);
  for (const role of roles.slice(1)) {
    const { status, body: said } = await ask(method, url, bearer(role), body);
    expect([role, status, said.code]).toEqual([role, 403, 'not_allowed']);
  }
  expect((await ask(method, url, bearer('admin'), body)).status).toBe(200);
});

test('an import changes the decision on the next call, and so does removing it', async () => {
  expect(await mayUse('user')).toBe(false);
  const path = '/api/servers/groups/import';
  expect(await ask('POST', path, bearer('admin'), definition)).toMatchObject({
    status: 200,
    body: { message: 'Group team/everything imported successfully', changed: true },
  });
  await seenEverywhere();
  expect(await mayUse('user')).toBe(true);
  expect((await ask('POST', path, bearer('admin'), definition)).body.changed).toBe(false);
  const asked = { groups: [groups.users], server: 'everything', method: 'tools/list' };
  expect((await ask('POST', '/api/access/explain', bearer('admin'), asked)).body).toMatchObject({
    allow: true,
    scope: 'team/everything',
    source: 'api',
    by_groups: [groups.users],
  });
  const removed = await ask('DELETE', '/api/management/iam/groups/team%2Feverything', bearer('admin'));
  expect(removed.status).toBe(200);
  await seenEverywhere();
  expect(await mayUse('user')).toBe(false);
});

test('the command line imports the same, as the guide does', async () => {
  const env = { REGISTRY_URL: gateway.url, MCP_GATEWAY_TOKEN: tokens.admin };
  const stdin = JSON.stringify(definition);
  expect((await cli(['import-group', '--file', '-'], { env, stdin })).code).toBe(0);
  expect(await mayUse('user')).toBe(true);
  const shown = await cli(['describe-group', '--name', 'team/everything', '--json'], { env });
  expect(JSON.parse(shown.out)).toMatchObject({ source: 'api', group_mappings: [groups.users] });
  const listed = await cli(['list-groups', '--no-keycloak'], { env });
  expect(listed.out).toMatch(/^team\/everything +api /m);
  expect(listed.out).toMatch(/^mcp-registry-user +file /m);
  expect((await cli(['delete-group', '--name', 'team/everything', '--force'], { env })).code).toBe(0);
  await seenEverywhere();
  expect(await mayUse('user')).toBe(false);
  const refused = await cli(['import-group', '--file', '-'], {
    env: { ...env, MCP_GATEWAY_TOKEN: tokens.user },
    stdin,
  });
  expect([refused.code, refused.err.includes('Administrator permissions')]).toEqual([1, true]);
});

test('a form is taken as well as JSON, each field once', async () => {
  const form = { ...bearer('admin'), 'content-type': 'application/x-www-form-urlencoded' };
  const made = await ask('POST', '/api/servers/groups/create', form, 'group_name=formed&create_in_idp=false');
  expect([made.status, made.body.group_name]).toEqual([200, 'formed']);
  const twice = await ask('POST', '/api/servers/groups/delete', form, 'group_name=x&group_name=formed');
  expect(twice.status).toBe(400);
  expect((await ask('POST', '/api/servers/groups/import', form, 'scope_name=x')).status).toBe(415);
  expect((await ask('POST', '/api/servers/groups/delete', form, 'group_name=formed')).status).toBe(200);
});

test('a browser session needs its CSRF token, whatever the body', async () => {
  for (const type of ['application/json', 'application/x-www-form-urlencoded']) {
    const headers = { cookie: session.cookie, 'content-type': type };
    const body = type.endsWith('json') ? '{"group_name":"x"}' : 'group_name=x';
    expect((await ask('POST', '/api/servers/groups/create', headers, body)).status).toBe(403);
  }
});

test.each(['..%2F..%2Fetc', "x'%20or%201%20eq%201", '%00', '__proto__', 'a%0Ab', 'x'.repeat(299)])(
  'the name %s is looked for as it is, and not found',
  async (name) => {
    // No text that is kept has a NUL in it, so no name is one.
    const expected = name === '%00' ? 400 : 404;
    for (const path of ['/api/servers/groups/', '/api/management/iam/groups/'])
      expect((await ask('GET', `${path}${name}`, bearer('admin'))).status).toBe(expected);
  },
);

test('a scope of the file stays as it is, and an administrator stays one', async () => {
  const path = '/api/servers/groups/import';
  const ofFile = await ask('POST', path, bearer('admin'), {
    scope_name: 'mcp-registry-admin',
    group_mappings: [],
  });
  expect([ofFile.status, ofFile.body.code]).toEqual([409, 'not_editable']);
  expect((await ask('GET', '/api/servers/groups', bearer('admin'))).status).toBe(200);
});
