import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { cli, folderWith, problem, scripted } from '../../../test/cli-trial.ts';
import { accessEndpoints } from '../../contract/access.ts';
import { groupEndpoints } from '../../contract/people/groups.ts';
import { scopeEndpoints } from '../../contract/scopes.ts';

const id = '00000000-0000-4000-8000-000000000001';
const changed = scopeEndpoints['scopes.import'].output.parse({
  message: 'Group team imported successfully',
  group_name: 'team',
  idp_created: true,
  idp_group_id: id,
  auth_server_reloaded: true,
  changed: true,
  warnings: ["no server 'x' is registered"],
});
const listing = scopeEndpoints['scopes.list'].output.parse({
  keycloak_groups: [
    { id, name: 'team', description: null, mapping: id, scopes: ['team'] },
    { id: 'i', name: 'idle\u001b[31m', description: 'Nothing', mapping: 'i', scopes: [] },
  ],
  scopes_groups: Object.fromEntries(
    (['team', 'alone'] as const).map((name) => [
      name,
      {
        ...{ description: '', source: name === 'team' ? 'api' : 'file', editable: name === 'team' },
        ...{ is_idp_managed: false, group_mappings: [name], servers: ['search'] },
      },
    ]),
  ),
  synchronized: ['team'],
  keycloak_only: ['idle'],
  scopes_only: ['alone'],
  directory: 'entra',
  truncated: false,
});
const scope = scopeEndpoints['scopes.get'].output.parse({
  ...{ scope_name: 'a/b', scope_type: 'server_scope', description: 'x', group_mappings: ['g'] },
  ...{ server_access: [{ server: 's', methods: ['ping'], tools: [] }], agent_access: ['/a'] },
  ...{ ui_permissions: { list_service: ['all'] }, source: 'file', editable: false, is_idp_managed: false },
  ...{ idp_group_id: null, created_at: null, updated_at: '2026-01-01T00:00:00.000Z' },
});

test('import-group sends the file as it is, shows what was done, and warns', async () => {
  const bodies: unknown[] = [];
  const registry = await scripted({
    'POST /api/servers/groups/import': ({ text }) => {
      bodies.push(JSON.parse(text));
      return { body: changed };
    },
  });
  const file = 'examples/public-mcp-users.json';
  const cwd = process.cwd();
  const { code, out, err } = await cli(['import-group', '--file', file], { registry, cwd });
  expect({ code, err }).toEqual({ code: 0, err: "warning: no server 'x' is registered\n" });
  expect(out).toContain(`Group in the directory: ${id}`);
  expect(bodies).toEqual([JSON.parse(await readFile(file, 'utf8'))]);
  const json = await cli(['import-group', '--file', file, '--json'], { registry, cwd });
  expect([JSON.parse(json.out), json.err]).toEqual([changed, '']);
});

test.each([
  ['none.json', 'File not found: none.json.'],
  ['broken.json', 'Invalid JSON in file: broken.json is not valid JSON: line 1, column 2'],
  ['list.json', "JSON file must contain 'scope_name' field."],
  ['nameless.json', "JSON file must contain 'scope_name' field."],
])('import-group of %s asks the registry nothing', async (file, said) => {
  const registry = await scripted({});
  const cwd = await folderWith({ 'broken.json': '{', 'list.json': '[]', 'nameless.json': '{"name": "x"}' });
  const { code, err } = await cli(['import-group', '--file', file], { registry, cwd });
  expect([code, registry.asked]).toEqual([1, []]);
  expect(err).toContain(said);
});

test("the registry's faults are shown with their places in the file", async () => {
  const registry = await scripted({
    'POST /api/servers/groups/import': problem(422, 'invalid_input', 'It has faults.', {
      errors: [
        { at: 'body.server_access.0.methods', message: 'methods must be a list; write [ping]' },
        { at: 'body.server_access.0.tool', message: 'is not known' },
      ],
    }),
  });
  const stdin =
    '{\n  "scope_name": "x",\n  "server_access": [\n    { "server": "a", "methods": "ping" }\n  ]\n}';
  const { code, err } = await cli(['import-group', '--file', '-'], { registry, stdin });
  expect(code).toBe(1);
  expect(err).toContain('line 4, column 33: server_access.0.methods: methods must be a list');
  expect(err).toContain('line 4, column 5: server_access.0.tool: is not known');
});

