import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  type Asked,
  aServer,
  cli,
  folderWith,
  problem,
  type Said,
  scripted,
} from '../../../test/cli-trial.ts';
import { egressInput } from '../../contract/servers/server-egress.ts';

const card = {
  name: 'Hello',
  description: '',
  url: 'https://a.example/',
  version: '1',
  capabilities: {},
  skills: [],
};
const anAgent = {
  ...{
    id: 'x',
    path: '/hello',
    name: 'Hello',
    description: '',
    version: '1',
    protocol_version: '0.2',
    url: null,
  },
  ...{
    provider: null,
    streaming: false,
    skills: [],
    num_skills: 0,
    tags: ['a'],
    license: 'N/A',
    signed: false,
  },
  ...{
    is_enabled: true,
    registered_by: 'x',
    registered_at: 'x',
    updated_at: 'x',
    revision: 1,
    metadata: {},
    card,
  },
  can: { get: true, modify: true, delete: true },
};
const aScope = {
  ...{
    scope_name: 'team',
    scope_type: 'server_scope',
    description: '',
    server_access: [],
    group_mappings: ['g'],
  },
  ...{ ui_permissions: { list_service: ['currenttime'] }, agent_access: [], source: 'api', editable: true },
  ...{ is_idp_managed: false, idp_group_id: null, created_at: null, updated_at: 'x' },
};

const aVirtualServer = {
  ...{ server_name: 'Both', path: '/virtual/both', description: '', tags: [], separator: '__' },
  ...{ tool_mappings: [], required_scopes: [], tool_scope_overrides: [], is_enabled: true },
  members: [{ backend_server_path: '/currenttime', prefix: 't', backend_version: null, include: ['tools'] }],
  supported_transports: ['streamable-http'],
};
const shownVirtually = {
  ...aVirtualServer,
  ...{ id: 'v', owner: null, endpoint_url: 'http://x/virtual/both/mcp', created_by: 'x', created_at: 'x' },
};
const egress = egressInput.parse({ egress_auth_mode: 'pat', header_name: 'X-Key', header_prefix: '' });
const shownEgress = {
  ...egress,
  ...{ has_client_secret: false, callback_url: 'http://x/callback', connect_url: 'http://x/connections' },
  lists_connection: null,
};
const everything = {
  ...{ server: aServer({ egress_auth_mode: 'pat' }), egress: shownEgress, agent: anAgent },
  ...{ virtual: shownVirtually, scope: aScope },
};

/** A registry that has what `has` names, and notes every change. */
function registryWith(
  has: { server?: object; egress?: object; agent?: object; virtual?: object; scope?: object },
  changes: [string, unknown][] = [],
) {
  const change =
    (name: string) =>
    ({ text }: Asked): Said => {
      changes.push([name, text === '' ? null : JSON.parse(text)]);
      return {
        body: name.includes('groups')
          ? {
              message: '',
              group_name: 'team',
              idp_created: false,
              idp_group_id: null,
              auth_server_reloaded: true,
              changed: true,
              warnings: [],
            }
          : name.includes('agents')
            ? anAgent
            : aServer(),
      };
    };
  const missing = problem(404, 'not_found', 'There is none.');
  const list = (name: string, one: object | undefined) => ({
    [name]: one ? [one] : [],
    total_count: 1,
    limit: 500,
    offset: 0,
    has_next: false,
    can_register: true,
  });
  return scripted({
    'GET /api/servers': { body: list('servers', has.server) },
    'GET /api/servers/currenttime': has.server ? { body: has.server } : missing,
    'GET /api/servers/currenttime/egress-auth': has.egress ? { body: has.egress } : missing,
    'POST /api/servers/currenttime/egress-auth': change('egress-auth'),
    'GET /api/virtual-servers/export': { body: { virtual_servers: has.virtual ? [aVirtualServer] : [] } },
    'GET /api/virtual-servers/virtual/both': has.virtual ? { body: has.virtual } : missing,
    'POST /api/virtual-servers/import': change('POST /api/virtual-servers/import'),
    'GET /api/agents': { body: list('agents', has.agent) },
    'GET /api/agents/hello': has.agent ? { body: has.agent } : missing,
    'GET /api/servers/groups': has.scope
      ? {
          body: {
            keycloak_groups: [],
            scopes_groups: { team: {} },
            synchronized: [],
            keycloak_only: [],
            scopes_only: [],
          },
        }
      : problem(403, 'not_allowed', 'No.'),
    'GET /api/servers/groups/team': has.scope ? { body: has.scope } : missing,
    'POST /api/servers': change('POST /api/servers'),
    'PUT /api/servers/currenttime': change('PUT /api/servers/currenttime'),
    'POST /api/servers/currenttime/toggle': change('toggle'),
    'POST /api/agents': change('POST /api/agents'),
    'PUT /api/agents/hello': change('PUT /api/agents/hello'),
    'POST /api/servers/groups/import': change('POST /api/servers/groups/import'),
  });
}

