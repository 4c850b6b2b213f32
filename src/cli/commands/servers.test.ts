import { expect, test } from 'vitest';
import { type Asked, aPage, aServer, cli, problem, type Said, scripted } from '../../../test/cli-trial.ts';

test('list shows a table and says how to see more', async () => {
  const registry = await scripted({
    'GET /api/servers': aPage(
      [aServer(), aServer({ path: '/b', is_enabled: false, health_status: 'disabled' })],
      {
        total_count: 7,
        has_next: true,
      },
    ),
  });
  const { code, out, err } = await cli(['list', '--query', 'time', '--limit', '2', '--offset', '1'], {
    registry,
  });
  expect(code).toBe(0);
  expect(out.split('\n')).toEqual([
    'PATH          NAME          ENABLED  HEALTH    TOOLS  DESCRIPTION',
    '/currenttime  Current time  yes      healthy   2      Tells the time',
    '/b            Current time  no       disabled  2      Tells the time',
    '',
  ]);
  expect(err).toBe('2 to 3 of 7; for more: --offset 3\n');
  expect(registry.asked).toEqual(['GET /api/servers?query=time&limit=2&offset=1']);
});

test.each([
  [[], false, 'the identity provider reported no groups for this account'],
  [['staff', 'berlin'], false, 'none of your groups (staff, berlin) grants access to a server'],
  [['registry-admins'], true, 'No servers are registered yet'],
])('an empty list is a success and says why: %j', async (groups, is_admin, why) => {
  const registry = await scripted({
    'GET /api/servers': aPage([]),
    'GET /api/auth/me': { body: { username: 'bob', groups, is_admin } },
  });
  const { code, out, err } = await cli(['list'], { registry });
  expect({ code, out }).toEqual({ code: 0, out: '' });
  expect(err).toContain(why);
});

test('escape sequences in names do not reach the terminal', async () => {
  const server = aServer({ server_name: '\u001b]0;owned\u0007', description: 'a\nb' });
  const registry = await scripted({
    'GET /api/servers': aPage([server]),
    'GET /api/servers/currenttime': { body: server },
  });
  const outputs = [
    await cli(['list'], { registry, tty: true, columns: 200, env: { NO_COLOR: '1' } }),
    await cli(['server-get', '--path', 'currenttime'], { registry }),
    await cli(['list', '--json'], { registry }),
  ];
  for (const { out } of outputs) expect(out).not.toContain('\u001b');
  expect(outputs[0]?.out).toContain('\\u{1b}]0;owned\\u{7}');
});

test('server-get shows one server, and JSON on request', async () => {
  const registry = await scripted({
    'GET /api/servers/team/time': { body: aServer({ path: '/team/time' }) },
  });
  const { out } = await cli(['server-get', '--path', '/team/time/'], { registry });
  expect(out).toContain('Connect to:   http://localhost:8080/currenttime/mcp\n');
  const json = await cli(['server-get', '--path', '/team/time', '--json'], { registry });
  expect(JSON.parse(json.out)).toEqual(aServer({ path: '/team/time' }));
});

test('tools are listed, and a stored copy is marked as such', async () => {
  const registry = await scripted({
    'GET /api/servers/currenttime/tools': {
      body: {
        service_path: '/currenttime',
        tools: [{ name: 'now', description: 'The time.\nIn detail.' }],
        cached: true,
        fetched_at: '2026-01-02T03:04:05.000Z',
        stale_reason: 'connection refused',
      },
    },
  });
  const { code, out, err } = await cli(['tools', '--path', '/currenttime'], { registry });
  expect({ code, out }).toEqual({ code: 0, out: 'TOOL  DESCRIPTION\nnow   The time.\n' });
  expect(err).toBe('warning: as last seen 2026-01-02T03:04:05.000Z: connection refused\n');
});

test('toggle sets the state that is given, and refuses to guess one', async () => {
  const bodies: string[] = [];
  const registry = await scripted({
    'GET /api/servers/currenttime': { body: aServer({ is_enabled: true }) },
    'POST /api/servers/currenttime/toggle': ({ text }) => {
      bodies.push(text);
      return { body: aServer({ is_enabled: JSON.parse(text).enabled }) };
    },
  });
  const vague = await cli(['toggle', '--path', '/currenttime'], { registry });
  expect([vague.code, registry.asked]).toEqual([2, []]);
  expect(vague.err).toContain('Add --enabled true or --enabled false');
  const disabled = await cli(['server', 'disable', '/currenttime'], { registry });
  const enabled = await cli(['toggle', '--path', '/currenttime', '--enabled', 'true'], { registry });
  expect(bodies).toEqual(['{"enabled":false}', '{"enabled":true}']);
  expect(disabled.out).toBe('/currenttime is disabled.\n');
  expect(enabled.out).toBe('/currenttime is enabled and healthy.\n');
});

