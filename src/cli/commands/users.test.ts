import { expect, test } from 'vitest';
import { cli, problem, scripted } from '../../../test/cli-trial.ts';
import { type User, userEndpoints } from '../../contract/people/users.ts';

const id = '00000000-0000-4000-8000-000000000001';

function aUser(parts: Partial<User> = {}): User {
  return {
    ...{ id, username: 'jsmith@contoso.example', email: 'jsmith@example.com' },
    ...{ firstName: 'John', lastName: 'Smith', enabled: true, kind: 'human' },
    ...{ groups: ['public-mcp-users'], group_ids: ['g1'] },
    ...parts,
  };
}

const made = userEndpoints['users.createHuman'].output.parse({
  ...aUser(),
  ...{ groups_assigned: ['public-mcp-users'], groups_failed: [] },
  ...{ generated_password: 'Made-for-you-1', must_change_password: true },
});

const person = ['--username', 'jsmith', '--email', 'jsmith@example.com', '--first-name', 'John'];
const create = ['user-create-human', ...person, '--last-name', 'Smith', '--groups', 'public-mcp-users, team'];

/** A registry that takes new people and remembers what it was asked for. */
async function taking(answer: object = made) {
  const bodies: object[] = [];
  const registry = await scripted({
    'POST /api/management/iam/users/human': ({ text }) => {
      bodies.push(JSON.parse(text));
      return { body: answer };
    },
  });
  return { registry, bodies };
}

test('user-list shows for each account what it is and which groups it is in', async () => {
  const users = [
    aUser(),
    aUser({
      id: 'c1',
      username: 'robot',
      kind: 'm2m',
      enabled: false,
      email: null,
      groups: null,
      lastName: null,
    }),
  ];
  const registry = await scripted({
    'GET /api/management/iam/users': { body: { users, total: 2, next: null } },
  });
  const { code, out, err } = await cli(['user-list', '--search', 'j & co'], { registry });
  expect({ code, err }).toEqual({ code: 0, err: '2 accounts.\n' });
  expect(out.split('\n')).toEqual([
    'ENABLED  USER NAME               ID                                    KIND   EMAIL               NAME        GROUPS',
    `yes      jsmith@contoso.example  ${id}  human  jsmith@example.com  John Smith  public-mcp-users`,
    'no       robot                   c1                                    m2m    -                   John        (could not be read)',
    '',
  ]);
  expect(registry.asked).toEqual(['GET /api/management/iam/users?search=j+%26+co&limit=500']);
});

test('user-list asks for as many pages as it needs, and says when there are more', async () => {
  const registry = await scripted({
    'GET /api/management/iam/users': ({ url }) => {
      const [from, limit] = [
        Number(url.searchParams.get('from') ?? 0),
        Number(url.searchParams.get('limit')),
      ];
      const users = Array.from({ length: limit }, (_, at) => aUser({ username: `u${from + at}` }));
      return { body: { users, total: 5000, next: String(from + limit) } };
    },
  });
  const { out, err } = await cli(['user-list', '--limit', '2500'], { registry });
  expect(out.trim().split('\n')).toHaveLength(2501);
  expect(err).toBe('2500 of 5000; for more: --limit\n');
  expect(registry.asked.map((line) => line.split('?')[1])).toEqual([
    'limit=999',
    'limit=999&from=999',
    'limit=502&from=1998',
  ]);
  const json = await cli(['user-list', '--limit', '2', '--json'], { registry });
  expect(JSON.parse(json.out)).toMatchObject({ total: 5000, next: '2', users: [{ username: 'u0' }, {}] });
  expect((await cli(['user-list', '--limit', '0'], { registry })).code).toBe(2);
});

const hostile = [
  '\u001b[2J\u001b]0;owned\u0007',
  'a\r\nforged line',
  '\u202egnp.exe',
  '=HYPERLINK("http://evil.example")\u009b31m',
  '\u200b\u2066hidden\u{e0041}',
];

