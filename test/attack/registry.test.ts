import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuditEventShown } from '../../src/contract/audit.ts';
import { shippedTenant } from '../../src/entra-emulator/shipped.ts';
import { startGateway, type TestGateway } from '../harness.ts';
import { agentToken, mintToken, signIn } from '../sign-in.ts';

let gateway: TestGateway;
let admin: string;

beforeAll(async () => {
  gateway = await startGateway();
  admin = await agentToken(gateway.emulatorUrl, shippedTenant.agents.admin);
});
afterAll(() => gateway?.close());

const json = { 'content-type': 'application/json' };

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${gateway.url}${path}`, {
    redirect: 'manual',
    ...init,
    headers: { authorization: `Bearer ${admin}`, ...init.headers },
  });
}

async function events(search: string): Promise<AuditEventShown[]> {
  return ((await (await ask(`/api/audit/events?${search}`)).json()) as { events: AuditEventShown[] }).events;
}

test.each(['login', 'callback'])(
  'an unknown provider of /oauth2/%s is 404 and leaves no record',
  async (page) => {
    const name = 'eyJ'.repeat(900);
    const answer = await fetch(`${gateway.url}/oauth2/${page}/${name}?state=a&code=b`, {
      redirect: 'manual',
    });
    expect(answer.status).toBe(404);
    expect(await answer.text()).not.toContain('eyJ');
    expect(await events('kind=sign-in')).toEqual([]);
    expect(gateway.output()).not.toContain('eyJeyJ');
  },
);

test('a change with a large text is recorded in bounded room', async () => {
  const metadata = { text: 'eyJ'.repeat(4_000) };
  const body = JSON.stringify({ metadata });
  const answer = await ask('/api/servers/currenttime', { method: 'PATCH', headers: json, body });
  expect(answer.status).toBe(200);
  const [event] = await events(`correlation_id=${answer.headers.get('x-correlation-id')}`);
  const shown = await (await ask(`/api/audit/events/${event?.id}`)).text();
  expect(shown.length).toBeLessThan(12_000);
});

const wildcards = ['/all', 'all/', 'ALL', '%61ll', '%2561ll', '*', '\uff0a', '\uff41ll', 'a\u200bll'];

test.each(wildcards)('nothing can be registered as %s, and no scope takes it for a name', async (name) => {
  const server = { server_name: 'x', path: name, proxy_pass_url: 'http://127.0.0.1:9/' };
  const rule = { server: name, methods: ['tools/call'], tools: ['x'] };
  const answers = await Promise.all([
    post('/api/servers', server),
    post('/api/servers/groups/import', { scope_name: name }),
    ...[
      { ui_permissions: { list_service: [name] } },
      { ui_permissions: { list_agents: [name] } },
      { agent_access: [`/x/../${name}/`, name].slice(1) },
      { server_access: [{ ...rule, server: 'currenttime', tools: [name] }] },
      { server_access: [{ ...rule, server: 'currenttime', methods: [name] }] },
      { server_access: [rule] },
    ].map((part) => post('/api/servers/groups/import', { scope_name: 'attack', ...part })),
  ]);
  const mayStand = name === '*' ? [200, 422] : [422];
  for (const [index, answer] of answers.entries())
    expect([index, mayStand.includes(answer.status)]).toEqual([index, true]);
});

function post(path: string, body: unknown): Promise<Response> {
  return ask(path, { method: 'POST', headers: json, body: JSON.stringify(body) });
}

describe('somebody who may register and modify servers', () => {
  let developer: string;
  const as = (path: string, method: string, body?: unknown): Promise<Response> =>
    fetch(`${gateway.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${developer}`, ...json },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const server = (path: string, more: object = {}) => ({
    ...{ server_name: path, path, proxy_pass_url: 'http://127.0.0.1:9/alice/mcp', ...more },
  });

  beforeAll(async () => {
    developer = await agentToken(gateway.emulatorUrl, shippedTenant.agents.user);
    const names = ['dev-a', 'dev-b', 'dev-c'];
    const scope = {
      scope_name: 'developers-here',
      group_mappings: [shippedTenant.groups.users],
      ui_permissions: { list_service: names, register_service: names, modify_service: names },
    };
    expect((await post('/api/servers/groups/import', scope)).status).toBe(200);
  });

  test('cannot enable it in the same breath, nor have the tokens of people sent to it', async () => {
    expect((await as('/api/servers', 'POST', server('/dev-a', { is_enabled: true }))).status).toBe(403);
    expect((await as('/api/servers', 'POST', server('/dev-a', { forward_authorization: true }))).status).toBe(
      403,
    );
    expect((await as('/api/servers', 'POST', server('/dev-a'))).status).toBe(201);
    const change = { forward_authorization: true };
    expect((await as('/api/servers/dev-a', 'PATCH', change)).status).toBe(403);
    expect((await as('/api/servers/dev-a', 'PUT', { ...server('/dev-a'), ...change })).status).toBe(403);
  });

  test.each([
    ['another host', 'http://localhost:9/alice/mcp'],
    ['another port', 'http://127.0.0.1:10/alice/mcp'],
    ['another scheme', 'https://127.0.0.1:9/alice/mcp'],
    ['another path of a shared host', 'http://127.0.0.1:9/bob/mcp'],
    ['a path below it that leads out', 'http://127.0.0.1:9/alice/../bob/mcp'],
    ['another query', 'http://127.0.0.1:9/alice/mcp?tenant=bob'],
  ])('re-pointed to %s, a server loses credential and forwarding', async (_, url) => {
    await ask('/api/servers/dev-b', { method: 'DELETE' });
    expect((await post('/api/servers', server('/dev-b', { forward_authorization: true }))).status).toBe(201);
    const credential = { auth_scheme: 'bearer', auth_credential: 'secret-of-alice' };
    const stored = await ask('/api/servers/dev-b/auth-credential', {
      ...{ method: 'PATCH', headers: json, body: JSON.stringify(credential) },
    });
    expect([stored.status, await stored.json()]).toMatchObject([200, { auth_scheme: 'bearer' }]);
    const answer = await as('/api/servers/dev-b', 'PATCH', { proxy_pass_url: url });
    expect(await answer.json()).toMatchObject({ forward_authorization: false, auth_scheme: 'none' });
  });

  test('cannot break lists by metadata, whatever its form', async () => {
    const deep = `${'{"a":'.repeat(2_100)}1${'}'.repeat(2_100)}`;
    const text = JSON.stringify(server('/dev-c')).replace(/}$/, `,"metadata":${deep}}`);
    const answer = await fetch(`${gateway.url}/api/servers`, {
      ...{ method: 'POST', headers: { authorization: `Bearer ${developer}`, ...json }, body: text },
    });
    expect(answer.status).toBe(422);
    const wide = { metadata: { text: 'x'.repeat(20_000) } };
    expect((await as('/api/servers', 'POST', server('/dev-c', wide))).status).toBe(422);
    expect((await as('/api/servers', 'POST', server('/dev-c', { metadata: { a: 1 } }))).status).toBe(201);
    const { servers } = (await (await as('/api/servers', 'GET')).json()) as { servers: object[] };
    expect(servers.some((one) => 'metadata' in one)).toBe(false);
  });
});

test('a token limited to less than its owner has manages only itself', async () => {
  const session = await signIn(gateway.url, shippedTenant.accounts.admin.userPrincipalName);
  const scopes = ['mcp-servers-unrestricted/read'];
  const other = await mintToken(gateway.url, session);
  const limited = await mintToken(gateway.url, session, { requested_scopes: scopes });
  const by = (token: string, path: string, method = 'GET') =>
    fetch(`${gateway.url}${path}`, { method, headers: { authorization: `Bearer ${token}` } });
  const { sessions } = (await (await by(other.token, '/api/sessions')).json()) as {
    sessions: { id: string }[];
  };
  expect((await by(limited.token, '/api/sessions')).status).toBe(403);
  expect((await by(limited.token, `/api/sessions/${sessions[0]?.id}`, 'DELETE')).status).toBe(403);
  expect((await by(limited.token, '/api/tokens')).status).toBe(403);
  expect((await by(limited.token, '/api/connected-clients')).status).toBe(403);
  expect((await by(limited.token, '/api/connected-clients/x', 'DELETE')).status).toBe(403);
  expect((await by(limited.token, '/api/favourites/server/currenttime', 'PUT')).status).toBe(403);
  expect((await by(limited.token, '/api/favourites/server/currenttime', 'DELETE')).status).toBe(403);
  expect((await by(limited.token, `/api/tokens/${other.id}`, 'DELETE')).status).toBe(403);
  expect((await by(limited.token, `/api/tokens/${limited.id}`, 'DELETE')).status).toBe(204);
  expect((await by(other.token, '/api/tokens')).status).toBe(200);
});
