import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { performKeycloakSetup } from '../../src/server/iam/keycloak/setup/perform.ts';
import { diskFiles } from '../../src/server/iam/setup/files.ts';
import type { Fetch } from '../../src/server/net/outbound.ts';
import { launchBrowser, whyNoBrowser } from '../browser.ts';
import { freePort, startGateway } from '../harness.ts';
import { admin, clientToken, keycloakUrl } from './admin.ts';
import { makeAdministrator, makeAgent, makeClient, makePerson } from './realm.ts';
import { meOf, signInAs } from './sign-in.ts';

const [clientId = '', clientSecret = ''] = (process.env.KEYCLOAK_TEST_ADMIN ?? '').split(':');
const asClient = { KEYCLOAK_SETUP_CLIENT_ID: clientId, KEYCLOAK_SETUP_CLIENT_SECRET: clientSecret };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keycloak-setup-'));
  return () => rmSync(folder, { recursive: true, force: true });
});

/** Runs the built command as a user would. */
async function command(
  args: readonly string[],
  { env = asClient as Record<string, string>, stdin = '' } = {},
) {
  const child = spawn(process.execPath, [resolve('bin/mcp-gateway.mjs'), ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, ...env },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  child.stdin.end(stdin);
  const [code] = (await once(child, 'close')) as [number];
  return { code, out, err };
}

const setup = (realm: string, ...more: string[]) =>
  command(['setup', 'keycloak', '--server-url', keycloakUrl, '--realm', realm, ...more]);

/** All of a realm that setup could touch, without secrets. */
async function stateOf(realm: string): Promise<unknown> {
  const whole = '/partial-export?exportClients=true&exportGroupsAndRoles=true';
  const { body } = await admin('POST', `/${realm}${whole}`);
  const { body: people } = await admin('GET', `/${realm}/users`);
  const byName = (list: { name?: string; clientId?: string }[]) =>
    [...list].sort((a, b) => `${a.clientId ?? a.name}`.localeCompare(`${b.clientId ?? b.name}`));
  const { clients, clientScopes, groups, ...rest } = body;
  return { rest, people, ...{ clients: byName(clients), clientScopes: byName(clientScopes), groups } };
}

const read = (name: string) => readFileSync(join(folder, name), 'utf8');

test('an empty realm is set up, the gateway works with it, a second run changes nothing, and all is taken back', async () => {
  const realm = 'setup';
  await admin('POST', '', { realm, enabled: true });
  await makePerson(realm, 'ada', []);
  const before = await stateOf(realm);
  const port = await freePort();
  const options = ['--url', `http://localhost:${port}`, '--admin', 'ada'];

  const plan = await setup(realm, ...options, '--plan');
  expect(plan).toMatchObject({ code: 0 });
  expect(plan.out).toContain("create the client 'mcp-gateway-web'");
  expect(plan.out).toContain("add ada to 'mcp-registry-admin'");
  expect(await stateOf(realm)).toEqual(before);
  expect(existsSync(join(folder, '.env'))).toBe(false);

  const made = await setup(realm, ...options, '--yes');
  expect(made, `${made.out}${made.err}`).toMatchObject({ code: 0 });
  expect(made.out).toContain('It is set up.');
  expect(made.out).toContain('All checks passed.');
  expect(made.out).toContain('mcp-gateway-admin can manage users, groups and agents.');
  for (const well of ['has its redirect URIs', 'list groups in the claim', 'name the gateway as audience'])
    expect(made.out).toContain(well);
  expect(statSync(join(folder, '.env')).mode & 0o777).toBe(0o600);
  for (const secret of [clientSecret, /_SECRET=(.+)/.exec(read('.env'))?.[1] ?? '?'])
    expect(made.out + made.err).not.toContain(secret);

  const [env, after] = [read('.env'), await stateOf(realm)];
  const again = await setup(realm, ...options, '--yes');
  expect(again.out).toContain('Everything was in place already.');
  expect([read('.env'), await stateOf(realm)]).toEqual([env, after]);

  await works(realm, port);

  const removed = await setup(realm, ...options, '--remove', '--yes');
  expect(removed, removed.err).toMatchObject({ code: 0 });
  expect(removed.out).toContain("the client 'mcp-gateway-web'");
  await admin(
    'DELETE',
    `/${realm}/clients/${(await admin('GET', `/${realm}/clients?clientId=reader`)).body[0].id}`,
  );
  expect(await stateOf(realm)).toEqual(before);
  expect([existsSync(join(folder, '.env')), existsSync(join(folder, 'scopes.yml'))]).toEqual([false, false]);
});

/** Starts the gateway with what setup wrote and nothing else. */
async function works(realm: string, port: number): Promise<void> {
  const gateway = await startGateway({ port, dataDir: folder });
  try {
    const group = (await admin('GET', `/${realm}/group-by-path/mcp-registry-admin`)).body.id;
    const token = await clientToken(realm, await makeAgent(realm, 'reader', { groups: [group] }));
    const get = async (path: string) => {
      const answer = await fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
      return { status: answer.status, body: (await answer.json()) as { users?: unknown[] } };
    };
    expect(await get('/api/auth/me')).toMatchObject({
      body: { username: 'reader', groups: ['mcp-registry-admin'] },
    });
    const people = await get('/api/management/iam/users');
    expect(people, JSON.stringify(people)).toMatchObject({ status: 200 });
    expect(people.body.users).toContainEqual(expect.objectContaining({ username: 'ada' }));
    if (process.env.CI !== 'true' && whyNoBrowser()) return;
    const browser = await launchBrowser();
    try {
      expect(await meOf(await signInAs('ada', browser, gateway))).toMatchObject({
        ...{ username: 'ada', groups: ['mcp-registry-admin'] },
        scopes: expect.arrayContaining(['mcp-registry-admin', 'registry-admins']),
      });
    } finally {
      await browser.close();
    }
  } finally {
    await gateway.stop('SIGKILL');
  }
}

test('an administrator with a password completes what was made by hand, and takes only back what setup made', async () => {
  const realm = 'byhand';
  await admin('POST', '', { realm, enabled: true });
  await makeAdministratorOfKeycloak('root', 'pass word');
  await makeClient(realm, {
    ...{ clientId: 'mcp-gateway-web', withScope: false, publicClient: true, directAccessGrantsEnabled: true },
    redirectUris: ['https://other.example/oauth2/callback/keycloak'],
  });
  await admin('POST', `/${realm}/groups`, { name: 'mcp-users' });
  writeFileSync(join(folder, '.env'), 'LOG_LEVEL=info\n');
  writeFileSync(join(folder, 'scopes.yml'), 'group_mappings:\n  mcp-users: [reader]\n');
  const asPerson = (...more: string[]) =>
    command(
      [
        ...['setup', 'keycloak', '--server-url', keycloakUrl, '--realm', realm, '--username', 'root'],
        ...['--password-stdin', '--yes', ...more],
      ],
      { env: {}, stdin: 'pass word\n' },
    );

  const made = await asPerson('--sign-in-only');
  expect(made, `${made.out}${made.err}`).toMatchObject({ code: 0 });
  expect(made.err).toContain('does not map the group mcp-registry-admin');
  expect(made.err).not.toContain('does not map the group mcp-users');
  const [client] = (await admin('GET', `/${realm}/clients?clientId=mcp-gateway-web`)).body;
  expect(client).toMatchObject({
    ...{ publicClient: false, standardFlowEnabled: true, directAccessGrantsEnabled: false },
    redirectUris: expect.arrayContaining([
      'https://other.example/oauth2/callback/keycloak',
      'http://localhost:8080/oauth2/callback/keycloak',
    ]),
  });
  expect((await admin('GET', `/${realm}/clients?clientId=mcp-gateway-admin`)).body).toEqual([]);

  const removed = await asPerson('--remove');
  expect(removed.out).toContain("the group 'mcp-registry-admin'");
  expect(removed.out).not.toMatch(/mcp-gateway-web|mcp-users/);
  expect((await admin('GET', `/${realm}/clients?clientId=mcp-gateway-web`)).body).toHaveLength(1);
  expect((await admin('GET', `/${realm}/groups`)).body).toMatchObject([{ name: 'mcp-users' }]);
  expect(read('.env')).toBe('LOG_LEVEL=info\n');
});

async function makeAdministratorOfKeycloak(username: string, value: string): Promise<void> {
  const { id } = await admin('POST', '/master/users', {
    ...{ username, enabled: true, email: `${username}@example.com`, firstName: 'R', lastName: 'T' },
    credentials: [{ type: 'password', value, temporary: false }],
  });
  const { body: role } = await admin('GET', '/master/roles/admin');
  await admin('POST', `/master/users/${id}/role-mappings/realm`, [role]);
  onTestFinished(async () => void (await admin('DELETE', `/master/users/${id}`)));
}

test('what keeps setup from its work is said with its remedy, and nothing is written', async () => {
  const missing = await setup('nowhere', '--yes');
  expect(missing).toMatchObject({ code: 1 });
  expect(missing.err).toContain("There is no realm 'nowhere'");

  const wrong = await command(
    [
      ...['setup', 'keycloak', '--server-url', keycloakUrl, '--realm', 'master2', '--username', 'nobody'],
      '--password-stdin',
    ],
    { env: {}, stdin: 'wrong\n' },
  );
  expect(wrong).toMatchObject({ code: 1 });
  expect(wrong.err).toMatch(
    /Keycloak gives the user nobody no token: Invalid user credentials.*Check the user name/,
  );

  await admin('POST', '', { realm: 'guarded', enabled: true });
  const viewer = await makeAgent('guarded', 'viewer', { groups: [], withScope: false });
  const [management] = (await admin('GET', '/guarded/clients?clientId=realm-management')).body;
  const { body: roles } = await admin('GET', `/guarded/clients/${management.id}/roles`);
  await admin(
    'POST',
    `/guarded/users/${viewer.accountId}/role-mappings/clients/${management.id}`,
    roles.filter(({ name }: { name: string }) => ['view-clients', 'view-users', 'view-realm'].includes(name)),
  );
  const denied = await command(
    [
      ...['setup', 'keycloak', '--server-url', keycloakUrl, '--realm', 'guarded', '--login-realm', 'guarded'],
      '--yes',
    ],
    { env: { KEYCLOAK_SETUP_CLIENT_ID: 'viewer', KEYCLOAK_SETUP_CLIENT_SECRET: viewer.clientSecret } },
  );
  expect(denied).toMatchObject({ code: 1 });
  expect(denied.err).toContain('the client viewer of the realm guarded lacks the role manage-clients');
  expect(existsSync(join(folder, '.env'))).toBe(false);
});

test('the doctor names the roles that the administrating client lacks, and what is wrong with client and mappers', async () => {
  const realm = 'ill';
  await admin('POST', '', { realm, enabled: true });
  await makeClient(realm, {
    ...{ clientId: 'mcp-gateway-web', secret: 'web', withScope: false, standardFlowEnabled: true },
    redirectUris: ['http://localhost:8080/*'],
  });
  const viewer = await makeAdministrator(realm, ['view-users', 'view-clients']);
  const settings = {
    ...{ AUTH_PROVIDER: 'keycloak', KEYCLOAK_URL: keycloakUrl, KEYCLOAK_REALM: realm },
    ...{ KEYCLOAK_CLIENT_ID: 'mcp-gateway-web', KEYCLOAK_CLIENT_SECRET: 'web' },
    ...{
      REGISTRY_URL: 'http://localhost:8080',
      SECRET_KEY: 'only-for-this-test-8d41c7fb02e96a35b7f0642d9ec1583a',
    },
    ...{ KEYCLOAK_ADMIN_CLIENT_ID: viewer.clientId, KEYCLOAK_ADMIN_CLIENT_SECRET: viewer.clientSecret },
  };
  const diagnose = async (env: Record<string, string>) => {
    const { out } = await command(['doctor', 'keycloak', '--json'], { env });
    return JSON.parse(out) as { healthy: boolean; findings: { id: string; level: string; what: string }[] };
  };
  const { healthy, findings } = await diagnose(settings);
  const of = (id: string) => findings.find((one) => one.id === id);
  expect(healthy).toBe(false);
  expect(of('admin-roles')).toMatchObject({
    ...{ level: 'warn', what: expect.stringContaining('manage-users, manage-clients') },
    remedy: { command: expect.stringMatching(/kcadm.sh add-roles -r ill .*--rolename manage-users/) },
  });
  expect(of('client-settings')).toMatchObject({
    ...{
      level: 'warn',
      what: expect.stringMatching(/exactly one of the valid redirect URIs.*8080\/\* lets people/),
    },
  });
  for (const id of ['groups-mapper', 'audience-mapper']) expect(of(id)).toMatchObject({ level: 'fail' });

  const wrong = await diagnose({ ...settings, KEYCLOAK_ADMIN_CLIENT_SECRET: 'wrong' });
  expect(wrong.findings).toContainEqual(
    expect.objectContaining({ id: 'admin-client', level: 'fail', what: expect.stringContaining('no token') }),
  );
});

test('a run that dies at any change is finished by the next one, and nothing of it is left after removal', async () => {
  const realm = 'dying';
  await admin('POST', '', { realm, enabled: true });
  await makePerson(realm, 'ada', []);
  const before = await stateOf(realm);
  const files = diskFiles(folder, () => readFileSync('examples/scopes.yml', 'utf8'));
  const talk = { say: () => {}, ask: async () => '', agree: async () => true };
  const run = (options: object, send: typeof fetch = fetch) =>
    performKeycloakSetup(
      {
        given: {
          ...{ serverUrl: keycloakUrl, realm, clientId: '', audience: undefined, groupsClaim: ['groups'] },
          ...{ registryUrl: 'http://localhost:8080', authUrl: '' },
        },
        ...{ client: { clientId, clientSecret }, fetch: send as never as Fetch, files, now: Date.now },
        ...{ pause: async () => {}, newKey: () => 'k'.repeat(32) },
      },
      { admin: ['ada'], ...options },
      talk,
    );
  /** Does so many changes in the realm and no more; the last one is done, but its answer is lost. */
  const dyingAfter = (changes: number): typeof fetch => {
    let left = changes;
    return async (url, init) => {
      const isChange = init?.method !== 'GET' && String(url).includes('/admin/');
      if (isChange && left === 0) throw new Error('dead');
      const answer = await fetch(url, init);
      if (isChange && --left === 0) throw new Error('dead');
      return answer;
    };
  };
  let deaths = 0;
  for (let isDead = true; isDead; deaths += 1) {
    isDead = await run({}, dyingAfter(deaths)).then(
      () => false,
      () => true,
    );
    expect(await run({})).toMatchObject({ done: true });
    expect(await run({ plan: true })).toEqual({ plan: [], done: true });
    await run({ remove: true });
    expect(await stateOf(realm)).toEqual(before);
    expect([await files.read('.env'), await files.read('scopes.yml')]).toEqual([undefined, undefined]);
  }
  // Two clients, the client scope and its place, two groups, a member, the roles.
  expect(deaths).toBeGreaterThanOrEqual(8);
});
