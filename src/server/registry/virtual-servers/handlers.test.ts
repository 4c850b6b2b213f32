import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Endpoint, type Input, Reply } from '../../../contract/endpoint.ts';
import type { UiPermission } from '../../../contract/permissions.ts';
import {
  type VirtualServer,
  virtualServerDefinition,
  virtualServerEndpoints,
} from '../../../contract/servers/virtual-servers.ts';
import type { Access, Caller } from '../../access/caller.ts';
import { compile } from '../../access/grants.ts';
import { type Feed, startFeed } from '../../changes/feed.ts';
import { type OpenDatabase, openMemory } from '../../db/open.ts';
import { Failure } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import type { Route } from '../servers/route.ts';
import { virtualServerHandlers } from './handlers.ts';
import { resolve } from './resolve.ts';
import { startVirtualTable, type VirtualTable } from './table.ts';

type Id = keyof typeof virtualServerEndpoints;
type Grants = Partial<Record<UiPermission, 'all' | string[]>>;

let database: OpenDatabase;
let feed: Feed;
let table: VirtualTable;
let handlers: ReturnType<typeof virtualServerHandlers>;
const routes = new Map<string, Route>();
/** A group that holds two scopes, so that a token can be limited to one of them. */
const grants = compile(
  new Map(
    ['one', 'two'].map((name) => [
      name,
      { name, serverRules: [], agentRules: [], uiPermissions: {}, groupMappings: ['g'] },
    ]),
  ),
);
const rules: Record<string, string[]> = {};

beforeEach(async () => {
  database = await openMemory();
  feed = await startFeed({ db: database.db, log: { error() {}, info() {} }, pollMs: 0 });
  routes.clear();
  for (const name of ['time', 'docs', 'b1', 'b1__x']) put(name, ['now', 'search']);
  const findRoute = (name: string) => routes.get(name);
  table = await startVirtualTable({ db: database.db, feed, findRoute });
  let ids = 0;
  handlers = virtualServerHandlers({
    ...{ db: database.db, table, findRoute, publicUrl: 'https://gateway.example', now: () => 0 },
    newId: () => `id-${++ids}`,
    grants: () => grants,
    decide: (identity, { server, tool, prompt, resource }) =>
      (rules[identity.subject] ?? ['*']).some((rule) =>
        ['*', server, `${server} ${tool ?? prompt ?? resource}`].includes(rule),
      )
        ? { allow: true, scope: 's' }
        : { allow: false, reason: 'tool' },
  });
});
afterEach(async () => {
  for (const name of Object.keys(rules)) delete rules[name];
  await feed.close();
  await database.close();
});

function put(name: string, tools: string[], more: Partial<Route> = {}): void {
  routes.set(name, {
    ...{ id: name, name, enabled: true, callMs: null, mcp: new URL('http://127.0.0.1:1/mcp'), sse: null },
    ...{ health: 'healthy', version: '1.0', credentials: null, protocolVersion: '2026-07-28' },
    tools: tools.map((tool) => ({ name: tool, description: `${tool}s`, inputSchema: { type: 'object' } })),
    ...more,
  });
}

function callerOf(subject: string, permissions: Grants, scopes: string[] = []): Caller<Identity> {
  const access: Access = {
    ...{ scopes, isAdmin: false, permissions: new Map(), servers: 'all' },
    may(permission, resource) {
      const granted = permissions[permission] ?? [];
      return granted === 'all' || (resource === undefined ? granted.length > 0 : granted.includes(resource));
    },
  };
  const identity = { kind: 'person', provider: 'entra', subject, username: subject } as Identity;
  return { identity, access, correlationId: 'c', note: () => undefined };
}

const admin = callerOf('admin', {
  list_service: 'all',
  list_virtual_server: 'all',
  create_virtual_server: 'all',
  modify_virtual_server: 'all',
  delete_virtual_server: 'all',
});
const bob = callerOf('bob', { list_service: ['time'] });
const dora = callerOf('dora', { list_virtual_server: ['virtual/research'], list_service: ['docs'] });

/** Calls a handler as the HTTP room does: input parsed, output held to its schema, codes of failures as text. */
async function call(
  id: Id,
  caller: Caller<Identity>,
  input: { path?: string; body?: unknown; ifMatch?: string } = {},
) {
  const endpoint: Endpoint = virtualServerEndpoints[id];
  const parsed = {
    params: endpoint.params?.parse({ path: input.path }),
    query: endpoint.query?.parse({}),
    body: endpoint.body?.parse(input.body),
    ifMatch: input.ifMatch,
  } as Input<Endpoint>;
  try {
    const answer: unknown = await (handlers[id] as (i: unknown, c: unknown) => unknown)(parsed, caller);
    return endpoint.output.parse(answer instanceof Reply ? answer.body : answer) as VirtualServer & {
      virtual_servers: VirtualServer[];
      tools: { name: string; original_name: string }[];
    };
  } catch (error) {
    if (error instanceof Failure) return { code: error.code, detail: error.message };
    throw error;
  }
}

