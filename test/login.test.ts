import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { folderWith } from './cli-trial.ts';
import { startGateway, type TestGateway } from './harness.ts';
import { consent, openBrowser } from './oauth-client.ts';
import { runProgram, startProgram } from './program.ts';
import { signIn, submitSignIn } from './sign-in.ts';

/** The sign-in of the command line at the gateway's own authorization server, with everything as it runs. */
const { accounts } = shippedTenant;
let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway?.close());

/** Somebody's machine: a home folder, and the program in it. */
async function machine() {
  const cwd = await folderWith();
  const env = { REGISTRY_URL: gateway.url };
  const file = join(cwd, '.config/mcp-gateway/credentials.json');
  const kept = async (): Promise<Record<string, string>> =>
    JSON.parse(await readFile(file, 'utf8')).registries[gateway.url];
  const change = async (parts: object): Promise<void> => {
    const registries = { [gateway.url]: { ...(await kept()), ...parts } };
    await writeFile(file, JSON.stringify({ version: 1, registries }));
  };
  return {
    ...{ kept, change },
    start: (...argv: string[]) => startProgram(argv, { cwd, env }),
    run: (...argv: string[]) => runProgram(argv, { cwd, env }),
    async signIn(who: string) {
      const program = startProgram(['login', '--no-browser'], { cwd, env });
      const [address] = await program.says(/http\S+\/authorize\?\S+/);
      const page = await fetch(await consent(openBrowser(), new URL(address), { as: who }));
      return { page: await page.text(), ...(await program.ended) };
    },
  };
}

test('a browser signs somebody in, commands act as them, and logout forgets it', async () => {
  const { run, kept, signIn } = await machine();
  const { code, out, err, page } = await signIn(accounts.admin.userPrincipalName);
  expect({ code, out }).toEqual({ code: 0, out: '' });
  expect(page).toContain('You are signed in.');
  expect(err).toContain(`Signed in at ${gateway.url} as ${accounts.admin.userPrincipalName}.`);
  const { access_token = '', refresh_token = '' } = await kept();
  for (const secret of [access_token, refresh_token]) {
    expect(secret).not.toBe('');
    expect(out + err + gateway.output()).not.toContain(secret);
  }
  const who = await run('whoami', '--json');
  expect(JSON.parse(who.out)).toMatchObject({ username: accounts.admin.userPrincipalName, is_admin: true });
  const groups = await run('list-groups', '--json');
  expect(groups).toMatchObject({ code: 0 });
  expect(await run('logout')).toMatchObject({
    code: 0,
    err: `Forgot the sign-in of ${accounts.admin.userPrincipalName}.\n`,
  });
  expect(await run('whoami')).toMatchObject({
    code: 2,
    err: expect.stringContaining('mcp-gateway auth login'),
  });
});

test('a code that is entered at another browser signs in too, with no more rights than its owner has', async () => {
  const { run, start } = await machine();
  const program = start('login', '--device-code');
  const [, address = '', user_code = ''] = await program.says(
    /Open (\S+) in a browser and enter the code (\S+)/,
  );
  expect(address).toBe(`${gateway.url}/oauth/device`);
  const { cookie } = await signIn(gateway.url, accounts.user.userPrincipalName);
  const post = async (form: Record<string, string>): Promise<string> => {
    const body = new URLSearchParams(form);
    return (await fetch(address, { method: 'POST', headers: { cookie }, body })).text();
  };
  const csrfIn = (page: string): string => /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? '';
  const page = await (await fetch(address, { headers: { cookie } })).text();
  const shown = await post({ csrf: csrfIn(page), user_code });
  expect(shown).toContain('mcp-gateway (command line)');
  const code = /name="user_code" value="(\w+)"/.exec(shown)?.[1] ?? '';
  const done = await post({ csrf: csrfIn(shown), user_code: code, decision: 'allow' });
  expect(done).toContain('The device is connected');
  expect(await program.ended).toMatchObject({
    code: 0,
    err: expect.stringContaining(`as ${accounts.user.userPrincipalName}.`),
  });
  expect((await run('list', '--json')).code).toBe(0);
  expect(await run('list-groups')).toMatchObject({ code: 1, err: expect.stringContaining('whoami') });
});

