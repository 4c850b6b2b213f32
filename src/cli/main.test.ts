import { expect, test } from 'vitest';
import about from '../../package.json' with { type: 'json' };
import { aPage, aServer, cli, folderWith, problem, scripted } from '../../test/cli-trial.ts';

test('help and version go to standard output with exit code 0', async () => {
  const help = await cli(['--help']);
  expect(help).toMatchObject({ code: 0, err: '' });
  expect(help.out).toContain('Usage: mcp-gateway');
  expect(await cli(['--version'])).toEqual({ code: 0, out: `${about.version}\n`, err: '' });
  expect((await cli(['list', '--help'])).out).toContain('mcp-gateway list --query time');
});

test.each([
  [[], 'Usage:'],
  [['nonsense'], "unknown command 'mcp-gateway nonsense'"],
  [['peer-list'], 'see docs/deploy/from-another-registry.md'],
  [['server-rate'], 'see docs/deploy/from-another-registry.md'],
  [['lst'], 'Did you mean `mcp-gateway server list`?'],
  [['list', '--nonsense'], "unknown option '--nonsense'"],
  [['list', '--limit', 'many'], 'Give a whole number from 1 to 2000.'],
  [['server-get'], '--path is missing. For example: mcp-gateway server-get --path /currenttime'],
  [['toggle', '--path', '/x', '--enabled', 'maybe'], 'Use one of: true, false.'],
  [['list', '--registry-url', 'ftp://example.com'], 'is not an http:// or https:// URL'],
  [['list', '--registry-url', 'http://bob:secret@example.com'], 'contains a user name or password'],
  [['list'], 'This command needs a token.'],
])('wrong use %j is exit code 2 and says what is wrong', async (argv, message) => {
  const { code, out, err } = await cli(argv);
  expect(code).toBe(2);
  expect(err).toContain(message);
  expect(out).toBe('');
});

test('global options work before and after the command', async () => {
  const registry = await scripted({ 'GET /api/servers': aPage([]) });
  const before = await cli(['--registry-url', registry.url, '--json', 'list'], {
    env: { MCP_GATEWAY_TOKEN: 'x' },
  });
  const after = await cli(['list', '--json', '--registry-url', registry.url], {
    env: { MCP_GATEWAY_TOKEN: 'x' },
  });
  expect(before).toEqual(after);
  expect(JSON.parse(before.out)).toMatchObject({ total_count: 0 });
});

test('a registry below a path of its host is reached there', async () => {
  const registry = await scripted({ 'GET /gateway/api/servers': aPage([aServer()]) });
  expect(await cli(['list', '--registry-url', `${registry.url}/gateway/`], { registry })).toMatchObject({
    code: 0,
  });
});

test('the token travels as a bearer token', async () => {
  const seen: unknown[] = [];
  const registry = await scripted({
    'GET /api/servers': ({ headers }) => {
      seen.push(headers.authorization);
      return aPage([]);
    },
  });
  const cwd = await folderWith({ '.token': '{"tokens":{"access_token":"from.a.file"}}' });
  await cli(['list', '--token-file', '.token'], { registry, cwd });
  await cli(['list'], { registry, cwd, env: { MCP_GATEWAY_TOKEN_FILE: '.token' } });
  await cli(['list'], { registry, cwd });
  expect(seen).toEqual(['Bearer from.a.file', 'Bearer from.a.file', 'Bearer a.test.token']);
});

test('a refusal is shown with detail, faults, remedy and correlation id', async () => {
  const registry = await scripted({
    'GET /api/servers': problem(401, 'credential_expired', 'The token expired at noon.', {
      correlation_id: 'c-1',
      errors: [{ at: 'header.authorization', message: 'too old' }],
    }),
  });
  const { code, out, err } = await cli(['list'], { registry });
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toContain('error: The token expired at noon.');
  expect(err).toContain('- authorization: too old');
  expect(err).toContain('mcp-gateway auth login');
  expect(err).toContain('correlation id: c-1');
});

