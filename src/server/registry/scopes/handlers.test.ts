import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { callableTools, decide } from '../../access/decide.ts';
import { accessOf } from '../../access/grants.ts';
import { startTrial, type Trial } from './scopes.test-support.ts';

const example = JSON.parse(readFileSync('examples/public-mcp-users.json', 'utf8')) as Record<string, unknown>;
const team = {
  scope_name: 'team/search',
  server_access: [{ server: '/search/', methods: ['initialize', 'tools/call'], tools: '*' }],
};

let trial: Trial;
beforeEach(async () => {
  trial = await startTrial();
});
afterEach(() => trial.close());

const imported = (body: object) => trial.call('scopes.import', { body });

test("the guide's example group is enforced exactly", async () => {
  const answer = await imported(example);
  expect(answer).toMatchObject({
    message: 'Group public-mcp-users imported successfully',
    group_name: 'public-mcp-users',
    idp_created: true,
    auth_server_reloaded: true,
    changed: true,
  });
  const grants = trial.scopes.grants();
  const member = { groups: [answer.idp_group_id as string] };
  const may = (server: string, method: string, tool?: string) =>
    decide(member, { server, method, tool }, grants).allow;
  expect([
    may('context7', 'initialize'),
    may('context7', 'tools/list'),
    may('context7', 'tools/call', 'resolve-library-id'),
  ]).toEqual([true, true, true]);
  expect([
    may('context7', 'resources/read'),
    may('context7', 'prompts/get'),
    may('currenttime', 'initialize'),
    may('currenttime', 'tools/call', 'now'),
    may('*', 'initialize'),
  ]).toEqual([false, false, false, false, false]);
  expect(callableTools(member, 'context7', [{ name: 'a' }], grants)).toHaveLength(1);
  const access = accessOf(member, grants);
  expect(
    Object.fromEntries([...access.permissions].map(([name, on]) => [name, on === 'all' ? on : [...on]])),
  ).toEqual({
    list_service: 'all',
    list_agents: ['/flight-booking'],
    get_agent: ['/flight-booking'],
  });
  expect([access.isAdmin, access.may('get_agent', '/hotels'), access.may('modify_service')]).toEqual([
    false,
    false,
    false,
  ]);
  expect(answer.warnings.join('\n')).toContain("the server 'api' has no effect");
  expect(answer.warnings).toContain("no server 'context7' is registered");
});

test('an import is in force with the next decision, and importing it again changes nothing', async () => {
  expect(trial.held('team/search')).toEqual([]);
  expect(await imported(team)).toMatchObject({ changed: true, idp_created: false, idp_group_id: null });
  expect(trial.held('team/search')).toEqual(['team/search']);
  expect(
    decide(
      { groups: ['team/search'] },
      { server: 'search', method: 'tools/call', tool: 'x' },
      trial.scopes.grants(),
    ),
  ).toEqual({
    allow: true,
    scope: 'team/search',
  });
  expect(await imported(team)).toMatchObject({ changed: false });
  expect(trial.notes.at(-1)).toEqual({ scopes: [], before: [], after: [] });
});

test('what is shown can be imported as it is, and says the same', async () => {
  await imported({ ...team, agent_access: ['hotels/'], ui_permissions: { list_service: ['search'] } });
  const shown = await trial.call('scopes.get', { params: { name: 'team/search' } });
  expect(shown).toMatchObject({ source: 'api', editable: true, agent_access: ['/hotels'] });
  const { source, editable, is_idp_managed, idp_group_id, created_at, updated_at, ...definition } = shown;
  expect(await imported(definition)).toMatchObject({ changed: false });
  expect(await imported({ ...definition, description: 'new' })).toMatchObject({ changed: true });
});

test('an import replaces the whole scope', async () => {
  await imported({ ...team, ui_permissions: { list_service: ['all'] }, group_mappings: ['g', 'h'] });
  await imported({ scope_name: 'team/search', group_mappings: ['h'] });
  expect(trial.held('g')).toEqual([]);
  expect(accessOf({ groups: ['h'] }, trial.scopes.grants()).may('list_service', 'search')).toBe(false);
});

