import { Hono } from 'hono';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { agentEndpoints } from '../../../contract/agents/agents.ts';
import { searchEndpoints } from '../../../contract/search.ts';
import { serverInput } from '../../../contract/servers/servers.ts';
import { virtualServerDefinition } from '../../../contract/servers/virtual-servers.ts';
import { decide } from '../../access/decide.ts';
import { accessOf, compile, holdingOf } from '../../access/grants.ts';
import { parseScopes } from '../../access/scope-set.ts';
import { createAllow } from '../../db/allowance.ts';
import { type OpenDatabase, openMemory } from '../../db/open.ts';
import type { HttpEnv } from '../../http/env.ts';
import { mount } from '../../http/mount.ts';
import { answerFailure } from '../../http/responses.ts';
import type { Identity } from '../../identity/identity.ts';
import { createFinder } from '../../search/finder.ts';
import { followDatabase } from '../../search/follow.ts';
import { createEngine } from '../../search/search.ts';
import { agentHandlers } from '../agents/handlers.ts';
import type { Route } from '../servers/route.ts';
import { insert } from '../servers/store.ts';
import type { DecideCall } from '../virtual-servers/shown.ts';
import { insert as insertVirtual } from '../virtual-servers/store.ts';
import { startVirtualTable } from '../virtual-servers/table.ts';
import { searchHandlers } from './handlers.ts';

const scopes = `
UI-Scopes:
  mcp-registry-admin: {}
  narrow: { list_service: [mail, virtual/desk] }
group_mappings:
  admins: [mcp-registry-admin, everything]
  narrow: [narrow, mail-send]
everything:
  - { server: '*', methods: [all], tools: [all] }
mail-send:
  - { server: mail, methods: [tools/call], tools: [send_message] }
  - { server: virtual/desk, methods: [tools/call], tools: ['*'] }
`;
const grants = compile(parseScopes(scopes, 'scopes.yml'));
const say = (name: string, description: string) => ({
  ...{ name, description },
  inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
});
const catalogue = {
  mail: [
    say('send_message', 'Send an e-mail to somebody.'),
    say('delete_message', 'Delete an e-mail for good.'),
  ],
  github: [
    say('create_issue', 'Open a new issue in a repository.'),
    say('list_issues', 'List the issues of a repository.'),
  ],
};

let database: OpenDatabase;
let app: Hono<HttpEnv>;
let refresh: (path: string) => Promise<void>;

