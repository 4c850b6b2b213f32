import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Asked, cli, folderWith, problem, type Said, scripted } from '../../../test/cli-trial.ts';

const minted = {
  success: true,
  tokens: {
    access_token: 'minted.to.ken',
    refresh_token: null,
    expires_in: 28800,
    refresh_expires_in: 0,
    token_type: 'Bearer',
    scope: 'mcp-registry-admin',
  },
  token_id: 'id-1',
  client_id: 'user-generated',
  user_scopes: ['mcp-registry-admin'],
  requested_scopes: ['mcp-registry-admin'],
  expires_at: '2026-01-02T11:04:05.000Z',
};

/** A sign-in page with the emulator's markup. */
function signInPage(action: string, error = ''): Said {
  const hidden = '<input type="hidden" name="state" value="s&#38;1">';
  return {
    headers: { 'x-entra-emulator': '1' },
    body: `<h1>Sign in</h1>${error && `<p class="error" role="alert">${error}</p>`}
      <form method="post" action="${action}">${hidden}<input type="hidden" name="emulator_account" value="7">
        <button type="submit">Alice<small>alice@contoso.example - administrator</small></button></form>
      <form method="post" action="${action}">${hidden}<input type="hidden" name="emulator_account" value="8">
        <button type="submit">Bob<small>bob@contoso.example - user</small></button></form>
      <form method="post" action="${action}">${hidden}
        <label>User name<input type="text" name="emulator_username" value=""></label>
        <label>Password<input type="password" name="emulator_password"></label>
        <button class="main" type="submit">Sign in</button></form>`,
  };
}

/** A registry in evaluation mode with its emulator, on two origins; `posted` is what the CLI sent to each. */
async function evaluation(changes: { registry?: Record<string, Said>; page?: Said; answer?: Said } = {}) {
  const posted: { signIn: string[]; mint: unknown[] } = { signIn: [], mint: [] };
  const registry = await scripted({
    'GET /api/auth/providers': { body: { providers: [], evaluation: true } },
    'GET /oauth2/login/entra': () => ({
      status: 302,
      headers: {
        location: `${emulator.url}/t/authorize?state=s%261`,
        'set-cookie': 'attempt=a; Path=/; HttpOnly',
      },
    }),
    'GET /oauth2/callback/entra': ({ headers, url }) =>
      headers.cookie === 'attempt=a' && url.searchParams.get('state') === 's&1'
        ? {
            status: 303,
            headers: { location: '/', 'set-cookie': ['attempt=; Max-Age=0', 'session=s3cret; HttpOnly'] },
          }
        : problem(400, 'bad_request', 'forged'),
    'GET /': { body: '<h1>Servers</h1>' },
    'GET /api/auth/me': ({ headers }) =>
      headers.cookie === 'session=s3cret'
        ? { body: { username: 'alice@contoso.example', csrf_token: 'csrf-1' } }
        : problem(401, 'credential_missing', 'Nobody.'),
    'POST /api/tokens/generate': ({ headers, text }) => {
      posted.mint.push(JSON.parse(text));
      const allowed =
        headers.cookie === 'session=s3cret' &&
        headers['x-csrf-token'] === 'csrf-1' &&
        headers.origin === registry.url;
      return allowed ? { body: minted } : problem(403, 'csrf_failed', 'No.');
    },
    ...changes.registry,
  });
  const submit = ({ text }: Asked): Said => {
    const form = new URLSearchParams(text);
    posted.signIn.push(text);
    if (form.get('emulator_password') !== 'Emulator-demo-1')
      return signInPage('/t/authorize', 'AADSTS50126: Error validating credentials.');
    const location = `${registry.url}/oauth2/callback/entra?code=c&state=${encodeURIComponent(form.get('state') ?? '')}`;
    return changes.answer ?? { status: 302, headers: { location, 'set-cookie': 'emulator=e' } };
  };
  const emulator = await scripted({
    'GET /t/authorize': changes.page ?? signInPage('/t/authorize'),
    'POST /t/authorize': submit,
  });
  return { registry, emulator, posted };
}

test('token signs the demo administrator in through the browser flow and prints the token', async () => {
  const { registry, posted } = await evaluation();
  const { code, out } = await cli(['token'], { registry });
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual(minted);
  expect(posted.signIn).toEqual([
    'state=s%261&emulator_username=alice%40contoso.example&emulator_password=Emulator-demo-1',
  ]);
  expect(posted.mint).toEqual([{}]);
});

test('token --output writes a file for its owner only, which --token-file reads', async () => {
  const { registry } = await evaluation();
  const cwd = await folderWith({ '.token': 'old' });
  const argv = ['token', '--account', 'bob', '--output', '.token', '--json'];
  const { out, err } = await cli(argv, { registry, cwd });
  expect(JSON.parse(out)).toMatchObject({ file: '.token', token_id: 'id-1' });
  expect(out + err).not.toContain('minted.to.ken');
  expect(JSON.parse(await readFile(join(cwd, '.token'), 'utf8'))).toEqual(minted);
  if (process.platform !== 'win32') expect((await stat(join(cwd, '.token'))).mode & 0o777).toBe(0o600);
});

test('what the token is for, how long and how wide it is go to the registry', async () => {
  const { registry, posted } = await evaluation();
  await cli(['token', '--scope', 'a', 'b', '--expires-in-hours', '2', '--description', 'for a test'], {
    registry,
  });
  expect(posted.mint).toEqual([
    { requested_scopes: ['a', 'b'], expires_in_hours: 2, description: 'for a test' },
  ]);
});

