import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { type Emulator, shippedTenant, startEmulator } from '../../../entra-emulator/main.ts';
import { adminGraph } from '../../../entra-emulator/testing/graph.ts';
import { holdConnection } from '../../egress/egress.test-support.ts';
import { emulatedDirectory } from '../../iam/entra/directory/emulated.test-support.ts';
import { findCutoff } from '../../identity/cutoffs.ts';
import { type AccountsTrial, startAccountsTrial } from './accounts.test-support.ts';

const { accounts, agents, groups } = shippedTenant;
const emulator: Emulator = await startEmulator();
afterAll(() => emulator.close());

let trial: AccountsTrial;
beforeEach(async () => {
  emulator.reset();
  trial = await startAccountsTrial(emulator);
  await trial.adopt(accounts.user.objectId);
});
afterEach(() => trial.close());

const human = (more: object = {}) => ({
  body: {
    ...{ username: 'newt', email: 'newt@contoso.example', first_name: 'Newt', last_name: 'Contoso' },
    ...{ groups: ['mcp-test-users'], ...more },
  },
});
const named = (username: string) => ({ params: { username } });

async function usersCalled(search: string) {
  return (await trial.call('users.list', { query: { search } })).users;
}

test('the list has people with their groups, and the applications on its first page only', async () => {
  await trial.call('users.createM2m', { body: { name: 'a-bot', groups: ['mcp-test-users'] } });
  await trial.call('m2mClients.create', {
    body: { client_id: 'outside-1', client_name: 'outside', groups: ['g'] },
  });
  const first = await trial.call('users.list', { query: { limit: 4 } });
  expect(first.users.map(({ kind }) => kind)).toEqual([...Array(4).fill('human'), 'm2m', 'm2m']);
  expect(first.users.filter(({ kind }) => kind === 'm2m')).toMatchObject([
    { username: 'a-bot', groups: ['mcp-test-users'], group_ids: [groups.users] },
    { id: 'outside-1', username: 'outside', email: 'outside-1@service-account.local', groups: ['g'] },
  ]);
  expect(first.total).toBe(Object.keys(accounts).length + 2);
  const second = await trial.call('users.list', { query: { limit: 4, from: first.next ?? '' } });
  expect(second.users.every(({ kind }) => kind === 'human')).toBe(true);
  expect(await usersCalled('bob')).toMatchObject([
    { id: accounts.user.objectId, groups: ['mcp-test-users'], enabled: true },
  ]);
});

test('a deleted or moved administrator does not continue with a token of the provider', async () => {
  const { db } = trial.database;
  const cutoff = (subject: string) => findCutoff(db, { provider: 'entra', subject });
  await trial.call('users.createM2m', { body: { name: 'a-bot', groups: ['mcp-test-users'] } });
  const [bot] = await usersCalled('a-bot');
  await trial.call('users.groups', { ...named('a-bot'), body: { groups: ['mcp-test-developers'] } });
  await trial.call('users.groups', {
    ...named(accounts.user.userPrincipalName),
    body: { groups: ['mcp-test-developers'] },
  });
  const principal = (await trial.directory.serviceAccounts?.find('a-bot'))?.principalId ?? '';
  for (const subject of [principal, accounts.user.objectId]) {
    expect(await cutoff(subject)).toMatchObject({ groupsBefore: expect.any(Number), isGone: false });
    expect(trial.forgotten).toContain(subject);
  }
  await trial.call('users.remove', named(accounts.user.userPrincipalName));
  await trial.call('users.remove', named(bot?.username ?? ''));
  for (const subject of [principal, accounts.user.objectId])
    expect(await cutoff(subject)).toMatchObject({ isGone: true });
});

test('a person is created with a password that is shown once and signs in, in the groups asked for', async () => {
  const made = await trial.call('users.createHuman', human({ must_change_password: false }));
  expect(made).toMatchObject({
    username: 'newt@contoso.example',
    groups_assigned: ['mcp-test-users'],
    groups_failed: [],
    must_change_password: false,
  });
  expect(made.generated_password).toMatch(/^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[-_.+=%]).{20}$/);
  expect(JSON.stringify(trial.notes)).not.toContain(made.generated_password);
  expect(await usersCalled('newt')).toMatchObject([{ id: made.id, groups: ['mcp-test-users'] }]);
  expect(trial.notes.at(-2)).toMatchObject({ before: null, after: { username: 'newt@contoso.example' } });
});

test('a password that is given is not shown again', async () => {
  const made = await trial.call('users.createHuman', human({ password: 'Given-Passw0rd!' }));
  expect(made).toMatchObject({ generated_password: null, must_change_password: true });
});

