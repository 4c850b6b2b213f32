import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cli, folderWith, problem, scripted } from '../../../test/cli-trial.ts';
import { submitSignIn } from '../../../test/sign-in.ts';
import { shippedTenant, startEmulator } from '../../entra-emulator/main.ts';
import { claimsOf } from '../../entra-emulator/testing/browser.ts';
import type { Clock } from '../terminal.ts';

const { tenantId, clientId, publicClientId, accounts } = shippedTenant;

/** A registry that takes tokens of the emulator, and a folder for the sign-ins. */
async function trial(change: (signIn: Record<string, string>) => unknown = (signIn) => signIn) {
  const emulator = await startEmulator({ port: 0 });
  onTestFinished(() => emulator.close());
  const oauth = `${emulator.origin}/${tenantId}/oauth2/v2.0`;
  const tokens: string[] = [];
  const sign_in = change({
    ...{ provider: 'entra', client_id: publicClientId, token_endpoint: `${oauth}/token` },
    authorization_endpoint: `${oauth}/authorize`,
    device_authorization_endpoint: `${oauth}/devicecode`,
    scope: `openid profile offline_access api://${clientId}/access_as_user`,
  });
  const registry = await scripted({
    'GET /api/auth/command-line': { body: { sign_in } },
    'GET /api/auth/me': ({ headers }) => {
      const token = (headers.authorization ?? '').slice('Bearer '.length);
      tokens.push(token);
      const { scp, preferred_username } = token.split('.').length === 3 ? claimsOf(token) : {};
      if (scp !== 'access_as_user') return problem(401, 'credential_invalid', 'Not one of ours.');
      const lists = { groups: [], scopes: [], accessible_servers: [], ui_permissions: {} };
      return { body: { username: preferred_username, auth_method: 'bearer', provider: 'entra', ...lists } };
    },
  });
  const home = await folderWith();
  const file = join(home, 'mcp-gateway/credentials.json');
  const kept = async () => JSON.parse(await readFile(file, 'utf8')).registries[registry.url];
  /** Runs a command; a browser that is opened signs this account in. */
  const run = (argv: string[], more: { clock?: Clock; env?: Record<string, string>; who?: string } = {}) => {
    const openUrl = async (url: string): Promise<void> => {
      await fetch(await submitSignIn(url, more.who ?? accounts.user.userPrincipalName));
    };
    return cli(argv, {
      cwd: home,
      env: { XDG_CONFIG_HOME: home, REGISTRY_URL: registry.url, ...more.env },
      terminal: { openUrl, ...(more.clock ? { clock: more.clock } : {}) },
    });
  };
  return { emulator, registry, tokens, home, file, kept, run };
}

/** Time that stands still but for its pauses. */
function clockAt(now: number, inPause: () => unknown = () => undefined): Clock {
  return {
    now: () => now,
    async pause(ms, signal) {
      if (signal) return new Promise((over) => signal.addEventListener('abort', () => over()));
      now += ms;
      await inPause();
    },
  };
}

test('login signs in at the browser, and commands need no token file from then on', async () => {
  const { run, kept, file, home, tokens } = await trial();
  const { code, out, err } = await run(['login']);
  expect({ code, out }).toEqual({ code: 0, out: '' });
  expect(err).toContain(`as ${accounts.user.userPrincipalName}.`);
  const { access_token, refresh_token } = await kept();
  for (const secret of [access_token, refresh_token]) expect(out + err).not.toContain(secret);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(join(home, 'mcp-gateway'))).mode & 0o777).toBe(0o700);
  const who = await run(['whoami']);
  expect(who.out).toContain(`the sign-in of ${accounts.user.userPrincipalName} (mcp-gateway auth login)`);
  expect(tokens).toEqual([access_token, access_token]);
});