test('agents that a scope may see can be listed and opened, and no others', async () => {
  await imported({ scope_name: 's', agent_access: ['/hotels'], group_mappings: ['g'] });
  const { may } = accessOf({ groups: ['g'] }, trial.scopes.grants());
  expect([may('list_agents', 'hotels'), may('get_agent', '/hotels'), may('get_agent', '/flights')]).toEqual([
    true,
    true,
    false,
  ]);
  expect(may('modify_agent', '/hotels')).toBe(false);
});

test('a file of the other system is imported: what it derives is ignored, what is unknown is set aside with a warning', async () => {
  const answer = await trial.call('scopes.import', {
    body: {
      ...{ _id: '65f0', scope_name: 'team', created_at: '2025-01-01', custom_scopes: ['mcp/read'] },
      server_access: [{ server: 'time', methods: ['tools/list'], tools: ['*'] }],
      ui_permissions: { list_service: ['*'], list_skills: ['all'] },
    },
  });
  expect(answer.warnings.join(' ')).toMatch(/list_skills.*custom_scopes \(mcp\/read\)/);
  const { ui_permissions } = await trial.call('scopes.get', { params: { name: 'team' } });
  expect(ui_permissions).toEqual({ list_service: ['all'] });
});

test('every fault is told at once, with its place, and nothing is stored', async () => {
  const failure = await trial.refused('scopes.import', {
    body: {
      scope_name: '../x',
      descripton: 'typo',
      server_access: [
        { server: 'a', methods: 'ping' },
        { server: 'a*', methods: [] },
        { agents: { actions: [{ action: 'fly', resources: ['x'] }] } },
        { agent: '/x', actions: ['get_agent', 'dance'] },
        { server: 'a', method: ['ping'] },
        7,
      ],
      ui_permissions: { list_service: 'all', fly_service: [], get_agent: ['/x/*'] },
      agent_access: ['/'],
      group_mappings: ['ok', '', 5, 'a\nb'],
      create_in_idp: 'yes',
    },
  });
  expect(failure.code).toBe('invalid_input');
  expect(failure.faults.map(({ at }) => at).sort()).toEqual([
    'body',
    'body.agent_access.0',
    'body.create_in_idp',
    'body.group_mappings.1',
    'body.group_mappings.2',
    'body.group_mappings.3',
    'body.scope_name',
    'body.server_access.0.methods',
    'body.server_access.1.server',
    'body.server_access.2.agents.actions.0.action',
    'body.server_access.3.actions.1',
    'body.server_access.4',
    'body.server_access.4.method',
    'body.server_access.5',
    'body.ui_permissions.get_agent.0',
    'body.ui_permissions.list_service',
  ]);
  expect(failure.message).toContain('methods must be a list; write [ping]');
  expect(Object.keys((await trial.call('scopes.list')).scopes_groups)).toEqual([
    'registry-admins',
    'readers',
  ]);
  expect(trial.directory.told.filter((line) => line.startsWith('create'))).toEqual([]);
});

test.each([
  '',
  ' x',
  'x ',
  '..',
  './x',
  'a//b',
  '/a',
  'a/',
  "a' or 'a' eq 'a",
  '{a}',
  'registry-аdmins',
  'a\u202eb',
  'a\nb',
  '__proto__',
  'group_mappings',
  'UI-Scopes',
  'x'.repeat(10_000),
])('%j is no name for a scope', async (scope_name) => {
  expect((await trial.refused('scopes.import', { body: { scope_name } })).code).toBe('invalid_input');
});

test('names that mean something elsewhere are taken literally', async () => {
  const group = "x' or displayName ne 'x";
  await imported({ scope_name: 'constructor', group_mappings: [group, '$(id)'] });
  expect(trial.held(group)).toEqual(['constructor']);
  expect(trial.held('x')).toEqual([]);
  expect(await trial.call('scopes.get', { params: { name: 'constructor' } })).toMatchObject({
    group_mappings: [group, '$(id)'],
  });
  expect((await trial.refused('scopes.get', { params: { name: '__proto__' } })).code).toBe('not_found');
});

