import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { poolDirectory } from '../../iam/cognito/directory.test-support.ts';
import { awsIdentity, type EmulatedPool, startPool } from '../../iam/cognito/pool.test-support.ts';
import { addUser, type PoolShape, userIn } from '../../iam/cognito/pool-state.test-support.ts';
import { type AccountsTrial, startAccountsTrial } from './accounts.test-support.ts';

let pool: EmulatedPool;
let trial: AccountsTrial;
let waits: number[];

async function start(shape: PoolShape = {}): Promise<void> {
  pool = await startPool(shape);
  for (const name of ['mcp-registry-admin', 'mcp-users']) pool.groups.set(name, { GroupName: name });
  const carol = addUser(
    pool,
    'carol@example.com',
    { email: 'carol@example.com', name: 'C' },
    'Carols-pass-0',
  );
  carol.groups.add('mcp-registry-admin');
  const made = poolDirectory(pool);
  waits = made.waits;
  const subject = carol.attributes.get('sub') ?? '';
  const calling = { username: 'carol@example.com', subject, provider: 'cognito' };
  const clock = { now: Date.now, advance() {} } as never;
  trial = await startAccountsTrial({ clock }, made.directory, { ...calling, groups: ['mcp-registry-admin'] });
}

beforeEach(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', awsIdentity.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', awsIdentity.secretAccessKey);
  await start();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await trial.close();
  await pool.close();
});

const human = (more: object = {}) => ({
  body: {
    ...{ username: 'ada', email: 'ada@example.com', first_name: 'Ada', last_name: 'Lovelace' },
    ...{ groups: ['mcp-users'], ...more },
  },
});
const groupsOf = (name: string) => [...userIn(pool, name).groups];
const namesFound = async (search: string) =>
  (await trial.call('users.list', { query: { search } })).users.map(({ username }) => username);

test('a person is created with a password that has to be changed, in groups, changed, and deleted again', async () => {
  const made = await trial.call('users.createHuman', human());
  expect(made).toMatchObject({
    ...{ username: 'ada', email: 'ada@example.com', firstName: 'Ada', lastName: 'Lovelace', enabled: true },
    ...{ groups: ['mcp-users'], groups_assigned: ['mcp-users'], must_change_password: true },
  });
  const ada = userIn(pool, 'ada');
  expect(made.id).toBe(ada.attributes.get('sub'));
  expect(ada).toMatchObject({ UserStatus: 'FORCE_CHANGE_PASSWORD', password: made.generated_password });
  const { body } = pool.asked.find(
    (one) => one.action === 'AdminCreateUser' && one.body.MessageAction !== 'RESEND',
  )!;
  expect(body).toMatchObject({ MessageAction: 'SUPPRESS' });

  const changed = await trial.call('users.groups', {
    ...{ params: { username: 'ada@example.com' }, body: { groups: ['mcp-registry-admin'] } },
  });
  expect(changed).toMatchObject({ added: ['mcp-registry-admin'], removed: ['mcp-users'] });
  expect(groupsOf('ada')).toEqual(['mcp-registry-admin']);

  expect(await trial.call('users.remove', { params: { username: made.id } })).toMatchObject({
    ...{ username: 'ada', deleted: true },
  });
  expect([...pool.users.keys()]).toEqual(['carol@example.com']);
  expect(trial.forgotten.at(-1)).toBe(made.id);
});

test('a password that need not be changed is the account’s own from the beginning', async () => {
  await trial.call('users.createHuman', human({ must_change_password: false, password: 'Given-Passw0rd!' }));
  expect(userIn(pool, 'ada')).toMatchObject({ UserStatus: 'CONFIRMED', password: 'Given-Passw0rd!' });
});

test('an account whose password cannot be made its own is not left behind', async () => {
  // What is permitted is known from now on, so the next request for a password is the account's.
  await trial.call('users.createHuman', human({ username: 'bob' }));
  pool.troubles.push({ action: 'AdminSetUserPassword', name: 'InvalidParameterException' });
  const failure = await trial.refused('users.createHuman', human({ must_change_password: false }));
  expect(failure.code).toBe('directory_refused');
  expect([...pool.users.keys()]).toEqual(['carol@example.com', 'bob']);
});

test('where people sign in with their address, the account is made by it and shown by it', async () => {
  await trial.close();
  await pool.close();
  await start({ usernameAttributes: ['email'], required: ['name'] });
  const made = await trial.call('users.createHuman', human());
  expect(made).toMatchObject({ username: 'ada@example.com', groups: ['mcp-users'] });
  expect(userIn(pool, made.id).attributes.get('name')).toBe('Ada Lovelace');
  expect(await namesFound('ada')).toEqual(['ada@example.com']);
});