beforeEach(async () => {
  database = await openMemory();
  const { db } = database;
  for (const [name, tools] of Object.entries(catalogue)) {
    const proxy_pass_url = 'https://mcp.example/mcp';
    const metadata = { team: { name: 'core', cost: 7 } };
    const definition = serverInput.parse({
      server_name: name,
      path: name,
      proxy_pass_url,
      metadata,
      tags: [`of-${name}`],
    });
    const row = {
      id: name,
      definition,
      isEnabled: true,
      registeredBy: 'x',
      registeredAt: '2026-01-01T00:00:00Z',
    };
    await insert(db, row);
    await db
      .updateTable('servers')
      .set({ tools: JSON.stringify({ tools }) })
      .where('id', '=', name)
      .execute();
  }
  const desk = virtualServerDefinition.parse({
    ...{ server_name: 'Desk', path: '/virtual/desk', description: 'Tools for the help desk.' },
    members: [{ backend_server_path: '/mail' }, { backend_server_path: '/github' }],
  });
  const at = '2026-01-01T00:00:00Z';
  await insertVirtual(db, { id: 'desk', owner: '', createdBy: 'x', definition: desk, at });
  const listeners: ((change: { kind: 'server'; key: string }) => void)[] = [];
  const feed = {
    follow(_: unknown, listener: never) {
      listeners.push(listener);
      return () => {};
    },
  };
  const engine = createEngine();
  const errors: unknown[] = [];
  const following = followDatabase(engine, { db, feed, log: { error: (facts) => void errors.push(facts) } });
  refresh = async (path) => {
    for (const listener of listeners) listener({ kind: 'server', key: path });
    await following.settled();
    expect(errors).toEqual([]);
  };
  const finder = createFinder<Identity>({
    ...{ engine, ready: following.ready, perMinute: 100, allow: createAllow(() => 0) },
    rightsOf: (who) => ({
      key: holdingOf(who, grants),
      maySee: (kind, path) =>
        accessOf(who, grants).may(kind === 'agent' ? 'list_agents' : 'list_service', path.slice(1)),
      mayCall: (path, tool) =>
        decide(who, { server: path.slice(1), method: 'tools/call', tool }, grants).allow,
    }),
    nameOf: ({ subject }) => subject,
  });
  const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
  app = new Hono<HttpEnv>();
  app.onError((error, c) => answerFailure(c, error, quiet as never, 'Bearer'));
  const world = {
    identity: {
      identify: async (headers: Readonly<Record<string, string | undefined>>) => ({
        is: 'identity' as const,
        identity: memberOf(headers['x-group'] ?? ''),
      }),
      access: (identity: Identity) => accessOf(identity, grants),
      csrfToken: () => 'csrf',
    },
    trail: { record() {}, flush: async () => {} },
    now: () => 0,
    allow: createAllow(() => 0),
    clientIp: () => null,
  };
  const routes = new Map(
    Object.entries(catalogue).map(([name, tools]) => [
      name,
      { name, tools, enabled: true, health: 'healthy' } as unknown as Route,
    ]),
  );
  const may: DecideCall = (who, call) => decide(who, call, grants);
  const table = await startVirtualTable({
    ...{ db, findRoute: (name) => routes.get(name), feed: { follow: () => () => undefined } },
  });
  const agents = { db, policy: { allowPrivate: false }, now: () => 0, newId: () => 'a' };
  mount(
    app,
    { ...searchEndpoints, ...agentEndpoints },
    {
      ...agentHandlers(agents),
      ...searchHandlers({
        db,
        finder,
        publicUrl: 'https://gw.example',
        virtualServers: { table, decide: may },
      }),
    },
    world as never,
  );
});
afterEach(() => database.close());

const members = new Map<string, Identity>();
function memberOf(group: string): Identity {
  const known = members.get(group);
  if (known) return known;
  const identity = {
    ...{ kind: 'person', provider: 'p', subject: group, username: group, name: null, email: null },
    ...{ clientId: null, groups: [group], method: 'bearer', credentialId: null, expiresAt: 0 },
  } as Identity;
  members.set(group, identity);
  return identity;
}

async function ask(group: string, method: string, path: string, body?: unknown) {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const headers = { 'x-group': group, 'content-type': 'application/json' };
  const response = await app.request(path, { method, headers, ...init });
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever is there.
  return { status: response.status, body: (await response.json()) as any };
}

test('finds a tool by what it does, in upstream’s shape', async () => {
  const { status, body } = await ask('admins', 'POST', '/api/search/semantic', { query: 'open an issue' });
  expect(status).toBe(200);
  expect(body.tools[0]).toMatchObject({
    ...{ server_path: '/github', server_name: 'github', tool_name: 'create_issue' },
    inputSchema: catalogue.github[0]?.inputSchema,
    endpoint_url: 'https://gw.example/github/mcp',
  });
  expect(body.tools[0].relevance_score).toBeGreaterThan(body.tools[1].relevance_score);
  expect(body).toMatchObject({
    query: 'open an issue',
    search_mode: 'hybrid',
    total_tools: body.tools.length,
  });
});

test('shows only what the caller may list and call, and counts only that', async () => {
  const { body } = await ask('narrow', 'POST', '/api/search/semantic', { query: 'message issue repository' });
  expect(body.servers.map((one: { path: string }) => one.path)).toEqual(['/mail']);
  expect(body.tools.map((one: { tool_name: string }) => one.tool_name)).toEqual(['send_message']);
  expect(body.servers[0].num_tools).toBe(1);
  expect(JSON.stringify(body)).not.toMatch(/delete|github/);
});