test.each([
  ['yes\n', 'Removed /currenttime.\n', 1],
  ['y\n', 'Removed /currenttime.\n', 1],
  ['', '', 0],
  ['yesterday\n', '', 0],
  ['no\nyes\n', '', 0],
])('remove asks first, and only y and yes are yes: %j', async (stdin, said, removals) => {
  const registry = await scripted({ 'DELETE /api/servers/currenttime': { status: 204 } });
  const { code, out, err } = await cli(['remove', '--path', '/currenttime'], { registry, stdin, tty: true });
  expect({ code, out }).toEqual({ code: 0, out: said });
  expect(err).toContain('Remove the server /currenttime from the registry? [y/N] ');
  expect(registry.asked).toHaveLength(removals);
});

test('remove without a terminal needs --yes, or --force as before', async () => {
  const registry = await scripted({ 'DELETE /api/servers/currenttime': { status: 204 } });
  const refused = await cli(['remove', '--path', '/currenttime'], { registry, stdin: 'yes\n' });
  expect(refused.code).toBe(2);
  expect(refused.err).toContain('--yes');
  expect(registry.asked).toEqual([]);
  for (const flag of ['--force', '--yes', '-y']) {
    const forced = await cli(['remove', '--path', '/currenttime', flag, '--json'], { registry });
    expect(JSON.parse(forced.out)).toEqual({ path: '/currenttime', removed: true });
  }
});

test('healthcheck checks what is enabled and may be checked, and fails when one is not healthy', async () => {
  const may = aServer().can;
  const registry = await scripted({
    'GET /api/servers': ({ url }) =>
      url.searchParams.get('offset') === '0'
        ? aPage([aServer(), aServer({ path: '/off', is_enabled: false })], { has_next: true })
        : aPage([
            aServer({ path: '/down' }),
            aServer({ path: '/not-mine', can: { ...may, health_check: false } }),
            aServer({ path: '/gone' }),
          ]),
    'POST /api/servers/currenttime/health': { body: aServer() },
    'POST /api/servers/down/health': {
      body: aServer({ path: '/down', health_status: 'unhealthy', health_detail: 'connection refused' }),
    },
    'POST /api/servers/gone/health': problem(404, 'not_found', 'There is no such server.'),
  });
  const { code, out, err } = await cli(['healthcheck'], { registry });
  expect(code).toBe(1);
  expect(out.split('\n')).toEqual([
    'PATH          HEALTH     TOOLS  DETAIL',
    '/currenttime  healthy    2',
    '/down         unhealthy  2      connection refused',
    '/gone         unknown    0      There is no such server.',
    '',
  ]);
  expect(err).toBe('1 of 3 healthy.\n');
  const json = await cli(['healthcheck', '--json'], { registry });
  expect(JSON.parse(json.out)).toMatchObject({ checked: 3, healthy: 1, unhealthy: 2 });
});

test('healthcheck of one server succeeds when it is healthy and reports a refusal as an error', async () => {
  const registry = await scripted({
    'POST /api/servers/currenttime/health': { body: aServer() },
    'POST /api/servers/secret/health': problem(403, 'not_allowed', 'You may not check this.'),
  });
  expect((await cli(['healthcheck', '--path', '/currenttime'], { registry })).code).toBe(0);
  const refused = await cli(['healthcheck', '--path', '/secret'], { registry });
  expect({ code: refused.code, out: refused.out }).toEqual({ code: 1, out: '' });
  expect(refused.err).toContain('You may not check this.');
});