test.each([
  ['a group that is not there', ['mcp-test-users', 'nowhere'], 'body.groups.1', "no group 'nowhere'"],
  ['a group whose members are computed', ['dynamic'], 'body.groups.0', 'computed'],
  ['a name that several groups have', ['twins'], 'body.groups.0', 'not unique'],
])('%s is refused before an account is made', async (_, wanted, at, words) => {
  const graph = await adminGraph(emulator);
  const body = { mailEnabled: false, securityEnabled: true, mailNickname: 'x' };
  for (const name of ['twins', 'twins']) await graph('POST', '/groups', { ...body, displayName: name });
  await graph('POST', '/groups', {
    ...{ ...body, displayName: 'dynamic', groupTypes: ['DynamicMembership'] },
    membershipRule: 'user.country -eq "CH"',
  });
  const failure = await trial.refused('users.createHuman', human({ groups: wanted }));
  expect(failure).toMatchObject({ code: 'invalid_input', faults: [{ at }] });
  expect(failure.message).toContain(words);
  expect(await usersCalled('newt')).toEqual([]);
});

test('an account that got into none of its groups is removed again, one that got into some stays and says so', async () => {
  const fault = { kind: 'status', status: 500, path: `/groups/${groups.developers}/members` } as const;
  emulator.faults.add(fault);
  const failure = await trial.refused('users.createHuman', human({ groups: ['mcp-test-developers'] }));
  expect(failure.message).toContain('was removed again; nothing has changed');
  expect(await usersCalled('newt')).toEqual([]);
  const partly = await trial.call(
    'users.createHuman',
    human({ groups: ['mcp-test-users', 'mcp-test-developers'] }),
  );
  expect(partly).toMatchObject({
    groups_assigned: ['mcp-test-users'],
    groups_failed: [{ group: 'mcp-test-developers', reason: expect.stringContaining('not available') }],
  });
});

test('a name that is taken is a conflict', async () => {
  expect(await trial.refused('users.createHuman', human({ username: 'bob' }))).toMatchObject({
    code: 'conflict',
  });
});

test('groups become exactly those asked for, and what is cached of the person is dropped', async () => {
  const change = (names: string[]) =>
    trial.call('users.groups', {
      ...named(accounts.user.userPrincipalName),
      body: { groups: names },
    });
  expect(await change(['mcp-test-developers', 'mcp-test-operators'])).toMatchObject({
    groups: ['mcp-test-developers', 'mcp-test-operators'],
    added: ['mcp-test-developers', 'mcp-test-operators'],
    removed: ['mcp-test-users'],
    groups_failed: [],
  });
  expect(trial.forgotten).toContain(accounts.user.objectId);
  expect(trial.notes.at(-1)).toMatchObject({
    before: ['mcp-test-users'],
    after: ['mcp-test-developers', 'mcp-test-operators'],
  });
  expect(await change([])).toMatchObject({
    groups: [],
    removed: expect.arrayContaining(['mcp-test-operators']),
  });
});

test('a person who is put into a group of administrators, or created in one, is noted as an administrator grant', async () => {
  const into = (...names: string[]) => ({
    ...named(accounts.user.userPrincipalName),
    body: { groups: names },
  });
  await trial.call('users.groups', into('mcp-test-users', 'mcp-test-developers'));
  expect(trial.notes.at(-1)).not.toHaveProperty('admin_grant');
  await trial.call('users.groups', into('mcp-test-users', 'Mcp-test-admin'));
  expect(trial.notes.at(-1)).toMatchObject({ admin_grant: true });
  await trial.call('users.groups', into('mcp-test-users'));
  expect(trial.notes.at(-1)).not.toHaveProperty('admin_grant');
  await trial.call('users.createHuman', human({ groups: ['Mcp-test-admin'] }));
  expect(trial.notes.at(-1)).toMatchObject({ admin_grant: true });
});

test('a change of which a part fails says which, and one of which all fails is a failure', async () => {
  emulator.faults.add({ kind: 'status', status: 500, path: `/groups/${groups.developers}/members` });
  const change = (names: string[]) => ({
    ...named(accounts.user.userPrincipalName),
    body: { groups: names },
  });
  const both = change(['mcp-test-users', 'mcp-test-developers', 'mcp-test-operators']);
  expect(await trial.call('users.groups', both)).toMatchObject({
    groups: ['mcp-test-users', 'mcp-test-operators'],
    groups_failed: [{ group: 'mcp-test-developers' }],
  });
  const failure = await trial.refused('users.groups', both);
  expect(failure).toMatchObject({ code: 'directory_unavailable' });
  expect(failure.message).toContain('Nothing was changed');
});