test.each(hostile)('what the directory says cannot drive a terminal: %j', async (name) => {
  const user = aUser({
    username: name,
    firstName: name,
    lastName: name,
    email: name,
    groups: [name],
    id: name,
  });
  const failed = [{ group: name, reason: name }];
  const registry = await scripted({
    'GET /api/management/iam/users': { body: { users: [user], total: 1, next: null } },
    'POST /api/management/iam/users/human': {
      body: { ...made, ...user, groups_assigned: [name], groups_failed: failed, generated_password: name },
    },
    'PATCH /api/management/iam/users/x/groups': {
      body: {
        username: name,
        groups: [name],
        added: [name],
        removed: [name],
        groups_failed: failed,
        note: name,
      },
    },
    'DELETE /api/management/iam/users/x': problem(400, 'invalid_input', name),
  });
  const [one, force] = [['--username', 'x'], '--force'];
  const set = ['user-set-groups', ...one, '--groups', 'a'];
  for (const argv of [['user-list'], create, set, ['user-delete', ...one, force]])
    for (const more of [[], ['--json']]) {
      const { out, err } = await cli([...argv, ...more], { registry });
      expect((out + err).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      expect(out + err).not.toMatch(/^forged line/m);
    }
  const { out } = await cli(['user-list', '--json'], { registry });
  expect(JSON.parse(out).users[0].username).toBe(name);
});

test('user-create-human shows the password that was made, once, and says what comes next', async () => {
  const { registry, bodies } = await taking();
  const { code, out, err } = await cli(create, { registry });
  expect({ code, err }).toEqual({ code: 0, err: 'The first sign-in asks for a password of their own.\n' });
  expect(out.match(/Made-for-you-1/g)).toHaveLength(1);
  expect(out).toContain('Password: Made-for-you-1\n\nIMPORTANT: Pass on the password securely');
  expect(bodies).toEqual([
    {
      ...{ username: 'jsmith', email: 'jsmith@example.com', first_name: 'John', last_name: 'Smith' },
      groups: ['public-mcp-users', 'team'],
    },
  ]);
  const json = await cli([...create, '--json'], { registry });
  expect([JSON.parse(json.out), json.err]).toEqual([made, '']);
});

test.each([
  ['--password', ['--password', 'Secret-1'], 'Secret-1', 'warning: --password is visible'],
  ['--password-stdin', ['--password-stdin'], ' from stdin ', ''],
])('a password by %s is passed on and not shown', async (_, flags, password, said) => {
  const { registry, bodies } = await taking({
    ...made,
    generated_password: null,
    must_change_password: false,
  });
  const { code, out, err } = await cli([...create, ...flags, '--keep-password'], {
    ...{ registry, stdin: `${password}\n` },
  });
  expect(code).toBe(0);
  expect(out + err).not.toContain(password);
  expect(err).toContain(said);
  expect(bodies).toEqual([expect.objectContaining({ password, must_change_password: false })]);
});

test.each([
  ['both ways to give the password', ['--password', 'x', '--password-stdin'], 'not both'],
  ['an empty password', ['--password-stdin'], 'The password is empty.'],
  ['no group', ['--groups', ' , '], '--groups names no group.'],
])('%s is a misuse, and nothing is asked', async (_, flags, said) => {
  const { registry } = await taking();
  const { code, err } = await cli([...create, ...flags], { registry, stdin: '\n' });
  expect([code, registry.asked]).toEqual([2, []]);
  expect(err).toContain(said);
});

test('a group that did not take the person is named, and the exit code says that part of it failed', async () => {
  const groups_failed = [{ group: 'team', reason: 'no group has this name' }];
  const { registry } = await taking({ ...made, groups_failed });
  const { code, out, err } = await cli(create, { registry });
  expect(code).toBe(1);
  expect(out).toContain('Made-for-you-1');
  expect(err).toContain("warning: not in the group 'team': no group has this name\n");
});

test("the directory's refusal is shown with its faults", async () => {
  const registry = await scripted({
    'POST /api/management/iam/users/human': problem(422, 'invalid_input', 'It has faults.', {
      errors: [{ at: 'body.email', message: 'is no e-mail address' }],
    }),
  });
  const { code, err } = await cli(create, { registry });
  expect(code).toBe(1);
  expect(err).toContain('  - --email: is no e-mail address\n');
});

test('user-set-groups tells what was added, removed and refused', async () => {
  const bodies: unknown[] = [];
  const registry = await scripted({
    'PATCH /api/management/iam/users/j%2Fs%40x/groups': ({ text }) => {
      bodies.push(JSON.parse(text));
      const groups_failed = [{ group: 'c', reason: 'several groups are called c' }];
      const [groups, added, removed] = [['a', 'b'], ['b'], ['z']];
      return { body: { username: 'j/s@x', groups, added, removed, groups_failed, note: 'In an hour.' } };
    },
  });
  const flags = ['--username', 'j/s@x', '--groups'];
  const { asked } = registry;
  const { code, out, err } = await cli(['user-set-groups', ...flags, 'a,b,c'], { registry });
  expect([code, asked.length]).toEqual([1, 1]);
  expect(out).toBe('j/s@x is in a, b.\nAdded: b\nRemoved: z\n');
  expect(err).toContain('In an hour.');
  expect(err).toContain("not in the group 'c': several groups are called c");
  await cli(['user-set-groups', ...flags, ''], { registry });
  expect(bodies).toEqual([{ groups: ['a', 'b', 'c'] }, { groups: [] }]);
});

test('user-delete asks first, and --force does not', async () => {
  const registry = await scripted({
    'DELETE /api/management/iam/users/robot': { body: { username: 'robot', deleted: true } },
  });
  const line = ['user-delete', '--username', 'robot'];
  const no = await cli(line, { registry, stdin: 'n\n', tty: true });
  expect([no.code, no.out, registry.asked]).toEqual([0, '', []]);
  expect(no.err).toContain('Delete the account robot from the directory? [y/N] ');
  expect(await cli(line, { registry, stdin: 'yes\n', tty: true })).toMatchObject({ out: 'Deleted robot.\n' });
  expect((await cli(line, { registry })).code).toBe(2);
  const forced = await cli([...line, '--force', '--json'], { registry });
  expect(JSON.parse(forced.out)).toEqual({ username: 'robot', deleted: true });
  const none = await cli(['user-delete', '--username', 'nobody', '--force'], { registry });
  expect(none).toMatchObject({ code: 1, err: expect.stringContaining('mcp-gateway user list') });
});
