import { Hono } from 'hono';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { serverFormEndpoints } from '../../../contract/servers/server-forms.ts';
import { serverEndpoints } from '../../../contract/servers/servers.ts';
import { accessOf, compile } from '../../access/grants.ts';
import { parseScopes } from '../../access/scope-set.ts';
import type { AuditEvent } from '../../audit/event.ts';
import { followed } from '../../changes/feed.test-support.ts';
import { openMemory } from '../../db/open.ts';
import type { HttpEnv } from '../../http/env.ts';
import { mount } from '../../http/mount.ts';
import { answerFailure } from '../../http/responses.ts';
import type { Identity } from '../../identity/identity.ts';
import { keyringOf } from '../../identity/keys.ts';
import { createSealer } from '../../identity/sealer.ts';
import { credentialsFrom } from './credential.ts';
import { serverFormHandlers } from './forms.ts';
import { serverHandlers } from './handlers.ts';
import type { CheckServer } from './health/check.ts';
import { createLookAfter } from './health/look-after.ts';
import { startRoutes } from './routes.ts';
import { find, remove } from './store.ts';

const grants = compile(
  parseScopes(
    `
UI-Scopes:
  mcp-registry-admin: {}
  one: { list_service: [time], toggle_service: [time], register_service: [time, new], delete_service: [other] }
  reader: { list_service: [time] }
group_mappings: { admins: [mcp-registry-admin], ones: [one], readers: [reader] }
`,
    'scopes.yml',
  ),
);
const vault = createSealer(keyringOf('a secret of a test').of('upstream-credential'));
const credentialsOf = credentialsFrom(vault);
const database = await openMemory();
const feed = await followed(database);
const routes = await startRoutes({ db: database.db, feed, credentialsOf });
const url = 'http://127.0.0.1:9/mcp';
/** Finds every server well, with two tools, and asks none. */
const check: CheckServer = async () => ({
  ...{ status: 'healthy', detail: null, serverVersion: '1', protocolVersion: '2025-11-25' },
  tools: ['countdown', 'other'].map((name) => ({ name, inputSchema: { type: 'object' } })),
});
const events: AuditEvent[] = [];
const app = new Hono<HttpEnv>();
let [time, ids] = [Date.UTC(2026, 0, 1), 0];

beforeAll(() => {
  const [now, policy] = [() => (time += 1000), { allowPrivate: true }];
  const world = {
    ...{ db: database.db, vault, check, policy, now, serversPerPerson: 100, publicUrl: 'https://gw.example' },
    lookAfter: createLookAfter({ db: database.db, check, credentialsOf, now }),
    rows: () => routes.rows(),
    events: { open: () => new ReadableStream() },
    takesAccounts: async () => null,
    newId: () => `id-${++ids}`,
    egress: {} as never,
    connectionsEndedAt: () => {},
    decideTool: (identity: Identity, _: string, tool: string) =>
      identity.groups.includes('admins') || tool === 'countdown',
  };
  const servers = serverHandlers(world);
  app.onError((error, c) =>
    answerFailure(c, error, { debug() {}, info() {}, warn() {}, error() {} } as never, 'B'),
  );
  const table = { ...serverFormEndpoints, ...serverEndpoints };
  mount(
    app,
    table,
    { ...servers, ...serverFormHandlers(world, servers) },
    {
      identity: {
        identify: async ({ 'x-group': group = '' }) => ({ is: 'identity', identity: memberOf(group) }),
        access: (identity) => accessOf(identity, grants),
        csrfToken: () => 'csrf',
      },
      trail: { record: (event) => void events.push(event), flush: async () => {} },
      now: () => 0,
      allow: async () => 0,
      clientIp: () => null,
    },
  );
});
beforeEach(async () => {
  for (const { path, revision } of routes.rows()) await remove(database.db, path, revision);
  await feed.caughtUp();
  await send('admins', '/api/servers/register', { name: 'Time', path: 'time', proxy_pass_url: url });
  events.length = 0;
});
afterAll(async () => {
  await feed.close();
  await database.close();
});

function memberOf(group: string): Identity {
  return {
    ...{ kind: 'person', provider: 'entra', subject: group, username: group, name: null, email: null },
    ...{ clientId: null, groups: [group], method: 'bearer', credentialId: null, expiresAt: 0 },
  };
}

/** Sends a form, or asks where there is none, as a member of a group. */
async function send(group: string, path: string, form?: Record<string, string>) {
  const answer = await app.request(path, {
    headers: { 'x-group': group },
    ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
  });
  await feed.caughtUp();
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever is there.
  return { status: answer.status, body: (await answer.json()) as any };
}

const registration = {
  ...{
    name: 'Docs',
    description: 'Reads docs.',
    path: '/docs-of-us',
    tags: 'a, b',
    external_tags: '',
    num_tools: '0',
  },
  ...{
    license: 'MIT',
    auth_scheme: 'api_key',
    auth_credential: 'k3y',
    auth_header_name: 'X-Key',
    visibility: 'public',
  },
  ...{
    supported_transports: '["streamable-http"]',
    metadata: '{"team":"x"}',
    tool_list_json: '[]',
    headers: '[]',
  },
  ...{
    mcp_endpoint: '',
    sse_endpoint: '',
    custom_headers: '[{"name":"X-Tenant","value":"t"}]',
    status: 'active',
  },
};

