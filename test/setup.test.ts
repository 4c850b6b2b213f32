import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { parseEnv } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { adminClient, adminClientId, type Emulator, startEmulator } from '../src/entra-emulator/main.ts';
import { openBrowser } from '../src/entra-emulator/testing/browser.ts';
import { graphClient } from '../src/entra-emulator/testing/graph.ts';
import { signInWithCode } from '../src/server/iam/entra/device-code.ts';
import { freePort } from './harness.ts';
import { openOtherName } from './other-name.ts';
import { signIn } from './sign-in.ts';

const password = 'Emulator-demo-1';
let emulator: Emulator;
let otherName: Awaited<ReturnType<typeof openOtherName>>;
let folder: string;
let port: number;
let gateway: ChildProcess | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'setup-'));
  port = await freePort();
  const administrator = { userPrincipalName: 'root@empty.example', displayName: 'Root', password };
  otherName = await openOtherName();
  const emulatorPort = await freePort();
  otherName.to(`http://127.0.0.1:${emulatorPort}`);
  emulator = await startEmulator({
    port: emulatorPort,
    origin: otherName.origin,
    devicePollSeconds: 1,
    seed: {
      tenants: [
        {
          id: '7e4a0000-e000-4000-8000-0000000000ee',
          displayName: 'Empty',
          domains: ['empty.example'],
          users: [{ ...administrator, directoryRoles: ['Global Administrator'], about: 'administrator' }],
          applications: [adminClient()],
        },
      ],
    },
  });
  writeFileSync(join(folder, 'ca.pem'), otherName.ca);
  setDefaultCACertificates([...getCACertificates('default'), otherName.ca]);
});
afterAll(async () => {
  gateway?.kill('SIGKILL');
  otherName.close();
  await emulator.close();
  rmSync(folder, { recursive: true, force: true });
});