test('a deleted person is gone, with sessions and tokens', async () => {
  const { db } = trial.database;
  const at = new Date().toISOString();
  await db
    .insertInto('tokens')
    .values({
      ...{ id: 't', provider: 'entra', subject: accounts.user.objectId, username: 'bob', description: '' },
      ...{ scopes: '[]', created_at: at, expires_at: '2099-01-01T00:00:00.000Z', last_used_at: null },
      ...{ revoked_at: null, revoked_by: null },
    })
    .execute();
  await holdConnection(db, accounts.user.objectId, 's1');
  await holdConnection(db, accounts.admin.objectId, 's2');
  expect(await trial.call('users.remove', named('bob@contoso.example'))).toEqual({
    username: 'bob@contoso.example',
    deleted: true,
  });
  expect(await usersCalled('bob')).toEqual([]);
  expect(await db.selectFrom('tokens').select('revoked_by').execute()).toEqual([
    { revoked_by: accounts.admin.userPrincipalName },
  ]);
  expect(trial.forgotten).toContain(accounts.user.objectId);
  expect(trial.ended).toEqual(['s1']);
  expect(await db.selectFrom('connections').select('server_id').execute()).toEqual([{ server_id: 's2' }]);
});

test('nobody deletes their own account, by whatever name', async () => {
  for (const name of [accounts.admin.userPrincipalName, accounts.admin.objectId, 'ALICE@contoso.example'])
    expect(await trial.refused('users.remove', named(name))).toMatchObject({
      code: 'not_allowed',
      message: 'You cannot delete your own account.',
    });
});

test('the last administrator stays one; with a second one in the group they may go', async () => {
  const without = { ...named(accounts.admin.userPrincipalName), body: { groups: [] } };
  expect(await trial.refused('users.groups', without)).toMatchObject({ code: 'would_lock_out' });
  const second = { ...named('bob@contoso.example'), body: { groups: ['Mcp-test-admin'] } };
  await trial.call('users.groups', second);
  expect(await trial.call('users.groups', without)).toMatchObject({ removed: ['Mcp-test-admin'] });
  // Now bob is the last.
  expect(await trial.refused('users.remove', named('bob@contoso.example'))).toMatchObject({
    code: 'would_lock_out',
  });
});

test('a disabled account counts for no administrator', async () => {
  const dan = { ...named(accounts.disabled.userPrincipalName), body: { groups: ['Mcp-test-admin'] } };
  await trial.call('users.groups', dan);
  const without = { ...named(accounts.admin.userPrincipalName), body: { groups: [] } };
  expect(await trial.refused('users.groups', without)).toMatchObject({ code: 'would_lock_out' });
});

test('an application that only the registry knows is changed and deleted here alone', async () => {
  const body = { client_id: agents.user.clientId.toUpperCase(), client_name: 'Known', groups: ['a', 'b'] };
  await trial.call('m2mClients.create', { body });
  expect(await trial.call('users.groups', { ...named('known'), body: { groups: ['b', 'c'] } })).toMatchObject(
    { groups: ['b', 'c'], added: ['c'], removed: ['a'] },
  );
  expect(await trial.call('users.remove', named(agents.user.clientId))).toMatchObject({ username: 'Known' });
  expect((await trial.call('m2mClients.list')).total).toBe(0);
  expect(trial.forgotten).toContain(agents.user.clientId);
});

test('without the permissions nothing is tried, and the refusal names the one that is missing', async () => {
  const graph = { clientId: shippedTenant.clientId, clientSecret: shippedTenant.clientSecret };
  const { directory, sent } = emulatedDirectory(emulator, { graph });
  const poor = await trial.restart(directory);
  for (const [id, input, permission] of [
    ['users.createHuman', human(), 'User.ReadWrite.All'],
    ['users.createM2m', { body: { name: 'x', groups: ['mcp-test-users'] } }, 'Application.ReadWrite.OwnedBy'],
    ['users.remove', named('bob@contoso.example'), 'User.ReadWrite.All'],
  ] as const) {
    const failure = await poor.refused(id, input);
    expect(failure.code).toBe('directory_denied');
    expect(failure.message).toContain(permission);
  }
  expect(sent.filter(({ method }) => method !== 'GET' && method !== 'POST')).toEqual([]);
  expect((await poor.call('users.list')).users.length).toBeGreaterThan(5);
});

test('without a directory every endpoint says how to get one', async () => {
  const none = await trial.restart(null as never);
  expect(await none.refused('users.list')).toMatchObject({ code: 'directory_refused' });
});