test('the form of a script registers a server, and replaces it the next time, unless it says otherwise', async () => {
  const form = { ...registration, proxy_pass_url: url };
  const made = await send('admins', '/api/servers/register', form);
  expect(made).toEqual({
    status: 201,
    body: { path: '/docs-of-us', name: 'Docs', message: 'Server Docs registered successfully' },
  });
  const row = await find(database.db, '/docs-of-us');
  expect(row).toMatchObject({
    isEnabled: false,
    definition: { tags: ['a', 'b'], license: 'MIT', metadata: { team: 'x' }, mcp_endpoint: null },
    credential: { scheme: 'api_key', headerName: 'X-Key', customHeaderNames: ['X-Tenant'] },
  });
  const again = await send('admins', '/api/servers/register', { ...form, description: 'New.' });
  expect([again.status, again.body.message]).toEqual([201, 'Server Docs updated successfully']);
  expect((await find(database.db, '/docs-of-us'))?.definition.description).toBe('New.');
  const kept = await send('admins', '/api/servers/register', { ...form, overwrite: 'False' });
  expect([kept.status, kept.body.code]).toEqual([409, 'conflict']);
  expect(events.map(({ action, resource, kind }) => [action, resource, kind])).toEqual(
    Array(3).fill(['servers.register', 'docs-of-us', 'change']),
  );
  expect(events[1]?.detail).toMatchObject({
    before: { description: 'Reads docs.' },
    after: { description: 'New.', auth_scheme: 'api_key' },
  });
  expect(JSON.stringify(events)).not.toContain('k3y');
});

test('what is wrong with a form is named, and nobody replaces what they may not change', async () => {
  const wrong = await send('admins', '/api/servers/register', {
    name: 'x',
    path: '/x',
    proxy_pass_url: 'x',
    overwrite: 'so',
  });
  expect(wrong.body.errors.map(({ at }: { at: string }) => at)).toEqual([
    'body.proxy_pass_url',
    'body.overwrite',
  ]);
  const form = { name: 'Mine', path: '/time', proxy_pass_url: url };
  expect((await send('ones', '/api/servers/register', form)).body.code).toBe('conflict');
  expect((await send('readers', '/api/servers/register', form)).status).toBe(403);
  expect((await find(database.db, '/time'))?.definition.server_name).toBe('Time');
});

test('a server is switched by the form, with its health, and by those alone who may', async () => {
  const on = await send('ones', '/api/servers/toggle', { path: 'time/', new_state: 'True' });
  expect(on).toEqual({
    status: 200,
    body: {
      message: 'Server Time enabled',
      ...{ service_path: '/time', new_enabled_state: true, status: 'healthy', num_tools: 1 },
      last_checked_iso: expect.stringMatching(/^2026-/),
    },
  });
  expect(events.at(-1)).toMatchObject({ action: 'servers.toggle', resource: 'time', kind: 'change' });
  const off = await send('admins', '/api/servers/toggle', { path: '/time', new_state: 'false' });
  expect(off.body).toMatchObject({ new_enabled_state: false, status: 'disabled' });
  expect((await send('ones', '/api/servers/toggle', { path: '/other', new_state: 'true' })).status).toBe(404);
  // Before it is looked into.
  expect((await send('readers', '/api/servers/toggle', {})).status).toBe(403);
  expect((await send('admins', '/api/servers/toggle', { path: '/time' })).status).toBe(422);
});

test('a server is removed by the form, by those alone who may', async () => {
  // What "ones" may delete is another one, and they are told of this one that they may not.
  expect((await send('ones', '/api/servers/remove', { path: '/time' })).status).toBe(403);
  const gone = await send('admins', '/api/servers/remove', { path: 'time' });
  expect(gone).toEqual({
    status: 200,
    body: { path: '/time', message: 'Server /time removed successfully' },
  });
  expect(events.at(-1)).toMatchObject({ action: 'servers.remove', resource: 'time' });
  expect((await send('admins', '/api/servers/remove', { path: '/time' })).status).toBe(404);
});

test('health and tools of all servers have what the caller may see', async () => {
  await send('admins', '/api/servers/register', { name: 'Away', path: '/away', proxy_pass_url: url });
  await send('admins', '/api/servers/toggle', { path: '/time', new_state: '1' });
  const all = await send('admins', '/api/servers/health');
  expect(all.body).toMatchObject({
    ...{ health_status: 'healthy', total_servers: 2, enabled_servers: 1, total_tools: 2 },
    servers: { '/away': { status: 'disabled' }, '/time': { status: 'healthy', num_tools: 2 } },
  });
  const some = await send('ones', '/api/servers/health');
  expect(some.body).toMatchObject({ total_servers: 1, total_tools: 1 });
  expect(Object.keys(some.body.servers)).toEqual(['/time']);
  const tools = await send('ones', '/api/tools/all');
  expect(tools.body.tools).toMatchObject([{ name: 'countdown', server_path: '/time', server_name: 'Time' }]);
  expect(tools.body.servers['/time']).toHaveLength(1);
  const one = await send('ones', '/api/tools/time');
  expect(one.body).toMatchObject({ service_path: '/time', cached: false, tools: [{ name: 'countdown' }] });
  expect((await send('ones', '/api/tools/away')).status).toBe(404);
});