async function exported(
  registry: Awaited<ReturnType<typeof scripted>>,
): Promise<{ cwd: string; text: string }> {
  const cwd = await folderWith();
  const { code, err } = await cli(['export', '--output', 'all.json'], { registry, cwd });
  expect({ code, err }).toMatchObject({ code: 0 });
  return { cwd, text: await readFile(join(cwd, 'all.json'), 'utf8') };
}

test('an export holds what a registration takes, and nothing that a registry derives or keeps secret', async () => {
  const server = aServer({ auth_scheme: 'bearer' });
  const { text } = await exported(await registryWith({ server, agent: anAgent, scope: aScope }));
  const { servers, agents, scopes } = JSON.parse(text);
  expect(Object.keys(servers[0])).not.toContain('health_status');
  expect(servers[0]).toMatchObject({ path: '/currenttime', is_enabled: true });
  expect(agents).toEqual([
    { path: '/hello', tags: ['a'], license: 'N/A', metadata: {}, is_enabled: true, card },
  ]);
  expect(scopes[0]).toMatchObject({ scope_name: 'team', group_mappings: ['g'] });
  expect(scopes[0]).not.toHaveProperty('source');
});

test('an import of an export into the same registry changes nothing', async () => {
  const changes: [string, unknown][] = [];
  const registry = await registryWith(everything, changes);
  const { cwd } = await exported(registry);
  const { code, out, err } = await cli(['import', '--file', 'all.json', '--yes', '--json'], {
    registry,
    cwd,
  });
  expect({ code, err }).toMatchObject({ code: 0 });
  expect(JSON.parse(out).steps.map(({ action }: { action: string }) => action)).toEqual([
    ...Array.from({ length: 5 }, () => 'unchanged'),
  ]);
  expect(changes).toEqual([]);
});

test('an import into an empty registry creates all, after a dry run that creates nothing', async () => {
  const { cwd, text } = await exported(await registryWith(everything));
  const changes: [string, unknown][] = [];
  const registry = await registryWith({}, changes);
  const dry = await cli(['import', '--file', 'all.json', '--dry-run', '--json'], { registry, cwd });
  expect(JSON.parse(dry.out)).toMatchObject({ dry_run: true });
  expect(changes).toEqual([]);
  expect((await cli(['import', '--file', 'all.json', '--yes'], { registry, cwd })).code).toBe(0);
  const { servers, agents, scopes } = JSON.parse(text);
  expect(changes).toEqual([
    ['POST /api/servers', expect.objectContaining({ path: servers[0].path, is_enabled: true })],
    ['egress-auth', egress],
    ['POST /api/agents', agents[0]],
    ['POST /api/virtual-servers/import', { virtual_servers: [aVirtualServer] }],
    ['POST /api/servers/groups/import', scopes[0]],
  ]);
});

test('what differs is updated, and named before', async () => {
  const { cwd } = await exported(await registryWith(everything));
  const changes: [string, unknown][] = [];
  const registry = await registryWith(
    {
      server: aServer({ description: 'old', is_enabled: false }),
      egress: { ...shownEgress, max_days: 7 },
      agent: { ...anAgent, tags: [] },
      virtual: { ...shownVirtually, separator: '_' },
      scope: { ...aScope, description: 'old' },
    },
    changes,
  );
  const { out, code } = await cli(['import', '--file', 'all.json', '--yes', '--json'], { registry, cwd });
  expect(code).toBe(0);
  expect(JSON.parse(out).steps).toMatchObject([
    { action: 'update', detail: 'description, is_enabled' },
    { action: 'update', detail: 'max_days' },
    { action: 'update', detail: 'tags' },
    { action: 'update', detail: 'separator' },
    { action: 'update', detail: 'description' },
  ]);
  expect(changes.map(([name]) => name)).toEqual([
    ...['PUT /api/servers/currenttime', 'toggle', 'egress-auth', 'PUT /api/agents/hello'],
    ...['POST /api/virtual-servers/import', 'POST /api/servers/groups/import'],
  ]);
});

test('nobody to ask needs --yes, and what cannot be taken is named', async () => {
  const registry = await registryWith({});
  const cwd = await folderWith({
    'mcp.json': JSON.stringify({
      mcpServers: { files: { command: 'npx', args: ['x'] }, time: { url: 'https://t.example/mcp' } },
    }),
  });
  expect((await cli(['import', '--file', 'mcp.json'], { registry, cwd })).code).toBe(2);
  const { code, out } = await cli(['import', '--file', 'mcp.json', '--dry-run'], { registry, cwd });
  expect(code).toBe(1);
  expect(out).toMatch(/server\s+time\s+create/);
  expect(out).toMatch(/refused\s+files\s+refuse/);
  await writeFile(join(cwd, 'bad.json'), '{');
  expect((await cli(['import', '--file', 'bad.json'], { registry, cwd })).err).toContain(
    'bad.json is not valid JSON: line 1',
  );
});