test.each([
  ['scopes.import', { body: { scope_name: 'readers' } }],
  ['scopes.delete', { body: { group_name: 'readers' } }],
  ['scopes.add', { body: { server_name: 'x', group_names: 'readers' } }],
  ['scopes.remove', { body: { server_name: 'currenttime', group_names: ['readers'] } }],
  ['groups.patch', { params: { name: 'readers' }, body: { description: 'x' } }],
  ['groups.remove', { params: { name: 'readers' } }],
] as const)('%s leaves a scope of the file alone and says where to change it', async (id, input) => {
  const failure = await trial.refused(id, input);
  expect(failure.code).toBe('not_editable');
  expect(failure.message).toContain('Edit scopes.yml');
  expect(trial.held('readers')).toEqual(['readers']);
});

test('a new scope takes no name that is taken', async () => {
  await imported(team);
  for (const group_name of ['readers', 'team/search'])
    expect((await trial.refused('scopes.create', { body: { group_name } })).code).toMatch(
      /conflict|not_editable/,
    );
  expect((await trial.call('scopes.create', { body: { group_name: 'fresh' } })).changed).toBe(true);
  expect(trial.held('fresh')).toEqual(['fresh']);
});

test('a server is added with every tool and to the list, once, and removed from everything', async () => {
  await imported({ scope_name: 'a', server_access: [{ server: 'search', methods: ['ping'] }] });
  await imported({
    scope_name: 'b',
    ui_permissions: { list_service: ['all'], toggle_service: ['search', 'x'] },
  });
  const body = { server_name: '/search', group_names: 'a, b' };
  expect(await trial.call('scopes.add', { body })).toMatchObject({
    server_name: 'search',
    groups: [
      { group_name: 'a', changed: true },
      { group_name: 'b', changed: true },
    ],
    warnings: expect.arrayContaining(["no server 'search' is registered"]),
  });
  const may = (group: string) =>
    decide({ groups: [group] }, { server: 'search', method: 'tools/call', tool: 't' }, trial.scopes.grants())
      .allow;
  // A rule that was there already says what the scope may: adding does not widen it.
  expect([may('a'), may('b')]).toEqual([false, true]);
  expect(accessOf({ groups: ['a'] }, trial.scopes.grants()).may('list_service', 'search')).toBe(true);
  expect(
    (await trial.call('scopes.add', { body })).groups.map((one: { changed: boolean }) => one.changed),
  ).toEqual([false, false]);
  await trial.call('scopes.remove', { body });
  expect(may('b')).toBe(false);
  expect((await trial.call('scopes.get', { params: { name: 'b' } })).ui_permissions).toEqual({
    list_service: ['all'],
    toggle_service: ['x'],
  });
  expect((await trial.call('scopes.get', { params: { name: 'a' } })).server_access).toEqual([]);
});

test('adding to several scopes is all or nothing', async () => {
  await imported({ scope_name: 'a' });
  for (const other of ['nobody', 'readers']) {
    const failure = await trial.refused('scopes.add', {
      body: { server_name: 'x', group_names: ['a', other] },
    });
    expect(failure.code).toBe(other === 'nobody' ? 'not_found' : 'not_editable');
  }
  expect((await trial.call('scopes.get', { params: { name: 'a' } })).server_access).toEqual([]);
  expect((await trial.refused('scopes.add', { body: { server_name: '*', group_names: 'a' } })).code).toBe(
    'invalid_input',
  );
});

test('an import under way at the same time as another of the name leaves one of both, whole', async () => {
  const bodies = [1, 2, 3, 4].map((n) => ({ ...team, description: `${n}`, group_mappings: [`g${n}`] }));
  await Promise.all(bodies.map(imported));
  const shown = await trial.call('scopes.get', { params: { name: 'team/search' } });
  expect(shown.group_mappings).toEqual([`g${shown.description}`]);
  expect([1, 2, 3, 4].filter((n) => trial.held(`g${n}`).length > 0)).toHaveLength(1);
});