test('the address has PKCE and a state, and a browser is opened only when it may', async () => {
  const { registry, home } = await trial();
  const stop = clockAt(Date.now());
  const opened: string[] = [];
  const late: Clock = { ...stop, pause: async () => undefined };
  for (const more of [[], ['--no-browser']]) {
    const { code, err } = await cli(['login', ...more], {
      cwd: home,
      env: { XDG_CONFIG_HOME: home, REGISTRY_URL: registry.url },
      terminal: { clock: late, openUrl: (url) => void opened.push(url) },
    });
    expect(code).toBe(1);
    expect(err).toContain('mcp-gateway auth login --device-code');
  }
  expect(opened).toHaveLength(1);
  const { code_challenge, ...query } = Object.fromEntries(new URL(opened[0]!).searchParams);
  expect(code_challenge).toMatch(/^[\w-]{43}$/);
  expect(query).toMatchObject({ code_challenge_method: 'S256', state: expect.stringMatching(/^[\w-]{43}$/) });
  expect(query.redirect_uri).toMatch(/^http:\/\/localhost:\d+$/);
});

test('an answer without the state is not listened to; a refusal is explained', async () => {
  const { registry, home } = await trial();
  const answers: number[] = [];
  let visited: Promise<void> | undefined;
  const visit = async (url: string): Promise<void> => {
    const { redirect_uri = '', state = '' } = Object.fromEntries(new URL(url).searchParams);
    answers.push((await fetch(`${redirect_uri}/?code=forged&state=other`)).status);
    answers.push((await fetch(`${redirect_uri}/else?code=forged&state=${state}`)).status);
    const why = 'AADSTS65004: User declined to consent';
    const refusal = new URLSearchParams({ error: 'access_denied', error_description: why, state });
    answers.push((await fetch(`${redirect_uri}/?${refusal}`)).status);
  };
  const openUrl = (url: string): void => {
    visited = visit(url);
  };
  const env = { XDG_CONFIG_HOME: home, REGISTRY_URL: registry.url };
  const { code, err } = await cli(['login'], { cwd: home, env, terminal: { openUrl } });
  await visited;
  expect(code).toBe(1);
  expect(err).toContain('AADSTS65004');
  expect(answers).toEqual([404, 404, 200]);
});

test('login with a code works without a browser on this machine', async () => {
  const { home, registry, kept, emulator } = await trial();
  let [err, pauses] = ['', 0];
  const clock = clockAt(Date.now(), async () => {
    pauses += 1;
    if (pauses < 2) return; // the first question comes before anybody has entered the code
    const [, user_code = ''] = /enter the code (\w+)/.exec(err) ?? [];
    const form = new URLSearchParams({ user_code, emulator_account: accounts.admin.objectId });
    await fetch(`${emulator.origin}/devicelogin`, { method: 'POST', body: form });
  });
  const { code } = await cli(['login', '--device-code'], {
    ...{ cwd: home, env: { XDG_CONFIG_HOME: home, REGISTRY_URL: registry.url } },
    terminal: { clock, stderr: { write: (text) => (err += text) } },
  });
  expect({ code, pauses }).toEqual({ code: 0, pauses: 2 });
  expect((await kept()).username).toBe(accounts.admin.userPrincipalName);
});

test('a token that the registry refuses is not kept', async () => {
  const { run, home } = await trial((signIn) => ({ ...signIn, scope: 'openid offline_access User.Read' }));
  const { code, err } = await run(['login']);
  expect(code).toBe(1);
  expect(err).toContain('Not one of ours.');
  expect(await readdir(home)).toEqual([]);
});

test.each([
  ['no public client', () => null, 1, 'IDE_OAUTH_CLIENT_ID'],
  [
    'a token endpoint in the clear',
    (signIn: object) => ({ ...signIn, token_endpoint: 'http://login.example/token' }),
    2,
    'is not https://',
  ],
  [
    'a page that is none',
    (signIn: object) => ({ ...signIn, authorization_endpoint: 'file:///etc/passwd' }),
    2,
    'is not https://',
  ],
])('a registry with %s is not signed in at', async (_, change, exitCode, why) => {
  const { run } = await trial(change);
  const { code, err } = await run(['login']);
  expect(code).toBe(exitCode);
  expect(err).toContain(why);
});

test('a registry in the clear is not signed in at', async () => {
  const { run } = await trial();
  const { code, err } = await run(['login', '--registry-url', 'http://registry.example']);
  expect(code).toBe(2);
  expect(err).toContain('would not stay private');
});