test('a wrong password, from standard input, is reported with the words of the sign-in page', async () => {
  const { registry, posted } = await evaluation();
  const { code, out, err } = await cli(['token', '--password-stdin'], { registry, stdin: 'wrong\n' });
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toContain('AADSTS50126: Error validating credentials');
  expect(err).not.toContain('wrong');
  expect(posted.signIn).toHaveLength(1);
});

test('an unknown demo account is answered with those there are', async () => {
  const { registry, posted } = await evaluation();
  const { code, err } = await cli(['token', '--account', 'zoe'], { registry });
  expect(code).toBe(1);
  expect(err).toContain('There are: alice, bob.');
  expect(posted.signIn).toEqual([]);
});

test('a registry that is not in evaluation mode is refused politely, before anything is sent', async () => {
  const registry = await scripted({
    'GET /api/auth/providers': { body: { providers: [], evaluation: false } },
  });
  const { code, err } = await cli(['token'], { registry });
  expect(code).toBe(1);
  expect(err).toContain('Get JWT Token');
  expect(registry.asked).toEqual(['GET /api/auth/providers']);
});

test.each([
  ['a page that is not the emulator', { ...signInPage('/t/authorize'), headers: {} }, 'ended at'],
  [
    'a form that posts elsewhere',
    signInPage('http://127.0.0.1:1/steal'),
    'would send the password to http://127.0.0.1:1',
  ],
])('the password is not typed into %s', async (_, page, message) => {
  const { registry, posted } = await evaluation({ page });
  const { code, err } = await cli(['token'], { registry });
  expect(code).toBe(1);
  expect(err).toContain(message);
  expect(posted.signIn).toEqual([]);
});

test('an error page of the emulator is quoted', async () => {
  const body = '<h1>Sorry</h1><p role="alert">AADSTS50011: The redirect URI does not match.</p>';
  const { registry } = await evaluation({ answer: { headers: { 'x-entra-emulator': '1' }, body } });
  expect((await cli(['token'], { registry })).err).toContain('AADSTS50011: The redirect URI does not match.');
});

test('a page of the registry without a session is quoted', async () => {
  const callback = {
    status: 403,
    body: '<h1>You are in no group.</h1>',
    headers: { 'set-cookie': 'attempt=' },
  };
  const { registry } = await evaluation({ registry: { 'GET /oauth2/callback/entra': callback } });
  expect((await cli(['token'], { registry })).err).toContain('Signing in failed: You are in no group.');
});

test('endless redirects end', async () => {
  const { registry } = await evaluation({
    registry: { 'GET /oauth2/login/entra': { status: 302, headers: { location: '/oauth2/login/entra' } } },
  });
  expect((await cli(['token'], { registry })).err).toContain('redirected more than 20 times');
});

test('the debug log of a sign-in holds no code, state, cookie, password or token', async () => {
  const { registry } = await evaluation();
  const { err } = await cli(['token', '--debug', '--output', '.token'], {
    registry,
    cwd: await folderWith(),
  });
  expect(err).toContain('GET ');
  expect(err).not.toMatch(/code=|state=|s3cret|csrf-1|Emulator-demo|minted\.to\.ken/);
});

test('a file that cannot be written is named', async () => {
  const { registry } = await evaluation();
  const argv = ['token', '--output', 'no/such/folder/.token'];
  const { code, err } = await cli(argv, { registry, cwd: await folderWith() });
  expect(code).toBe(1);
  expect(err).toContain('no/such/folder/.token cannot be written (ENOENT).');
});

test('tokens are listed and revoked', async () => {
  const registry = await scripted({
    'GET /api/tokens': {
      body: {
        tokens: [
          {
            id: 'id-1',
            description: 'ci',
            scopes: [],
            created_at: '2026-01-02',
            expires_at: '2026-01-03',
            last_used_at: null,
            revoked_at: null,
          },
        ],
      },
    },
    'DELETE /api/tokens/id-1': { status: 204 },
  });
  expect((await cli(['tokens'], { registry })).out).toContain('id-1  2026-01-02  2026-01-03  never');
  expect(await cli(['token-revoke', '--id', 'id-1'], { registry })).toMatchObject({
    code: 0,
    out: 'Revoked id-1.\n',
  });
});

test('whoami shows who the caller is and what is allowed', async () => {
  const registry = await scripted({
    'GET /api/auth/me': {
      body: {
        username: 'alice',
        name: null,
        email: null,
        kind: 'person',
        auth_method: 'personal-token',
        provider: 'entra',
        client_id: null,
        groups: [],
        scopes: ['a', 'b'],
        is_admin: true,
        can_modify_servers: true,
        ui_permissions: { list_service: ['all'] },
        accessible_servers: [],
        csrf_token: null,
      },
    },
  });
  const { out } = await cli(['whoami'], { registry });
  expect(out).toContain('Signed in by:  personal-token (entra)\n');
  expect(out).toContain('Scopes:        a, b\n');
  expect(out).toContain('list_service:  all\n');
});

test('token --raw prints the token and nothing else, for a header', async () => {
  const { registry } = await evaluation();
  expect(await cli(['token', '--raw'], { registry })).toMatchObject({
    code: 0,
    out: 'minted.to.ken\n',
    err: '',
  });
});