const research = {
  server_name: 'Research',
  tool_mappings: [{ tool_name: 'now', alias: 'clock', backend_server_path: '/time' }],
  members: [{ backend_server_path: '/docs' }],
};

test('an administrator creates one; whoever may list it sees what they may call through it', async () => {
  expect(await call('virtualServers.create', admin, { body: research })).toMatchObject({
    path: '/virtual/research',
    endpoint_url: 'https://gateway.example/virtual/research/mcp',
    num_tools: 3,
    backend_paths: ['/time', '/docs'],
  });
  rules.dora = ['virtual/research', 'docs search'];
  const seen = await call('virtualServers.tools', dora, { path: 'research' });
  expect(seen).toMatchObject({ tools: [{ name: 'docs__search', original_name: 'search' }] });
  expect(await call('virtualServers.get', dora, { path: 'virtual/research' })).toMatchObject({
    num_tools: 1,
    backend_paths: ['/docs'],
    tool_mappings: [],
    can: { modify: false, delete: false },
  });
  expect(await call('virtualServers.get', bob, { path: 'research' })).toMatchObject({ code: 'not_found' });
  expect(await call('virtualServers.change', dora, { path: 'research', body: {} })).toMatchObject({
    code: 'not_allowed',
  });
  expect(await call('virtualServers.create', dora, { body: { ...research, path: 'other' } })).toMatchObject({
    code: 'not_allowed',
  });
});

test('a personal one is its owner’s alone, and everybody has the slugs to themselves', async () => {
  rules.bob = ['time now'];
  const mine = { ...research, path: '/virtual/me/mine', members: [] };
  expect(await call('virtualServers.create', bob, { body: mine })).toMatchObject({
    num_tools: 1,
    is_personal: true,
  });
  expect(await call('virtualServers.get', admin, { path: 'me/mine' })).toMatchObject({ code: 'not_found' });
  expect((await call('virtualServers.list', admin)) as object).toMatchObject({ virtual_servers: [] });
  expect(await call('virtualServers.create', admin, { body: mine })).toMatchObject({
    path: '/virtual/me/mine',
  });
  expect(await call('virtualServers.remove', admin, { path: 'me/mine' })).toBeUndefined();
  expect(await call('virtualServers.get', bob, { path: 'me/mine' })).toMatchObject({ num_tools: 1 });
  rules.bob = [];
  expect(await call('virtualServers.get', bob, { path: 'me/mine' })).toMatchObject({ num_tools: 0 });
});

test('a token limited to less than its owner has does not choose what stands in their personal ones', async () => {
  const mine = { ...research, path: '/virtual/me/mine', members: [] };
  await call('virtualServers.create', bob, { body: mine });
  const identity = { ...bob.identity, groups: ['g'], limitedTo: ['one'] };
  const limited = { ...bob, identity };
  const inMine = { path: mine.path };
  for (const refused of [
    await call('virtualServers.create', limited, { body: { ...mine, path: '/virtual/me/other' } }),
    await call('virtualServers.change', limited, { ...inMine, body: mine }),
    await call('virtualServers.import', limited, { body: { virtual_servers: [mine] } }),
    await call('virtualServers.toggle', limited, { ...inMine, body: { enabled: false } }),
    await call('virtualServers.remove', limited, inMine),
  ])
    expect(refused).toMatchObject({ code: 'not_allowed', detail: expect.stringContaining('limited') });
  expect(await call('virtualServers.get', limited, inMine)).toMatchObject({ path: mine.path });
});

test('nobody puts into a personal one what they may not call, nor learns whether it exists', async () => {
  rules.bob = ['time now'];
  const of = (backend_server_path: string, tool_name: string) =>
    call('virtualServers.create', bob, {
      body: { server_name: 'x', path: 'me/x', tool_mappings: [{ tool_name, backend_server_path }] },
    }) as Promise<{ detail: string }>;
  const detail = async (path: string, tool: string) =>
    (await of(path, tool)).detail.replaceAll(path, 'P').replaceAll(tool, 'T');
  expect(await detail('/time', 'search')).toBe(await detail('/time', 'missing'));
  expect(await detail('/docs', 'search')).toBe(await detail('/missing', 'search'));
});