function run(...argv: string[]): ChildProcess {
  return spawn(process.execPath, [resolve('bin/mcp-gateway.mjs'), ...argv], {
    cwd: folder,
    env: {
      ...{ PATH: process.env.PATH, HOME: folder, NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') },
      ...{
        ENTRA_LOGIN_BASE_URL: emulator.origin,
        ENTRA_GRAPH_BASE_URL: emulator.graphOrigin,
        PORT: String(port),
      },
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs a command to its end; when it shows a code, the administrator enters it. */
async function finish(...argv: string[]): Promise<{ code: number; text: string }> {
  const child = run(...argv);
  let text = '';
  let entered = false;
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      text += chunk;
      const [, address, code] = /open (\S+) and enter the code (\S+)/.exec(text) ?? [];
      if (!address || !code || entered) return;
      entered = true;
      void openBrowser().post(address, { user_code: code, emulator_account: emulator.accounts[0]!.objectId });
    });
  const [code] = await once(child, 'exit');
  return { code: Number(code), text };
}

const setup = (...more: string[]) =>
  finish('setup', 'entra', '--tenant', emulator.tenantId, '--url', `http://localhost:${port}`, ...more);
const env = () => parseEnv(readFileSync(join(folder, '.env'), 'utf8'));

test('setup shows its plan, sets an empty tenant up, and finds all in order', async () => {
  const planned = await setup('--plan');
  expect(planned).toMatchObject({ code: 0, text: expect.stringContaining("register 'mcp-gateway-web'") });
  expect(existsSync(join(folder, '.env'))).toBe(false);
  const done = await setup('--yes');
  expect(done.text).toContain('All checks passed.');
  expect(done.code).toBe(0);
  expect(done.text).not.toContain(env().ENTRA_CLIENT_SECRET);
  const doctor = await finish('doctor', 'entra', '--json');
  expect(doctor.code).toBe(0);
  expect(JSON.parse(doctor.text).findings.filter((one: { level: string }) => one.level !== 'ok')).toEqual([]);
});

test('then the administrator signs in at the gateway, and an agent calls it', async () => {
  gateway = run('start');
  await new Promise<void>((ready, fail) => {
    let said = '';
    gateway!.stdout?.on('data', (chunk: Buffer) => {
      said += chunk;
      if (said.includes('the gateway serves')) ready();
    });
    gateway!.stderr?.on('data', (chunk: Buffer) => {
      said += chunk;
    });
    gateway!.once('exit', () => fail(new Error(said)));
  });
  const url = `http://localhost:${port}`;
  const { cookie } = await signIn(url, 'root@empty.example');
  const me = await fetch(`${url}/api/auth/me`, { headers: { cookie } });
  expect(await me.json()).toMatchObject({ username: 'root@empty.example', is_admin: true });
  const token = await agentInAdminGroup();
  const agent = await fetch(`${url}/api/auth/me`, { headers: { authorization: `Bearer ${token}` } });
  expect(await agent.json()).toMatchObject({ kind: 'agent', is_admin: true });
  const doctor = await fetch(`${url}/api/doctor`, { headers: { cookie } });
  expect(await doctor.json()).toMatchObject({ healthy: true });
});

/** Step 5 of testing: an application of its own, with a secret, in a mapped group and with the app role. */
async function agentInAdminGroup(): Promise<string> {
  const { token } = await signInWithCode(
    {
      ...{ loginBaseUrl: emulator.origin, tenant: emulator.tenantId, fetch: fetch as never },
      pause: async () => {},
      show: (address, user_code) =>
        void openBrowser().post(address, { user_code, emulator_account: emulator.accounts[0]!.objectId }),
    },
    adminClientId,
    ['Application.ReadWrite.All'],
  );
  const graph = graphClient(emulator, token);
  const { body: app } = await graph('POST', '/applications', { displayName: 'agent' });
  const { body: principal } = await graph('POST', '/servicePrincipals', { appId: app.appId });
  const { body: secret } = await graph('POST', `/applications/${app.id}/addPassword`, {
    passwordCredential: {},
  });
  await graph('POST', `/groups/${env().ENTRA_GROUP_ADMIN_ID}/members/$ref`, {
    '@odata.id': `${emulator.graphOrigin}/v1.0/directoryObjects/${principal.id}`,
  });
  const own = `/servicePrincipals(appId='${env().ENTRA_CLIENT_ID}')`;
  const { body: api } = await graph('GET', own);
  await graph('POST', `/servicePrincipals/${api.id}/appRoleAssignedTo`, {
    ...{ principalId: principal.id, resourceId: api.id },
    appRoleId: api.appRoles.find(({ value }: { value: string }) => value === 'Gateway.Invoke').id,
  });
  const answer = await fetch(`${emulator.origin}/${emulator.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      ...{ grant_type: 'client_credentials', client_id: app.appId, client_secret: secret.secretText },
      scope: `api://${env().ENTRA_CLIENT_ID}/.default`,
    }),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}

test('a second run changes nothing, and --remove leaves nothing behind', async () => {
  const before = readFileSync(join(folder, '.env'), 'utf8');
  expect(await setup('--yes')).toMatchObject({ code: 0, text: expect.stringContaining('in place already') });
  expect(readFileSync(join(folder, '.env'), 'utf8')).toBe(before);
  const removed = await setup('--remove', '--yes');
  expect(removed).toMatchObject({
    code: 0,
    text: expect.stringContaining("the registration 'mcp-gateway-web'"),
  });
  expect(existsSync(join(folder, '.env'))).toBe(false);
  expect(existsSync(join(folder, 'scopes.yml'))).toBe(false);
  expect((await setup('--remove', '--yes')).text).toContain('There was nothing to remove.');
});

test.each(['az', 'terraform'])('--print %s holds everything and asks nobody', async (form) => {
  const { code, text } = await finish('setup', 'entra', '--print', form, '--url', 'https://gw.example.com');
  expect(code).toBe(0);
  for (const part of ['https://gw.example.com/oauth2/callback/entra', 'User.Read', 'Directory.Read.All'])
    expect(text).toContain(part);
  for (const part of [
    'access_as_user',
    'Gateway.Invoke',
    'idtyp',
    'ENTRA_CLIENT_SECRET',
    'mcp-gateway-users',
  ])
    expect(text).toContain(part);
});

test.each(['az', 'terraform'])('--print %s with a certificate makes no secret', async (form) => {
  const { code, text } = await finish(
    ...['setup', 'entra', '--print', form, '--url', 'https://gw.example.com', '--certificate', 'gateway.pem'],
  );
  expect(code).toBe(0);
  expect(text).not.toContain('ENTRA_CLIENT_SECRET');
  for (const part of ['ENTRA_CLIENT_CERTIFICATE_PATH=gateway.pem', '/oauth2/frontchannel-logout/entra'])
    expect(text).toContain(part);
});

test('the files of a certificate are looked at before the tenant is changed', async () => {
  const { code, text } = await setup('--yes', '--certificate', 'no-such.pem');
  expect(code).not.toBe(0);
  expect(text).toContain('there is no file no-such.pem');
});