test('healthcheck never has more than eight checks under way', async () => {
  const servers = Array.from({ length: 30 }, (_, index) => aServer({ path: `/s${index}` }));
  let [underWay, most] = [0, 0];
  const check = async ({ url }: { url: URL }) => {
    most = Math.max(most, ++underWay);
    await new Promise((resolve) => setImmediate(resolve));
    underWay -= 1;
    return { body: aServer({ path: url.pathname.split('/')[3] ?? '' }) };
  };
  const registry = await scripted({
    'GET /api/servers': aPage(servers),
    ...Object.fromEntries(servers.map(({ path }) => [`POST /api/servers${path}/health`, check])),
  });
  const { out } = await cli(['healthcheck', '--json'], { registry });
  expect(JSON.parse(out)).toMatchObject({ checked: 30, healthy: 30 });
  expect(most).toBeLessThanOrEqual(8);
});

test.each([
  [['--description', 'New', '--tags', 'a, b'], { description: 'New', tags: ['a', 'b'] }],
  [['--tags', ''], { tags: [] }],
  [['--metadata', '{"team":null}'], { metadata: { team: null } }],
  [
    ['--server-name', 'N', '--proxy-pass-url', 'https://n.example/mcp', '--license', 'MIT'],
    { server_name: 'N', proxy_pass_url: 'https://n.example/mcp', license: 'MIT' },
  ],
])('update-server %j changes just that', async (flags, body) => {
  const got: unknown[] = [];
  const registry = await scripted({
    'PATCH /api/servers/currenttime': ({ text, headers }) => {
      got.push(JSON.parse(text), headers['if-match']);
      return { body: aServer() };
    },
  });
  expect((await cli(['update-server', '--path', '/currenttime', ...flags], { registry })).code).toBe(0);
  expect(got).toEqual([body, undefined]);
});

test('update-server --body replaces it all, and a revision can be asked for', async () => {
  const got: unknown[] = [];
  const take = ({ text, headers }: Asked): Said => {
    got.push(JSON.parse(text), headers['if-match']);
    return { body: aServer() };
  };
  const place = '/api/servers/currenttime';
  const registry = await scripted({ [`PUT ${place}`]: take, [`PATCH ${place}`]: take });
  const path = ['--path', '/currenttime'];
  await cli(['update-server', ...path, '--body', '{"server_name":"N"}', '--if-match', '3'], { registry });
  await cli(['patch-server', ...path, '--patch', '{"version":null}', '--if-match', '"4"'], { registry });
  expect(got).toEqual([{ server_name: 'N' }, '"3"', { version: null }, '"4"']);
});

test.each([
  [['update-server', '--path', '/x'], 'Give either --body or the fields to change.'],
  [['update-server', '--path', '/x', '--body', '{}', '--license', 'MIT'], 'Give either --body or'],
  [['update-server', '--path', '/x', '--body', '{'], '--body is not valid JSON: column 2'],
  [['patch-server', '--path', '/x', '--patch', '[]'], '--patch is not a JSON object.'],
])('%j is wrong use', async (argv, why) => {
  const registry = await scripted({});
  expect(await cli(argv, { registry })).toMatchObject({ code: 2, err: expect.stringContaining(why) });
  expect(registry.asked).toEqual([]);
});

test('server-connect-config prints a configuration with a place for the token, not for a disabled server', async () => {
  const registry = await scripted({
    'GET /api/servers/currenttime': { body: aServer() },
    'GET /api/servers/off': { body: aServer({ path: '/off', is_enabled: false }) },
  });
  const { code, out } = await cli(['server-connect-config', '--path', '/currenttime'], { registry });
  expect(code).toBe(0);
  const entry = { type: 'http', url: 'http://localhost:8080/currenttime/mcp' };
  expect(JSON.parse(out)).toEqual({
    mcpServers: { currenttime: { ...entry, headers: { Authorization: 'Bearer <your token>' } } },
  });
  expect(out).not.toContain('a.test.token');
  expect(await cli(['server-connect-config', '--path', '/off'], { registry })).toMatchObject({
    code: 1,
    out: '',
  });
});

test('config needs no token', async () => {
  const registry = await scripted({
    'GET /api/version': { body: { version: '1.2.3' } },
    'GET /api/auth/providers': {
      body: { providers: [{ name: 'entra', display_name: 'Microsoft Entra ID' }], evaluation: false },
    },
    'GET /api/auth/command-line': { body: { sign_in: null } },
  });
  const { code, out } = await cli(['config', '--registry-url', registry.url]);
  expect(code).toBe(0);
  expect(out).toMatch(/^Version: +1\.2\.3$/m);
  expect(out).toContain('Microsoft Entra ID');
  expect(out).toContain('not set up');
});
