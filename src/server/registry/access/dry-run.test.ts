import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTrial, type Trial } from '../scopes/scopes.test-support.ts';

let trial: Trial;
beforeEach(async () => {
  trial = await startTrial();
});
afterEach(() => trial.close());

const rule = (tools: string[]) => ({ server: 'currenttime', methods: ['tools/call'], tools });
const callers = (tools: string[], groups = ['g']) => ({
  scope_name: 'callers',
  group_mappings: groups,
  server_access: [rule(tools)],
});
const dryRun = (definition: object) => trial.call('access.dryRun', { body: { definition } });
const onTools = (tools: string[]) => ({
  servers: [{ server: 'currenttime', methods: [], tools, prompts: [], resources: [] }],
  permissions: [],
});

async function person(subject: string, groups: string[]): Promise<void> {
  await trial.database.db
    .insertInto('people')
    .values({
      ...{ provider: 'entra', subject, username: `${subject}@example.com`, name: null, email: null },
      ...{ tenant: null, groups: JSON.stringify(groups), groups_read_at: '2026-01-01T00:00:00.000Z' },
      ...{ refresh_sealed: null, refused_at: null, refused_because: null },
    })
    .execute();
}

async function application(client: string, groups: string[]): Promise<void> {
  const at = '2026-01-01T00:00:00.000Z';
  await trial.database.db
    .insertInto('m2m_clients')
    .values({
      ...{ provider: 'entra', client_id: client, name: '', description: '', groups: JSON.stringify(groups) },
      ...{ is_enabled: 1, created_by: 'a', created_at: at, updated_at: at },
    })
    .execute();
}

test('a scope that would be made, replaced or removed is told with the gains and losses of its groups', async () => {
  expect(await dryRun(callers(['now']))).toEqual({
    ...{ scope: 'callers', change: 'made', locks_out: false, accounts: [], accounts_total: 0 },
    groups: [{ group: 'g', gains: onTools(['now']), loses: null }],
  });
  await trial.call('scopes.import', { body: callers(['now', 'then']) });
  expect(await dryRun(callers(['now', 'later'], ['g', 'h']))).toMatchObject({
    change: 'replaced',
    groups: [
      { group: 'g', gains: onTools(['later']), loses: onTools(['then']) },
      { group: 'h', gains: onTools(['now', 'later']), loses: null },
    ],
  });
  expect(await trial.call('access.dryRun', { body: { remove: 'callers' } })).toMatchObject({
    change: 'removed',
    groups: [{ group: 'g', gains: null, loses: onTools(['now', 'then']) }],
  });
});

test('it changes nothing', async () => {
  await dryRun(callers(['now']));
  expect((await trial.refused('scopes.get', { params: { name: 'callers' } })).code).toBe('not_found');
  expect(trial.held('g')).toEqual([]);
});

test('people and applications are told with all their groups: what they keep by another is neither gained nor lost', async () => {
  await trial.call('scopes.import', { body: callers(['now']) });
  await trial.call('scopes.import', {
    body: { ...callers(['now']), scope_name: 'others', group_mappings: ['h'] },
  });
  await person('alice', ['g']);
  await person('bob', ['g', 'h']);
  await person('carol', ['x']);
  await application('agent', ['g']);
  const { accounts, accounts_total } = await trial.call('access.dryRun', { body: { remove: 'callers' } });
  const loses = { gains: null, loses: onTools(['now']) };
  expect(accounts).toEqual([
    { kind: 'application', provider: 'entra', name: 'agent', ...loses },
    { kind: 'person', provider: 'entra', name: 'alice@example.com', ...loses },
  ]);
  expect(accounts_total).toBe(2);
});

test('a crowd is counted whole and told in part', async () => {
  for (let at = 0; at < 1001; at += 1) await person(`p${at}`, ['g']);
  const { accounts, accounts_total } = await dryRun(callers(['now']));
  expect([accounts.length, accounts_total]).toEqual([500, 1001]);
});

test('a scope of the file can be tried too, and who would lock themselves out is told', async () => {
  const definition = { scope_name: 'registry-admins', group_mappings: ['others'], server_access: [] };
  expect(await dryRun(definition)).toMatchObject({ change: 'replaced', locks_out: true });
});

test.each([
  [{ definition: { scope_name: 's', server_access: [{ server: 7 }] } }, 'invalid_input'],
  [{ remove: 'no such scope' }, 'not_found'],
])('what could not be done is refused as the change would be: %j', async (body, code) => {
  expect((await trial.refused('access.dryRun', { body })).code).toBe(code);
});

test('what is gained through one program only is gained, and told before it is', async () => {
  await person('ann', ['g']);
  const definition = { ...callers(['now']), clients: ['editor'] };
  const told = { gains: onTools(['now']), loses: null };
  expect(await dryRun(definition)).toMatchObject({
    groups: [{ group: 'g', ...told }],
    accounts: [{ name: 'ann@example.com', ...told }],
  });
});
