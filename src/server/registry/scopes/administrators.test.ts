import { afterEach, beforeEach, expect, test } from 'vitest';
import { recordChange } from '../../changes/record.ts';
import { startTrial, type Trial } from './scopes.test-support.ts';

// Only the API's scopes make administrators here: nothing of the file is left to fall back on.
const without = 'readers: [{ server: a, methods: [ping] }]\ngroup_mappings: { readers: [readers] }\n';
const administrators = (groups: string[]) => ({ scope_name: 'registry-admins', group_mappings: groups });

let trial: Trial;
beforeEach(async () => {
  trial = await startTrial();
});
afterEach(() => trial.close());

async function onlyByApi(groups: string[]): Promise<Trial> {
  const one = await startTrial({}, without);
  await one.database.db
    .insertInto('scopes')
    .values({
      ...{ name: 'registry-admins', source: 'api', position: 0, created_at: null, idp_group_id: null },
      ...{ updated_at: '2026-01-01T00:00:00.000Z' },
      definition: JSON.stringify({
        serverRules: [],
        agentRules: [],
        uiPermissions: {},
        groupMappings: groups,
      }),
    })
    .execute();
  await recordChange(one.database.db, 'scope', 'registry-admins');
  await one.feed.caughtUp();
  return one;
}

test('nobody can end the last administrator, by whichever way', async () => {
  const one = await onlyByApi(['admins']);
  const ways = [
    ['scopes.import', { body: administrators([]) }],
    ['scopes.import', { body: administrators(['others']) }],
    ['scopes.import', { body: { ...administrators(['admins']), clients: ['a-program'] } }],
    ['scopes.delete', { body: { group_name: 'registry-admins', force: true } }],
    ['groups.patch', { params: { name: 'registry-admins' }, body: { scope_config: { group_mappings: [] } } }],
    ['groups.remove', { params: { name: 'registry-admins' } }],
  ] as const;
  for (const [id, input] of ways) expect((await one.refused(id, input)).code).toBe('would_lock_out');
  expect(one.held('admins')).toEqual(['registry-admins']);
  await one.close();
});

test('two administrators who end each other at the same time do not both succeed', async () => {
  const one = await onlyByApi(['a', 'b']);
  const ended = await Promise.allSettled([
    one.call('scopes.import', { body: administrators(['a']) }, ['a']),
    one.call('scopes.import', { body: administrators(['b']) }, ['b']),
  ]);
  expect(ended.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect([...one.held('a'), ...one.held('b')]).toEqual(['registry-admins']);
  await one.close();
});

test('who stays an administrator by another scope may change any', async () => {
  await trial.call('scopes.import', {
    body: { scope_name: 'mcp-registry-admin', group_mappings: ['others'] },
  });
  await trial.call('scopes.delete', { body: { group_name: 'mcp-registry-admin', force: true } });
  expect(trial.held('others')).toEqual([]);
});

test('scopes of the roles are removed only with force', async () => {
  await trial.call('scopes.import', { body: { scope_name: 'mcp-servers-unrestricted/read' } });
  const body = { group_name: 'mcp-servers-unrestricted/read' };
  const failure = await trial.refused('scopes.delete', { body });
  expect([failure.code, failure.message.includes('force')]).toEqual(['not_editable', true]);
  await trial.call('scopes.delete', { body: { ...body, force: true } });
});

test.each<[what: string, body: object, noted: boolean]>([
  ['an administrator scope', { scope_name: 'mcp-registry-admin' }, true],
  ['every server', { scope_name: 's', server_access: [{ server: '*', methods: ['ping'] }] }, true],
  ['changing every server', { scope_name: 's', ui_permissions: { modify_service: ['all'] } }, true],
  ['seeing every server', { scope_name: 's', ui_permissions: { list_service: ['all'] } }, false],
  ['one server', { scope_name: 's', server_access: [{ server: 'a', methods: ['*'], tools: '*' }] }, false],
])('granting %s is noted as an administrator grant: %s %s', async (_, body, noted) => {
  await trial.call('scopes.import', { body });
  expect(trial.notes.at(-1)?.admin_grant).toBe(noted ? true : undefined);
});

test('a further group for such a scope is a grant, taking one away is none', async () => {
  const body = { scope_name: 'mcp-registry-admin', group_mappings: ['a'] };
  await trial.call('scopes.import', { body });
  await trial.call('scopes.import', { body: { ...body, group_mappings: ['a', 'b'] } });
  expect(trial.notes.at(-1)?.admin_grant).toBe(true);
  await trial.call('scopes.import', { body: { ...body, group_mappings: ['b'] } });
  expect(trial.notes.at(-1)?.admin_grant).toBeUndefined();
});

test('each change is noted with what was before and what is after', async () => {
  const body = { scope_name: 's', group_mappings: ['a'] };
  await trial.call('scopes.import', { body });
  await trial.call('scopes.import', { body: { ...body, description: 'new' } });
  await trial.call('scopes.delete', { body: { group_name: 's' } });
  const [made, changed, removed] = trial.notes.slice(-3);
  expect(made).toMatchObject({
    scopes: ['s'],
    before: [null],
    after: [{ scope_name: 's', group_mappings: ['a'] }],
  });
  expect(changed).toMatchObject({ before: [{ description: '' }], after: [{ description: 'new' }] });
  expect(removed).toMatchObject({ before: [{ description: 'new' }], after: [null], idp_deleted: false });
});
