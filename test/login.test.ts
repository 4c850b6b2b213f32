import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { folderWith } from './cli-trial.ts';
import { startGateway, type TestGateway } from './harness.ts';
import { runProgram, startProgram } from './program.ts';
import { submitSignIn } from './sign-in.ts';

/** The sign-in of the command line, with the program, the gateway and the identity provider as they run. */
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
      const page = await fetch(await submitSignIn(address, who));
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
  expect(await run('whoami')).toMatchObject({ code: 2, err: expect.stringContaining('mcp-gateway login') });
});

test('a code that is entered at another browser signs in too, with no more rights than its owner has', async () => {
  const { run, start } = await machine();
  const program = start('login', '--device-code');
  const [, address = '', user_code = ''] = await program.says(
    /Open (\S+) in a browser and enter the code (\w+)/,
  );
  const body = new URLSearchParams({ user_code, emulator_account: accounts.user.objectId });
  expect((await fetch(address, { method: 'POST', body })).status).toBe(200);
  expect(await program.ended).toMatchObject({
    code: 0,
    err: expect.stringContaining(`as ${accounts.user.userPrincipalName}.`),
  });
  expect((await run('list', '--json')).code).toBe(0);
  expect(await run('list-groups')).toMatchObject({ code: 1, err: expect.stringContaining('whoami') });
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

test('a refresh token that the provider refuses ends the sign-in, and says how to sign in again', async () => {
  const { run, change, signIn } = await machine();
  await signIn(accounts.user.userPrincipalName);
  await change({ refresh_token: 'not-one', expires_at: new Date().toISOString() });
  const { code, err } = await run('whoami');
  expect(code).toBe(1);
  expect(err).toMatch(/The sign-in of \S+ is over: .*AADSTS/s);
  expect(err).toContain('Sign in again with `mcp-gateway login`.');
  expect(err).not.toContain('not-one');
});

test('a person whom no group lets in is signed in, and sees that nothing is granted', async () => {
  const { run, signIn } = await machine();
  expect((await signIn(accounts.noGroup.userPrincipalName)).code).toBe(0);
  const { out } = await run('whoami', '--json');
  expect(JSON.parse(out)).toMatchObject({ is_admin: false, scopes: [], accessible_servers: [] });
});