test('a token about to expire is renewed once, however many commands need it', async () => {
  const { run, kept, tokens, home } = await trial();
  await run(['login']);
  const before = await kept();
  const clock = clockAt(Date.parse(before.expires_at) - 59_000);
  const real: Clock = { ...clock, pause: () => new Promise((over) => setImmediate(over)) };
  const runs = await Promise.all([1, 2, 3].map(() => run(['whoami', '--debug'], { clock: real })));
  expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
  const renewals = runs.flatMap(({ err }) => err.match(/POST \S+\/token returned 200/g) ?? []);
  expect(renewals).toHaveLength(1);
  const after = await kept();
  expect(after.access_token).not.toBe(before.access_token);
  expect(tokens.slice(1)).toEqual(Array(3).fill(after.access_token));
  expect(await readdir(join(home, 'mcp-gateway'))).toEqual(['credentials.json']);
});

test('a lock that was left behind does not stop anybody', async () => {
  const { run, kept, file } = await trial();
  await run(['login']);
  await writeFile(`${file}.lock`, '');
  await utimes(`${file}.lock`, new Date(0), new Date(0));
  const clock = clockAt(Date.parse((await kept()).expires_at));
  expect((await run(['whoami'], { clock })).code).toBe(0);
});

test('a sign-in that cannot be renewed says what to do, and no other credential takes its place', async () => {
  const { run, kept, file, registry } = await trial();
  await run(['login']);
  const one = {
    ...(await kept()),
    refresh_token: 'not-a-refresh-token',
    expires_at: new Date(0).toISOString(),
  };
  await writeFile(file, JSON.stringify({ version: 1, registries: { [registry.url]: one } }));
  const over = await run(['whoami']);
  expect(over.code).toBe(1);
  expect(over.err).toContain(`The sign-in of ${accounts.user.userPrincipalName} is over: AADSTS`);
  expect(over.err).toContain('Sign in again with `mcp-gateway auth login`.');
  expect(over.err).not.toContain('not-a-refresh-token');
  const away = { ...one, token_endpoint: 'http://127.0.0.1:1/token' };
  await writeFile(file, JSON.stringify({ version: 1, registries: { [registry.url]: away } }));
  expect((await run(['whoami'])).err).toContain('cannot be renewed now: 127.0.0.1:1 could not be reached.');
});

test('what is named goes before the sign-in, also when it is of no use; login warns of it', async () => {
  const { run, tokens } = await trial();
  const { err } = await run(['login'], { env: { MCP_GATEWAY_TOKEN: 'from.the.env' } });
  expect(err).toContain('MCP_GATEWAY_TOKEN is set and takes precedence over this sign-in');
  expect((await run(['whoami'], { env: { MCP_GATEWAY_TOKEN: 'from.the-env' } })).code).toBe(1);
  expect(tokens.at(-1)).toBe('from.the-env');
  const missing = await run(['whoami', '--token-file', 'nowhere']);
  expect(missing).toMatchObject({ code: 2, err: expect.stringContaining('nowhere does not exist') });
});

test('a sign-in is for its registry only, and logout forgets that one', async () => {
  const { run, file } = await trial();
  await run(['login']);
  const other = JSON.parse(await readFile(file, 'utf8'));
  const [mine] = Object.values(other.registries);
  await writeFile(
    file,
    JSON.stringify({ version: 1, registries: { ...other.registries, 'https://o.example': mine } }),
  );
  const elsewhere = await run(['whoami', '--registry-url', 'http://127.0.0.1:1']);
  expect(elsewhere).toMatchObject({ code: 2, err: expect.stringContaining('mcp-gateway auth login') });
  expect((await run(['logout'])).err).toContain(`Forgot the sign-in of ${accounts.user.userPrincipalName}.`);
  expect(Object.keys(JSON.parse(await readFile(file, 'utf8')).registries)).toEqual(['https://o.example']);
  expect((await run(['whoami'])).code).toBe(2);
  expect((await run(['logout'])).err).toContain('No one was signed in');
});

test('a file that login has not written is left alone and named', async () => {
  const { run, home, file } = await trial();
  await mkdir(join(home, 'mcp-gateway'));
  await writeFile(file, '{"something": "else"}');
  const { code, err } = await run(['whoami']);
  expect(code).toBe(1);
  expect(err).toContain(`${file} is not a file that mcp-gateway auth login wrote.`);
  expect(await readFile(file, 'utf8')).toBe('{"something": "else"}');
});