test('create-group and group-create say what is wanted in the directory', async () => {
  const bodies: unknown[] = [];
  const detail = groupEndpoints['groups.create'].output.parse({
    ...{ id, name: 'team', path: '/team', description: '', server_access: [], group_mappings: [id] },
    ...{ ui_permissions: {}, agent_access: [], is_idp_managed: true, source: 'api', editable: true },
    ...{ idp_skip_reason: null, warnings: [] },
  });
  const registry = await scripted({
    'POST /api/servers/groups/create': ({ text }) => {
      bodies.push(JSON.parse(text));
      return { body: { ...changed, warnings: [] } };
    },
    'POST /api/management/iam/groups': ({ text }) => {
      bodies.push(JSON.parse(text));
      return { body: detail };
    },
  });
  await cli(['create-group', '--name', 'team'], { registry });
  await cli(['create-group', '--name', 'team', '--description', 'A team', '--idp'], { registry });
  const made = await cli(['group-create', '--name', 'team', '--description', 'A team', '--idp'], {
    registry,
  });
  expect(made.out).toBe(`Created team (${id}).\n`);
  expect(bodies).toEqual([
    { group_name: 'team', create_in_idp: false },
    { group_name: 'team', create_in_idp: true, description: 'A team' },
    { name: 'team', description: 'A team', scope_config: { create_in_idp: true } },
  ]);
});

test.each([
  [
    'delete-group',
    ['--idp'],
    'POST /api/servers/groups/delete',
    "Remove the group 'a/b' and its group in the directory?",
  ],
  ['group-delete', [], 'DELETE /api/management/iam/groups/a%2Fb', 'if it was created with the scope'],
] as const)('%s asks first, and --force does not', async (command, flags, route, question) => {
  const bodies: string[] = [];
  const registry = await scripted({
    [route]: ({ text }) => {
      bodies.push(text);
      return {
        body: {
          message: '',
          group_name: 'a/b',
          name: 'a/b',
          deleted: true,
          idp_deleted: false,
          idp_skip_reason: 'forbidden',
        },
      };
    },
  });
  const line = [command, '--name', 'a/b', ...flags];
  const no = await cli(line, { registry, stdin: 'n\n', tty: true });
  expect([no.code, no.out, registry.asked]).toEqual([0, '', []]);
  expect(no.err).toContain(question);
  const yes = await cli(line, { registry, stdin: 'yes\n', tty: true, env: { NO_COLOR: '1' } });
  expect([yes.code, yes.out]).toEqual([0, 'Removed a/b.\n']);
  expect(yes.err).toContain('so that group was kept');
  expect((await cli(line, { registry })).code).toBe(2);
  const forced = await cli([...line, '--force', '--json'], { registry });
  expect(JSON.parse(forced.out)).toMatchObject({
    group_name: 'a/b',
    deleted: true,
    idp_skip_reason: 'forbidden',
  });
  if (command === 'delete-group')
    expect(bodies.map((text) => JSON.parse(text))).toEqual([
      { group_name: 'a/b', delete_from_idp: true, force: false },
      { group_name: 'a/b', delete_from_idp: true, force: true },
    ]);
});

test('list-groups shows what belongs together, and leaves out what is not wanted', async () => {
  const registry = await scripted({ 'GET /api/servers/groups': { body: listing } });
  const { code, out, err } = await cli(['list-groups'], { registry });
  expect(code).toBe(0);
  expect(out.split('\n')).toEqual([
    'Synchronized (1)',
    'SCOPE  FROM  ASSIGNED TO  SERVERS',
    'team   api   team         search',
    '',
    'Directory-Only (1)',
    'GROUP           ID  DESCRIPTION',
    'idle\\u{1b}[31m  i   Nothing',
    '',
    'Scopes-Only (1)',
    'SCOPE  FROM  ASSIGNED TO  SERVERS',
    'alone  file  alone        search',
    '',
  ]);
  expect(err).toBe('2 scopes, 2 groups in entra.\n');
  await cli(['list-groups', '--no-keycloak'], { registry });
  // Scopes are what `scope list` is about.
  await cli(['scope', 'list'], { registry });
  await cli(['list-groups', '--no-scopes', '--json'], { registry });
  expect(registry.asked.slice(1)).toEqual([
    'GET /api/servers/groups?include_keycloak=false&include_scopes=true',
    'GET /api/servers/groups?include_keycloak=false&include_scopes=true',
    'GET /api/servers/groups?include_keycloak=true&include_scopes=false',
  ]);
});