test('a person sees the command line among the connected clients; ended there, the next command is refused', async () => {
  const { run, kept, signIn: login } = await machine();
  await login(accounts.user.userPrincipalName);
  const list = await run('connected-client-list', '--json');
  const { connected_clients } = JSON.parse(list.out) as { connected_clients: Record<string, string>[] };
  const [mine] = connected_clients.filter(({ client_id }) => client_id === 'mcp-gateway-cli');
  expect(mine).toMatchObject({ via: expect.stringMatching(/consent|device/), resource: gateway.url });
  expect((await run('connected-client-end', '--id', mine?.id ?? '')).code).toBe(0);
  await expect.poll(async () => (await run('whoami')).code).toBe(1);
  expect(await kept()).toBeTruthy();
});

test('logout gives the sign-in back: a copy of its tokens is worth nothing', async () => {
  const { run, kept, signIn: login } = await machine();
  await login(accounts.user.userPrincipalName);
  const { access_token, refresh_token = '', token_endpoint = '', client_id = '' } = await kept();
  const me = async (): Promise<number> => {
    const headers = { authorization: `Bearer ${access_token}` };
    return (await fetch(`${gateway.url}/api/auth/me`, { headers })).status;
  };
  expect(await me()).toBe(200);
  expect(await run('logout')).toMatchObject({ code: 0, err: expect.stringContaining('Forgot the sign-in') });
  await expect.poll(me).toBe(401);
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token, client_id });
  expect((await fetch(token_endpoint, { method: 'POST', body })).status).toBe(400);
});

test('the public client of the provider can be signed in with instead', async () => {
  const { run, start, kept } = await machine();
  const program = start('login', '--at-provider', '--no-browser');
  const [address] = await program.says(/http\S+\/authorize\?\S+/);
  expect(address).toContain(gateway.emulatorUrl);
  await fetch(await submitSignIn(address, accounts.user.userPrincipalName));
  expect((await program.ended).code).toBe(0);
  expect((await kept()).provider).toBe('entra');
  expect((await run('whoami')).code).toBe(0);
});

test('a sign-in that is about to end is renewed with the refresh token, and the gateway takes the new one', async () => {
  const { run, kept, change, signIn } = await machine();
  await signIn(accounts.user.userPrincipalName);
  const first = await kept();
  await change({ access_token: 'over.and.out', expires_at: new Date().toISOString() });
  const who = await run('whoami', '--json');
  expect(JSON.parse(who.out)).toMatchObject({ username: accounts.user.userPrincipalName });
  const renewed = await kept();
  expect(renewed.access_token?.split('.')).toHaveLength(3);
  expect(renewed.refresh_token).toBeTruthy();
  expect(renewed.access_token).not.toBe(first.access_token);
  expect((await run('whoami')).code).toBe(0);
  expect(await kept()).toEqual(renewed);
});

test('a refresh token that is refused ends the sign-in, and says how to sign in again', async () => {
  const { run, change, signIn } = await machine();
  await signIn(accounts.user.userPrincipalName);
  await change({ refresh_token: 'not-one', expires_at: new Date().toISOString() });
  const { code, err } = await run('whoami');
  expect(code).toBe(1);
  expect(err).toMatch(/The sign-in of \S+ is over: /);
  expect(err).toContain('Sign in again with `mcp-gateway auth login`.');
  expect(err).not.toContain('not-one');
});

test('a person whom no group lets in is signed in, and sees that nothing is granted', async () => {
  const { run, signIn } = await machine();
  expect((await signIn(accounts.noGroup.userPrincipalName)).code).toBe(0);
  const { out } = await run('whoami', '--json');
  expect(JSON.parse(out)).toMatchObject({ is_admin: false, scopes: [], accessible_servers: [] });
});