test.each([
  ['a user name that is taken', { username: 'CAROL@example.com' }, 'conflict', /choose another/],
  [
    'a password that the policy refuses, in the words of Cognito',
    { password: 'Only-letters' },
    'directory_refused',
    /must have numeric characters/,
  ],
  ['a password with a blank', { password: 'Has a blank-0' }, 'invalid_input', /blanks/],
  ['a user name that Cognito cannot take', { username: 'ada lovelace' }, 'invalid_input', /username/],
  ['a group that is not there', { groups: ['nowhere'] }, 'invalid_input', /no group 'nowhere'/],
])('%s is refused and leaves nothing', async (_, change, code, words) => {
  const failure = await trial.refused('users.createHuman', human(change));
  expect(failure.code).toBe(code);
  expect(failure.message).toMatch(words);
  expect(failure.message).not.toContain('Only-letters');
  expect([...pool.users.keys()]).toEqual(['carol@example.com']);
});

test.each([
  ['AdminCreateUser', 'users.createHuman', human()],
  ['AdminAddUserToGroup', 'users.createHuman', human()],
  ['AdminDeleteUser', 'users.remove', { params: { username: 'bob' } }],
] as const)(
  'without the permission for %s the failure names it, and nothing is changed',
  async (action, id, input) => {
    addUser(pool, 'bob', { email: 'bob@example.com' }, 'Bobs-pass-0');
    await trial.adopt(userIn(pool, 'bob').attributes.get('sub') ?? '');
    pool.denied.add(action);
    const failure = await trial.refused(id, input);
    expect(failure.code).toBe('directory_denied');
    expect(failure.message).toContain(`cognito-idp:${action}`);
    expect([...pool.users.keys()]).toEqual(['carol@example.com', 'bob']);
  },
);

test('the last administrator can neither be deleted nor leave the group', async () => {
  addUser(pool, 'zoe', { email: 'zoe@example.com' }, 'Zoes-pass-0').groups.add('mcp-registry-admin');
  await trial.adopt(userIn(pool, 'zoe').attributes.get('sub') ?? '');
  await trial.call('users.remove', { params: { username: 'zoe' } });
  const failure = await trial.refused('users.groups', {
    ...{ params: { username: 'carol@example.com' }, body: { groups: ['mcp-users'] } },
  });
  expect(failure.code).toBe('would_lock_out');
  expect(groupsOf('carol@example.com')).toEqual(['mcp-registry-admin']);
});

test('the list is read page by page, with groups, whatever Cognito gives at a time', async () => {
  for (let at = 0; at < 130; at++)
    addUser(pool, `user-${at}`, { email: `u${at}@example.com` }, 'Users-pass-0').groups.add('mcp-users');
  const seen: string[] = [];
  for (let from: string | undefined; ; ) {
    const page = await trial.call('users.list', { query: { limit: 50, from } });
    expect(page.users.length).toBeLessThanOrEqual(50);
    seen.push(...page.users.map(({ username }) => username));
    if (page.next === null) break;
    from = page.next;
  }
  expect(seen).toEqual([...pool.users.keys()]);
  const { users } = await trial.call('users.list', { query: { search: 'user-7', limit: 3 } });
  expect(users).toMatchObject([
    { username: 'user-7', groups: ['mcp-users'] },
    { username: 'user-70', groups: ['mcp-users'] },
    { username: 'user-71', groups: ['mcp-users'] },
  ]);
});

test('a search is the beginning of a name or address, each account once, and no language of filters', async () => {
  await trial.call('users.createHuman', human());
  await trial.call(
    'users.createHuman',
    human({ username: 'quo"te', email: 'q@example.com', last_name: 'ad' }),
  );
  expect(await namesFound('ad')).toEqual(['ada', 'quo"te']);
  expect(await namesFound('Love')).toEqual(['ada']);
  expect(await namesFound('quo"')).toEqual(['quo"te']);
  expect(await namesFound('" or sub ^= "')).toEqual([]);
  expect(await namesFound('x\\')).toEqual([]);
  expect(await namesFound('y'.repeat(256))).toEqual([]);
});

test('a place in the list that no page gave is refused', async () => {
  for (const from of ['x', '0.0.made-up', '9.0.'])
    expect((await trial.refused('users.list', { query: { from } })).status).toBe(422);
});

test('what is throttled is asked again, a bounded number of times', async () => {
  pool.troubles.push({ action: 'ListUsers', name: 'TooManyRequestsException' });
  expect(await namesFound('carol')).toEqual(['carol@example.com']);
  expect(waits).toEqual([1000]);
  pool.troubles.push(...Array(9).fill({ action: 'ListUsers', name: 'TooManyRequestsException' }));
  const failure = await trial.refused('users.list');
  expect(failure.code).toBe('directory_unavailable');
  expect(failure.message).toContain('throttled');
  expect(waits).toEqual([1000, 1000, 2000, 4000]);
});

test('an app client is not made here but gets groups here, and the refusal says so', async () => {
  const failure = await trial.refused('users.createM2m', { body: { name: 'bot', groups: ['mcp-users'] } });
  expect(failure.code).toBe('directory_refused');
  expect(failure.message).toContain('mcp-gateway app register');
  await trial.call('m2mClients.create', {
    body: { client_id: 'agentclient1', client_name: 'bot', groups: ['mcp-users'] },
  });
  expect((await trial.call('users.list', { query: { search: 'bot' } })).users).toMatchObject([
    { id: 'agentclient1', kind: 'm2m', groups: ['mcp-users'] },
  ]);
});