test('describe-group shows a scope, asks by a name with a slash, and says when there is none', async () => {
  const registry = await scripted({ 'GET /api/servers/groups/a%2Fb': { body: scope } });
  const { code, out } = await cli(['describe-group', '--name', 'a/b'], { registry });
  expect(code).toBe(0);
  for (const text of [
    'scopes.yml (change it there)',
    '{"server":"s","methods":["ping"],"tools":[]}',
    'list_service',
  ])
    expect(out).toContain(text);
  const none = await cli(['describe-group', '--name', 'none', '--json'], { registry });
  expect([none.code, JSON.parse(none.out).error.message]).toEqual([1, "Scope 'none' does not exist."]);
  expect(none.err).toContain('scope list');
});

test.each(['add-to-groups', 'remove-from-groups'])('%s tells each group', async (command) => {
  const bodies: unknown[] = [];
  const route = command === 'add-to-groups' ? 'add' : 'remove';
  const registry = await scripted({
    [`POST /api/servers/groups/${route}`]: ({ text }) => {
      bodies.push(JSON.parse(text));
      const groups = [
        { group_name: 'a', changed: true },
        { group_name: 'b', changed: false },
      ];
      return { body: { message: '', server_name: 'search', groups, warnings: ['careful'] } };
    },
  });
  const { code, out, err } = await cli([command, '--server', '/search', '--groups', 'a,b'], { registry });
  expect({ code, out, err }).toEqual({
    code: 0,
    out: 'a: changed\nb: unchanged\n',
    err: 'warning: careful\n',
  });
  expect(bodies).toEqual([{ server_name: '/search', group_names: 'a,b' }]);
});

test('group-list shows a table, or the answer as JSON', async () => {
  const body = groupEndpoints['groups.list'].output.parse({
    groups: [
      {
        id,
        name: 'team',
        path: '/team',
        attributes: {},
        is_idp_managed: true,
        scopes: ['team'],
        source: 'api',
      },
    ],
    total: 1,
    truncated: false,
  });
  const registry = await scripted({ 'GET /api/management/iam/groups': { body } });
  const { out } = await cli(['group-list'], { registry });
  expect(out).toBe(
    `GROUP  ID                                    IN DIRECTORY  SCOPES\nteam   ${id}  yes           team\n`,
  );
  expect(JSON.parse((await cli(['group-list', '--json'], { registry })).out)).toEqual(body);
});

test('scope explain says whether a call is allowed and why; denied is exit code 1', async () => {
  const answer = (allow: boolean) => ({
    body: accessEndpoints['access.explain'].output.parse({
      ...{
        allow,
        reason: allow ? null : 'tool',
        groups: ['team'],
        scopes: ['team'],
        scope: null,
        source: null,
      },
      ...{
        rule: null,
        by_groups: allow ? ['team'] : [],
        explanation: allow ? 'Allowed by team.' : 'No rule.',
      },
    }),
  });
  const bodies: unknown[] = [];
  const registry = await scripted({
    'POST /api/access/explain': ({ text }) => {
      const body = JSON.parse(text);
      bodies.push(body);
      return answer(body.method === 'tools/list');
    },
  });
  const asked = ['scope', 'explain', 'bob@contoso.example', '--server', 'search'];
  expect(await cli([...asked, '--tool', 'find'], { registry })).toMatchObject({ code: 1, err: '' });
  const allowed = await cli(['scope', 'can', '--groups', 'team', '--server', 'search'], { registry });
  expect(allowed).toMatchObject({ code: 0, out: expect.stringMatching(/allowed[\s\S]*Allowed by team\./) });
  expect(bodies).toEqual([
    { username: 'bob@contoso.example', server: 'search', method: 'tools/call', tool: 'find' },
    { groups: ['team'], server: 'search', method: 'tools/list' },
  ]);
  const neither = await cli(['scope', 'explain', '--server', 'search'], { registry });
  expect(neither).toMatchObject({ code: 2, err: expect.stringContaining('--groups') });
  expect((await cli([...asked, '--groups', 'team'], { registry })).code).toBe(2);
});