test('a virtual server says what the caller has of it, in upstream’s shape', async () => {
  const asked = { query: 'desk', entity_types: ['virtual_server', 'tool'] };
  const { body } = await ask('admins', 'POST', '/api/search/semantic', {
    ...asked,
    query: 'desk send message',
  });
  expect(body.virtual_servers).toMatchObject([
    {
      ...{ path: '/virtual/desk', server_name: 'Desk', num_tools: 4, backend_count: 2, is_enabled: true },
      ...{ backend_paths: ['/mail', '/github'], endpoint_url: 'https://gw.example/virtual/desk/mcp' },
      matching_tools: expect.arrayContaining([expect.objectContaining({ tool_name: 'mail__send_message' })]),
    },
  ]);
  const bundle = async (group: string) =>
    (await ask(group, 'POST', '/api/search/semantic', asked)).body.virtual_servers[0];
  expect(await bundle('narrow')).toMatchObject({ num_tools: 1, backend_paths: ['/mail'] });
});

test('a change is found once it was told of', async () => {
  const { db } = database;
  const tools = JSON.stringify({ tools: [say('translate_text', 'Translate a text.')] });
  await db.updateTable('servers').set({ tools }).where('path', '=', '/mail').execute();
  await refresh('/mail');
  const { body } = await ask('admins', 'GET', '/api/search?q=translate');
  expect(body.results[0]).toMatchObject({ kind: 'tool', name: 'translate_text', server_name: 'mail' });
  expect(body.results[0].highlights.name).toEqual([[0, 9]]);
  await db.deleteFrom('servers').where('path', '=', '/mail').execute();
  await refresh('/mail');
  const after = await ask('admins', 'GET', '/api/search?q=translate_text');
  expect(JSON.stringify(after.body.results)).not.toContain('translate_text');
});

test('what is switched off is found only when asked for', async () => {
  await database.db.updateTable('servers').set({ is_enabled: 0 }).where('path', '=', '/mail').execute();
  await refresh('/mail');
  const without = await ask('admins', 'POST', '/api/search/semantic', { query: 'mail' });
  expect(JSON.stringify(without.body)).not.toContain('/mail');
  const all = await ask('admins', 'POST', '/api/search/semantic', { query: 'mail', include_disabled: true });
  expect(all.body.servers[0]).toMatchObject({ path: '/mail', is_enabled: false });
});

test('tags filter, in the body as well as with a # in the query', async () => {
  for (const asked of [{ tags: ['of-mail'] }, { query: '#of-mail' }, { query: 'mail #OF-mail' }]) {
    const { body } = await ask('admins', 'POST', '/api/search/semantic', asked);
    expect(body.servers.map((one: { path: string }) => one.path)).toEqual(['/mail']);
  }
});

test('metadata fields choose parts of the metadata', async () => {
  const asked = { query: 'mail', metadata_fields: 'team.cost,nothing.there' };
  const { body } = await ask('admins', 'POST', '/api/search/semantic', asked);
  expect(body.servers[0].metadata).toEqual({ team: { cost: 7 } });
});

test.each([
  [{}],
  [{ query: ' ' }],
  [{ query: 'x'.repeat(501) }],
  [{ query: 'x', max_results: 0 }],
  [{ query: 'x', max_results: 51 }],
  [{ query: 'x', entity_types: ['planet'] }],
  [{ query: 'x', entity_types: [] }],
  [{ query: 'x', metadata_fields: 'a.b.c.d.e.f' }],
  [{ query: 'x', metadata_fields: 'x'.repeat(65) }],
  [{ query: 'x', metadata_fields: Array.from({ length: 21 }, (_, at) => `f${at}`) }],
  [{ query: 'x', metadata_fields: 'a,,b' }],
  [{ query: 'x', unknown: true }],
])('refuses %j with 422', async (asked) => {
  expect((await ask('admins', 'POST', '/api/search/semantic', asked)).status).toBe(422);
});

test('somebody who asks too often is told when to come again', async () => {
  for (let count = 0; count < 100; count += 1) await ask('admins', 'GET', '/api/search?q=mail');
  expect((await ask('admins', 'GET', '/api/search?q=mail')).status).toBe(429);
  expect((await ask('narrow', 'GET', '/api/search?q=mail')).status).toBe(200);
});