test('nor does what is in the way of something tell its maker of tools that they may not call', async () => {
  put('time', ['now', 'transfer']);
  put('docs', ['transfer', 'search']);
  const who = { ...bob, access: callerOf('bob', { list_service: 'all' }).access };
  const members = ['/time', '/docs'].map((backend_server_path) => ({ backend_server_path, prefix: '' }));
  rules.bob = ['time now', 'docs'];
  const made = await call('virtualServers.create', who, {
    body: { server_name: 'x', path: 'me/x', members },
  });
  expect(made).toMatchObject({ is_personal: true, conflicts: [] });
  rules.bob = ['*'];
  expect(await call('virtualServers.get', who, { path: 'me/x' })).toMatchObject({
    conflicts: [expect.stringContaining("'transfer' of 'docs'")],
  });
});

test.each([
  [
    'two names alike',
    {
      tool_mappings: [
        { tool_name: 'now', backend_server_path: '/time' },
        { tool_name: 'now', backend_server_path: '/docs' },
      ],
    },
  ],
  [
    'an alias like a member’s name',
    {
      tool_mappings: [{ tool_name: 'now', alias: 'docs__now', backend_server_path: '/time' }],
      members: [{ backend_server_path: '/docs' }],
    },
  ],
  [
    'prefixes that run into each other',
    {
      members: [
        { backend_server_path: '/b1', prefix: 'b1' },
        { backend_server_path: '/b1__x', prefix: 'b1__x' },
      ],
    },
  ],
  [
    'the same prefix',
    {
      members: [
        { backend_server_path: '/time', prefix: 'A' },
        { backend_server_path: '/docs', prefix: 'a' },
      ],
    },
  ],
  [
    'members without prefix that share names',
    {
      members: [
        { backend_server_path: '/time', prefix: '' },
        { backend_server_path: '/docs', prefix: '' },
      ],
    },
  ],
  [
    'another version than pinned',
    { tool_mappings: [{ tool_name: 'now', backend_server_path: '/time', backend_version: '2.0' }] },
  ],
  ['no such tool', { tool_mappings: [{ tool_name: 'never', backend_server_path: '/time' }] }],
  [
    'an override of no tool',
    {
      members: [{ backend_server_path: '/docs' }],
      tool_scope_overrides: [{ tool_alias: 'none', required_scopes: ['s'] }],
    },
  ],
  ['nothing in it', {}],
])('refused with its place: %s', async (_, body) => {
  const answer = await call('virtualServers.create', admin, { body: { server_name: 'X', ...body } });
  expect(answer).toMatchObject({ code: 'invalid_input' });
});

test('a member without a prefix cannot have what looks like a tool of another member', async () => {
  const members = [
    { backend_server_path: '/time', prefix: '' },
    { backend_server_path: '/docs', prefix: 'docs' },
  ];
  await call('virtualServers.create', admin, { body: { server_name: 'X', members } });
  // Once it is in, it comes up with the name of a tool that the other has, or does not have yet.
  put('time', ['now', 'docs__search', 'DOCS__pay']);
  const fresh = virtualServerDefinition.parse({ server_name: 'X', path: '/virtual/x', members });
  const { items, conflicts } = resolve(fresh, (name) => routes.get(name));
  expect(items.tools.list.map(({ name, server }) => `${server} ${name}`)).toEqual([
    'time now',
    'docs docs__now',
    'docs docs__search',
  ]);
  expect(conflicts).toHaveLength(2);
  const body = { server_name: 'Y', members };
  expect(await call('virtualServers.create', admin, { body })).toMatchObject({ code: 'invalid_input' });
});

test.each(['*', 'all', 'a b', '', 'x'.repeat(65), 'ünder', 'a.b', '../x'])('no alias: %s', async (alias) => {
  const body = {
    server_name: 'X',
    tool_mappings: [{ tool_name: 'now', alias, backend_server_path: '/time' }],
  };
  await expect(call('virtualServers.create', admin, { body })).rejects.toThrow();
});

test.each(['a--b', '-a', 'A', 'a/b', '..', 'me', 'tools', 'a_b', 'all'])('no path: %s', async (path) => {
  await expect(call('virtualServers.create', admin, { body: { ...research, path } })).rejects.toThrow();
});

test('required scopes hide everything from who lacks one; an override hides one tool', async () => {
  const body = {
    ...research,
    required_scopes: ['a', 'b'],
    tool_scope_overrides: [{ tool_alias: 'clock', required_scopes: ['c'] }],
  };
  await call('virtualServers.create', admin, { body });
  const names = async (scopes: string[]) => {
    const seen = await call('virtualServers.tools', callerOf('d', { list_virtual_server: 'all' }, scopes), {
      path: 'research',
    });
    return (seen as { tools: { name: string }[] }).tools.map(({ name }) => name);
  };
  expect(await names(['a'])).toEqual([]);
  expect(await names(['a', 'b'])).toEqual(['docs__now', 'docs__search']);
  expect(await names(['c', 'b', 'a'])).toEqual(['clock', 'docs__now', 'docs__search']);
});