test('with --json a failure is one JSON document too', async () => {
  const registry = await scripted({
    'GET /api/servers': problem(403, 'not_allowed', 'No.', { correlation_id: 'c-2' }),
  });
  const { code, out } = await cli(['list', '--json'], { registry });
  expect(code).toBe(1);
  expect(JSON.parse(out)).toEqual({
    error: {
      message: 'No.',
      code: 'not_allowed',
      status: 403,
      remedy: expect.stringContaining('mcp-gateway auth whoami'),
      correlation_id: 'c-2',
    },
  });
});

test('a registry that is not there is named, with what to check', async () => {
  const gone = await scripted({});
  const { code, err } = await cli(['list', '--registry-url', 'http://127.0.0.1:1'], { registry: gone });
  expect(code).toBe(1);
  expect(err).toContain('Could not reach http://127.0.0.1:1');
  expect(err).toContain('--registry-url');
});

test.each([
  [{ body: '<h1>Welcome</h1>' }, 'did not return JSON'],
  [{ status: 302, headers: { location: '/login' } }, 'it responded with a redirect'],
  [{ status: 418, body: 'no' }, 'The server answered 418 without saying why.'],
])('an answer that is not of the API is explained: %j', async (said, message) => {
  const registry = await scripted({ 'GET /api/servers': said });
  const { code, err } = await cli(['list'], { registry });
  expect(code).toBe(1);
  expect(err).toContain(message);
});

test('the debug log tells each request and never a secret', async () => {
  const registry = await scripted({ 'GET /api/servers': aPage([]) });
  const { err } = await cli(['list', '--debug', '--query', 'hush'], { registry });
  expect(err).toContain('debug: using the token from MCP_GATEWAY_TOKEN');
  expect(err).toContain(`debug: GET ${registry.url}/api/servers returned 200`);
  expect(err).not.toMatch(/a\.test\.token|hush/);
});

test('start passes its options on and ends with the exit code of the server', async () => {
  const got: unknown[] = [];
  const startServer = async (options: unknown): Promise<void> => void got.push(options);
  const argv = ['start', '--evaluation', '--port', '9000', '--host', '::1', '--data-dir', 'data'];
  expect((await cli(argv, { world: { startServer }, cwd: '/srv' })).code).toBe(0);
  expect((await cli(['start'], { world: { startServer } })).code).toBe(0);
  expect(got).toEqual([{ evaluation: true, port: 9000, host: '::1', dataDir: '/srv/data' }, {}]);
  expect((await cli(['start'], { world: { startServer: async () => 3 } })).code).toBe(3);
});

test('faulty settings are listed one by one with exit code 2, other failures of start are 1', async () => {
  const faulty = Object.assign(new Error('2 settings are not valid:\n- PORT: no number\n- HOST: no'), {
    faults: ['PORT: no number', 'HOST: no'],
  });
  const refused = await cli(['start'], { world: { startServer: () => Promise.reject(faulty) } });
  expect(refused.code).toBe(2);
  expect(refused.err).toBe('error: 2 settings are not valid.\n  - PORT: no number\n  - HOST: no\n');
  const inUse = { startServer: () => Promise.reject(new Error('port 8080 is in use')) };
  expect(await cli(['start'], { world: inUse })).toMatchObject({
    code: 1,
    err: 'error: port 8080 is in use\n',
  });
});

test('entra-emulator passes its options on with absolute paths', async () => {
  const got: unknown[] = [];
  const runEmulator = async (options: unknown): Promise<number> => got.push(options) - 1;
  const argv = ['entra-emulator', '--seed', 'seed.json', '--port', '0', '--https', '--strict'];
  expect((await cli(argv, { world: { runEmulator }, cwd: '/srv' })).code).toBe(0);
  expect(got).toEqual([{ seed: '/srv/seed.json', port: 0, https: true, strict: true }]);
});

test('started by npm in a checkout, what is said names commands as they are typed there', async () => {
  const env = { npm_lifecycle_event: 'cli' };
  const help = await cli(['server', '--help'], { env });
  expect(help.out).toContain('Usage: npm run -s cli -- server <verb>');
  expect(help.out).toContain('  npm run -s cli -- server get /currenttime');
  const { err } = await cli(['server', 'list'], { env });
  expect(err).toContain('Sign in with `npm run -s cli -- auth login`');
  expect((await cli(['server', 'list'])).err).toContain('Sign in with `mcp-gateway auth login`');
});
