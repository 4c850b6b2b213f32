import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTrial, type Trial } from '../scopes/scopes.test-support.ts';

const id = '00000000-0000-4000-8000-000000000001';
const rule = { server: 'search', methods: ['tools/list'], tools: [] };

let trial: Trial;
beforeEach(async () => {
  trial = await startTrial();
});
afterEach(() => trial.close());

const made = (scope_config: object = {}, name = 'team') =>
  trial.call('groups.create', { body: { name, description: 'A team', scope_config } });

test('a group is a scope alone, or one with a group in the directory', async () => {
  expect(await made({ server_access: [rule] })).toMatchObject({
    id: 'team',
    name: 'team',
    path: '/team',
    description: 'A team',
    server_access: [rule],
    group_mappings: ['team'],
    is_idp_managed: false,
    source: 'api',
  });
  expect(trial.directory.told).toEqual([]);
  expect(await made({ create_in_idp: true }, 'other')).toMatchObject({ id, is_idp_managed: true });
  expect(trial.directory.all.get(id)).toMatchObject({ name: 'other', description: 'A team' });
  expect((await trial.refused('groups.create', { body: { name: 'team' } })).code).toBe('conflict');
});

test('a change keeps what it does not name', async () => {
  await made({ server_access: [rule], agent_access: ['/a'], ui_permissions: { list_agents: ['/a'] } });
  const patch = (body: object) => trial.call('groups.patch', { params: { name: 'team' }, body });
  expect(await patch({ scope_config: { group_mappings: ['g'] } })).toMatchObject({
    server_access: [rule],
    agent_access: ['/a'],
    ui_permissions: { list_agents: ['/a'] },
    group_mappings: ['g'],
    description: 'A team',
    idp_skip_reason: null,
  });
  expect(trial.held('g')).toEqual(['team']);
  expect(await patch({ scope_config: { server_access: [] } })).toMatchObject({
    server_access: [],
    group_mappings: ['g'],
  });
});

test.each([
  [{ scope_name: 'other' }, ['body.scope_config.scope_name']],
  [{ serveraccess: [] }, ['body.scope_config.serveraccess']],
  [
    { server_access: [{ server: 'a' }], agent_access: 1 },
    ['body.scope_config.server_access.0', 'body.scope_config.agent_access'],
  ],
])('a scope_config %j is refused with the places of its faults', async (scope_config, places) => {
  const failure = await trial.refused('groups.create', { body: { name: 'x', scope_config } });
  expect(failure.faults.map(({ at }) => at)).toEqual(places);
});

test('the directory gets a new description; what it refuses does not undo the change', async () => {
  await made({ create_in_idp: true });
  const describe = (description: string) =>
    trial.call('groups.patch', { params: { name: 'team' }, body: { description } });
  expect(await describe('Two')).toMatchObject({ description: 'Two', idp_skip_reason: null });
  expect(trial.directory.all.get(id)?.description).toBe('Two');
  trial.directory.failing.set('update', 'directory_denied');
  expect(await describe('Three')).toMatchObject({ description: 'Three', idp_skip_reason: 'forbidden' });
  trial.directory.failing.set('update', 'directory_unavailable');
  const failure = await trial.refused('groups.patch', {
    params: { name: 'team' },
    body: { description: 'Four' },
  });
  expect([failure.code, failure.message.includes('The scope is changed')]).toEqual([
    'directory_unavailable',
    true,
  ]);
  expect((await trial.call('groups.get', { params: { name: 'team' } })).description).toBe('Four');
});

test('a scope alone never makes the directory be asked', async () => {
  await made();
  const params = { name: 'team' };
  expect(await trial.call('groups.patch', { params, body: { description: 'x' } })).toMatchObject({
    idp_skip_reason: 'local_only',
  });
  expect(await trial.call('groups.remove', { params })).toMatchObject({ idp_skip_reason: 'local_only' });
  expect(trial.directory.told).toEqual([]);
  for (const call of ['groups.get', 'groups.remove'] as const)
    expect((await trial.refused(call, { params })).code).toBe('not_found');
});

test('lists tell groups of the directory, scopes, and which of them belong together', async () => {
  await made({ create_in_idp: true }, 'both');
  const idle = { id: id.replace(/1$/, '2'), name: 'idle', description: 'Gives nothing' };
  trial.directory.all.set(idle.id, { ...idle, mapping: idle.id, editable: true });
  const list = await trial.call('groups.list');
  expect(list.groups.map(({ name, is_idp_managed, source }) => [name, is_idp_managed, source])).toEqual([
    ['both', true, 'api'],
    ['idle', true, null],
    ['readers', false, 'file'],
    ['registry-admins', false, 'file'],
  ]);
  const scopes = await trial.call('scopes.list');
  expect(scopes).toMatchObject({
    synchronized: ['both'],
    keycloak_only: ['idle'],
    scopes_only: ['registry-admins', 'readers'],
    directory: 'entra',
    scopes_groups: { readers: { source: 'file', editable: false, servers: ['currenttime'] } },
  });
  const alone = await trial.call('scopes.list', { query: { include_keycloak: 'false' } });
  expect([alone.directory, alone.keycloak_groups, alone.synchronized]).toEqual([null, [], []]);
});

test('hundreds of groups are read page by page', async () => {
  for (let n = 0; n < 1201; n++)
    trial.directory.all.set(`${n}`, {
      ...{ id: `${n}`, name: `g${n}`, description: null, mapping: `${n}`, editable: true },
    });
  expect((await trial.call('groups.list')).total).toBe(1203);
  expect(trial.directory.told).toEqual(['list ', 'list 500', 'list 1000']);
});

test('a directory that is away is said to be, not shown as empty', async () => {
  trial.directory.failing.set('list', 'directory_unavailable');
  for (const call of ['groups.list', 'scopes.list'] as const)
    expect((await trial.refused(call)).code).toBe('directory_unavailable');
  expect(
    (await trial.call('scopes.list', { query: { include_keycloak: 'false' } })).scopes_groups,
  ).toHaveProperty('readers');
});

test('a directory that may not be read costs its own part of the list, which says so', async () => {
  trial.directory.failing.set('list', 'directory_denied');
  const list = await trial.call('scopes.list');
  expect(Object.keys(list.scopes_groups)).toContain('readers');
  expect(list).toMatchObject({ keycloak_groups: [], directory: null, directory_fault: expect.any(String) });
});

test('everyone gets the names of their own groups, and no others; the directory is asked once', async () => {
  await made({ create_in_idp: true });
  await made({ create_in_idp: true }, 'secret');
  const mine = () => trial.call('groups.mine', {}, [id, 'unheard-of']);
  const expected = {
    groups: [
      { id, name: 'team' },
      { id: 'unheard-of', name: null },
    ],
  };
  trial.directory.failing.set('list', 'directory_unavailable');
  expect((await mine()).groups.map(({ name }) => name)).toEqual([null, null]);
  trial.directory.failing.clear();
  expect(await mine()).toEqual(expected);
  const asked = trial.directory.told.length;
  expect(await mine()).toEqual(expected);
  expect(trial.directory.told).toHaveLength(asked);
  expect(await trial.call('groups.mine', {}, [])).toEqual({ groups: [] });
});