test('a member that is down takes its own tools away, and says so', async () => {
  await call('virtualServers.create', admin, { body: research });
  put('docs', ['now', 'search'], { health: 'unhealthy' });
  expect(await call('virtualServers.tools', admin, { path: 'research' })).toMatchObject({
    tools: [{ name: 'clock' }],
    unavailable: [{ backend_server_path: '/docs', reason: 'it is not healthy' }],
  });
  routes.delete('time');
  expect(await call('virtualServers.tools', admin, { path: 'research' })).toMatchObject({ total_count: 0 });
  put('docs', ['now']);
  put('time', ['now'], { version: '2' });
  expect(await call('virtualServers.tools', admin, { path: 'research' })).toMatchObject({ total_count: 2 });
});

test('what is exported is imported again, all of it or nothing', async () => {
  await call('virtualServers.create', admin, { body: research });
  const exported = (await call('virtualServers.export', admin)) as { virtual_servers: VirtualServer[] };
  const [one] = exported.virtual_servers;
  const broken = { ...one, path: '/virtual/broken', members: [{ backend_server_path: '/missing' }] };
  const body = { virtual_servers: [{ ...one, server_name: 'New' }, broken] };
  expect(await call('virtualServers.import', admin, { body })).toMatchObject({ code: 'invalid_input' });
  expect(await call('virtualServers.get', admin, { path: 'research' })).toMatchObject({
    server_name: 'Research',
  });
  const good = {
    virtual_servers: [
      { ...one, server_name: 'New' },
      { ...one, path: '/virtual/second' },
    ],
  };
  expect(await call('virtualServers.import', admin, { body: good })).toMatchObject({
    created: ['/virtual/second'],
    replaced: ['/virtual/research'],
  });
  expect(await call('virtualServers.import', bob, { body: good })).toMatchObject({ code: 'not_found' });
});

test('a change needs the revision that it was made for, and reaches the table by the feed', async () => {
  await call('virtualServers.create', admin, { body: research });
  await feed.caughtUp();
  expect(table.find('virtual/research', admin.identity)?.row.isEnabled).toBe(true);
  const toggled = await call('virtualServers.toggle', admin, { path: 'research', body: { enabled: false } });
  expect(toggled).toMatchObject({ is_enabled: false, revision: 2 });
  await feed.caughtUp();
  expect(table.find('virtual/research', admin.identity)?.row.isEnabled).toBe(false);
  const late = { path: 'research', body: { description: 'new' }, ifMatch: '"1"' };
  expect(await call('virtualServers.change', admin, late)).toMatchObject({ code: 'changed_meanwhile' });
  expect(await call('virtualServers.change', admin, { ...late, ifMatch: '"2"' })).toMatchObject({
    description: 'new',
    members: [{ backend_server_path: '/docs' }],
  });
  await call('virtualServers.remove', admin, { path: 'research' });
  await feed.caughtUp();
  expect(table.find('virtual/research', admin.identity)).toBeUndefined();
});

test('everyone who sees one rates it, once; a new one at the same path begins without ratings', async () => {
  const path = 'research';
  const rating = (caller: typeof admin) => call('virtualServers.rating', caller, { path });
  const rate = (caller: typeof admin, stars: unknown) =>
    call('virtualServers.rate', caller, { path, body: { rating: stars } });
  await call('virtualServers.create', admin, { body: research });
  expect(await rating(dora)).toEqual({ num_stars: 0, rating_details: [] });
  expect(await rate(dora, 2)).toMatchObject({ average_rating: 2 });
  expect(await rate(admin, 5)).toMatchObject({ average_rating: 3.5 });
  expect(await rate(dora, 4)).toMatchObject({ average_rating: 4.5 });
  const both = [
    { user: 'admin', rating: 5 },
    { user: 'dora', rating: 4 },
  ];
  expect(await rating(dora)).toEqual({ num_stars: 4.5, rating_details: both });
  expect(await call('virtualServers.get', dora, { path })).toMatchObject({
    num_stars: 4.5,
    rating_details: both,
  });
  expect(await call('virtualServers.list', dora)).toMatchObject({ virtual_servers: [{ num_stars: 4.5 }] });
  // Who does not see it learns nothing of it.
  expect(await rate(bob, 1)).toMatchObject({ code: 'not_found' });
  expect(await rating(bob)).toMatchObject({ code: 'not_found' });
  for (const wrong of [0, 6, 2.5, '5', null]) await expect(rate(dora, wrong)).rejects.toThrow();
  await call('virtualServers.remove', admin, { path });
  await call('virtualServers.create', admin, { body: research });
  expect(await rating(dora)).toEqual({ num_stars: 0, rating_details: [] });
});
