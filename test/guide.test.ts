import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { aadstsRows } from '../src/contract/diagnosis/aadsts-rows.ts';
import type { Finding } from '../src/contract/diagnosis/doctor.ts';
import { type Emulator, shippedTenant } from '../src/entra-emulator/main.ts';
import { aadsts as known } from '../src/entra-emulator/sts/aadsts.ts';
import { adminGraph, type Client } from '../src/entra-emulator/testing/graph.ts';
import { readConfig } from '../src/server/config/config.ts';
import { entra as entraProvider } from '../src/server/identity/providers/entra.ts';
import { cli, folderWith } from './cli-trial.ts';
import { ageGroups, startGateway, type TestGateway } from './harness.ts';
import { consent, openBrowser } from './oauth-client.ts';
import { agentToken, cookiesOf, signIn, submitSignIn } from './sign-in.ts';

/**
 * A walk through docs/providers/entra.md against the real process and the emulator: every heading of the guide begins the
 * name of a test here, and one test holds that.
 */
const guide = readFileSync('docs/providers/entra.md', 'utf8');
const { accounts, agents, groups } = shippedTenant;

let gateway: TestGateway;
let graph: Client;
let emulator: Pick<Emulator, 'origin' | 'graphOrigin' | 'tenantId' | 'clientId' | 'clientSecret'>;
beforeAll(async () => {
  gateway = await startGateway();
  const origin = gateway.emulatorUrl;
  emulator = { ...shippedTenant, origin, graphOrigin: `${origin}/graph` };
});
afterAll(() => gateway.close());
beforeEach(async () => {
  await control('POST', '/reset');
  graph = await adminGraph(emulator as Emulator);
});

async function control(method: string, path: string, body?: object): Promise<void> {
  const answer = await fetch(`${gateway.emulatorUrl}/_emulator${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

/** Signs in as far as it goes: where the gateway sends the browser in the end. */
async function attempt(userPrincipalName: string): Promise<{ to: URL; cookie: string; details: string }> {
  const begun = await fetch(`${gateway.url}/oauth2/login/entra`, { redirect: 'manual' });
  const callback = await submitSignIn(begun.headers.get('location') ?? '', userPrincipalName);
  const done = await fetch(callback, { redirect: 'manual', headers: { cookie: cookiesOf(begun) } });
  const to = new URL(done.headers.get('location') ?? '', gateway.url);
  const cookie = cookiesOf(done);
  const shown = await fetch(`${gateway.url}/oauth2/fault/${to.searchParams.get('correlation_id')}`, {
    headers: { cookie },
  });
  const { details = '' } = (await shown.json()) as { details?: string };
  return { to, cookie, details };
}

async function me(headers: Record<string, string>) {
  const answer = await fetch(`${gateway.url}/api/auth/me`, { headers });
  return { status: answer.status, body: (await answer.json()) as Record<string, string> };
}

/** `mcp-gateway doctor entra --json`, for the running evaluation. */
async function doctor(): Promise<{ code: number; of(id: string): Finding }> {
  const run = promisify(execFile)(
    process.execPath,
    [resolve('bin/mcp-gateway.mjs'), 'doctor', 'entra', '--json'],
    {
      cwd: gateway.dataDir,
      env: {
        ...{ PATH: process.env.PATH, PORT: new URL(gateway.url).port },
        ENTRA_EMULATOR_PORT: new URL(gateway.emulatorUrl).port,
      },
    },
  );
  const { code, stdout } = await run.then(
    (done) => ({ code: 0, stdout: done.stdout }),
    (failed: { code: number; stdout: string }) => failed,
  );
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  return { code, of: (id) => findings.find((one) => one.id === id) ?? expect.unreachable(id) };
}

async function patch(set: 'applications' | 'servicePrincipals', body: object): Promise<void> {
  const { status } = await graph('PATCH', `/${set}(appId='${shippedTenant.clientId}')`, body);
  expect(status).toBe(204);
}

test('every heading of the guide has a test here that begins with its name', () => {
  const source = readFileSync('test/guide.test.ts', 'utf8');
  const tests = [...source.matchAll(/^test(?:\.each\([^\n]*\))?\(\s*["'`](.+?): /gm)].map(([, name]) => name);
  const headings = [...guide.matchAll(/^#{2,3} (.+)$/gm)].map(([, name]) =>
    name!.replace(/^(Step \d+): .*/, '$1'),
  );
  expect(headings.filter((heading) => !tests.includes(heading))).toEqual([]);
});

test('Prerequisites: the Node that the guide names is the one that the command asks for', () => {
  const [, least] = /needs Node ([\d.]+) or newer/.exec(readFileSync('bin/mcp-gateway.mjs', 'utf8')) ?? [];
  expect(guide).toContain(`Node.js ${least} or newer`);
});

test('Automatic setup: the commands of the guide exist, and the doctor finds all in order', async () => {
  const reference = readFileSync('docs/reference/cli.md', 'utf8');
  for (const flag of ['--url', '--plan', '--remove', '--role', '--user', '--print', '--certificate'])
    expect(reference.split('## mcp-gateway gateway setup')[1]).toContain(flag);
  // test/setup.test.ts runs it on an empty tenant, twice, and takes it back.
  expect(await doctor()).toMatchObject({ code: 0 });
});

test('Manual setup: its steps are those of the setup guide, in their order', () => {
  const steps = [...guide.matchAll(/^### Step (\d+)/gm)].map(([, number]) => Number(number));
  expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

test('Step 1: the redirect URI of the guide is the one that the gateway sends', async () => {
  const begun = await fetch(`${gateway.url}/oauth2/login/entra`, { redirect: 'manual' });
  const sent = new URL(begun.headers.get('location') ?? '').searchParams.get('redirect_uri');
  expect(sent).toBe(`${gateway.url}/oauth2/callback/entra`);
});

const complete = {
  ...{ AUTH_PROVIDER: 'entra', REGISTRY_URL: 'https://your-domain.com' },
  ...{ ENTRA_TENANT_ID: shippedTenant.tenantId, ENTRA_CLIENT_ID: shippedTenant.clientId },
  ...{ ENTRA_CLIENT_SECRET: 'a-value-of-a-secret', SECRET_KEY: '8d41c7fb02e96a35b7f0642d9ec1583a' },
};

test('Step 2: a domain name instead of the GUID is refused with the step', () => {
  const read = () => readConfig({ ...complete, ENTRA_TENANT_ID: 'contoso.com' }, '/');
  expect(read).toThrow(/ENTRA_TENANT_ID: .*GUID.*step 2/);
});

test('Step 3: the Secret ID instead of the Value is refused with the step', () => {
  const read = () => readConfig({ ...complete, ENTRA_CLIENT_SECRET: shippedTenant.clientId }, '/');
  expect(read).toThrow(/ENTRA_CLIENT_SECRET: looks like the Secret ID.*step 3/);
});

test('Without a client secret: the section is where the codes of certificates lead', () => {
  const rows = aadstsRows.filter(({ codes }) => codes.includes(700027) || codes.includes(700211));
  expect(rows.map(({ docsAnchor }) => docsAnchor)).toEqual(Array(2).fill('without-a-client-secret'));
});

test('Without a client secret: the command of the guide is one that Graph takes, and exactly one credential is set', async () => {
  const [, text = ''] = /federated-credential create [^\n]*--parameters '([^']+)'/.exec(guide) ?? [];
  const { body } = await graph('GET', `/applications(appId='${shippedTenant.clientId}')?$select=id`);
  const added = await graph(
    'POST',
    `/applications/${body.id}/federatedIdentityCredentials`,
    JSON.parse(text),
  );
  expect(added.status).toBe(201);
  const { ENTRA_CLIENT_SECRET: _, ...without } = complete;
  const { entra } = readConfig({ ...without, ENTRA_MANAGED_IDENTITY: 'system' }, '/');
  expect(entra?.managedIdentity?.endpoint).toContain('//169.254.169.254/');
  const both = () => readConfig({ ...complete, ENTRA_MANAGED_IDENTITY: 'system' }, '/');
  expect(both).toThrow(/ENTRA_CLIENT_SECRET, ENTRA_MANAGED_IDENTITY: set only one of them/);
});

test('Step 4: an unregistered redirect URI stops at Microsoft, and the doctor names it', async () => {
  await patch('applications', { web: { redirectUris: ['https://elsewhere.example/auth/callback'] } });
  const begun = await fetch(`${gateway.url}/oauth2/login/entra`, { redirect: 'manual' });
  const page = await (await fetch(begun.headers.get('location') ?? '')).text();
  expect(page).toContain('AADSTS50011');
  const { code, of } = await doctor();
  expect(code).toBe(1);
  expect(of('redirect-uri').remedy?.portal).toMatch(/Authentication > Web > Add URI > http.*step 4/);
});

test('Step 5: the doctor sees that consent and permissions are missing', async () => {
  await removeConsent();
  const { of } = await doctor();
  expect(of('admin-consent')).toMatchObject({
    level: 'fail',
    remedy: { portal: expect.stringContaining('step 5') },
  });
});

async function removeConsent(): Promise<void> {
  const own = `/servicePrincipals/${shippedTenant.gatewayServicePrincipalId}/oauth2PermissionGrants`;
  for (const { id } of (await graph('GET', own)).body.value)
    await graph('DELETE', `/oauth2PermissionGrants/${id}`);
}

test('Step 6: the doctor names optional claims that are missing', async () => {
  await patch('applications', { optionalClaims: { idToken: [{ name: 'login_hint' }] } });
  const { what, remedy } = (await doctor()).of('optional-claims');
  expect(what).toContain('email (idToken), sid (idToken), email (accessToken), idtyp (accessToken)');
  expect(remedy?.portal).toContain('step 6');
});

test('Step 7: the doctor says that tokens list no groups', async () => {
  await patch('applications', { groupMembershipClaims: null });
  expect((await doctor()).of('group-claims').remedy?.portal).toContain('step 7');
});

test('Step 8: a group that is no security group is found', async () => {
  await graph('PATCH', `/groups/${groups.users}`, { securityEnabled: false });
  expect((await doctor()).of('mapped-groups').remedy?.portal).toContain('step 8');
});

test('Step 9: an Object Id that no group has is found', async () => {
  await graph('DELETE', `/groups/${groups.users}`);
  const { what, remedy } = (await doctor()).of('mapped-groups');
  expect(what).toContain(`${groups.users} (scopes.yml)`);
  expect(remedy?.portal).toContain('step 9');
});

test('Step 10: whoever is put into a group may do what it gives at the next sign-in', async () => {
  const { cookie } = await signIn(gateway.url, accounts.noGroup.userPrincipalName);
  expect((await me({ cookie })).body).toMatchObject({ scopes: [] });
  const reference = `${emulator.graphOrigin}/v1.0/directoryObjects/${accounts.noGroup.objectId}`;
  await graph('POST', `/groups/${groups.users}/members/$ref`, { '@odata.id': reference });
  const after = await signIn(gateway.url, accounts.noGroup.userPrincipalName);
  expect((await me({ cookie: after.cookie })).body.scopes).toContain('mcp-registry-user');
});

test('Step 11: without the Application ID URI agents get AADSTS500011, and the doctor says why', async () => {
  await patch('applications', { identifierUris: [] });
  await expect(agentToken(gateway.emulatorUrl, agents.user)).rejects.toThrow('AADSTS500011');
  const { of } = await doctor();
  expect(of('app-id-uri').remedy?.portal).toContain('step 11');
  expect(of('agent-token').what).toContain('AADSTS500011');
});

test('The command line: the client of IDE_OAUTH_CLIENT_ID is what the command line is told of', () => {
  const read = (id: string) => readConfig({ ...complete, IDE_OAUTH_CLIENT_ID: id }, '/');
  const { entra } = read(shippedTenant.publicClientId);
  expect(entraProvider(entra!).commandLine).toMatchObject({
    client_id: shippedTenant.publicClientId,
    scope: `openid profile offline_access api://${shippedTenant.clientId}/access_as_user`,
  });
  expect(entraProvider(read(shippedTenant.clientId).entra!).commandLine?.scope).toContain(
    ` ${shippedTenant.clientId}/access_as_user`,
  );
  expect(entraProvider(readConfig(complete, '/').entra!).commandLine).toBeUndefined();
});

test('After a deletion: the command has the flags that the guide names', () => {
  const setup = readFileSync('docs/reference/cli.md', 'utf8').split('## mcp-gateway gateway setup')[1];
  for (const flag of ['--purge-deleted', '--remove']) expect(setup).toContain(flag);
});

test('Enterprise application: disabled, nobody gets in and the doctor says where to enable it', async () => {
  await patch('servicePrincipals', { accountEnabled: false });
  const { what, remedy } = (await doctor()).of('secret');
  expect(what).toContain('AADSTS7000112');
  expect(remedy?.portal).toContain('Enabled for users to sign-in: Yes');
});

test('Environment: the example of the guide is complete, and what is left as it stands is refused', () => {
  const example = Object.fromEntries(
    [
      ...guide
        .split('## Environment')[1]!
        .split('\n## ')[0]!
        .matchAll(/^([A-Z_]+)=(.*)$/gm),
    ].map(([, name, value]) => [name!, value!]),
  );
  const ours = { ...complete, ENTRA_GROUP_ADMIN_ID: groups.admin, ENTRA_GROUP_USERS_ID: groups.users };
  expect(Object.keys(example).sort()).toEqual(Object.keys(ours).sort());
  expect(readConfig({ ...example, ...ours }, '/').entra).toMatchObject({ groupAdminId: groups.admin });
  expect(() => readConfig(example, '/')).toThrow(/ENTRA_GROUP_ADMIN_ID[\s\S]*SECRET_KEY/);
});

test('Groups and scopes: the four roles of the guide are those of the example file', () => {
  const example = readFileSync('examples/scopes.yml', 'utf8');
  const section = guide.split('## Groups and scopes')[1]!;
  for (const role of ['admin', 'user', 'developer', 'operator']) {
    expect(section).toContain(`\`mcp-registry-${role}\``);
    expect(example).toContain(`- mcp-registry-${role}`);
  }
});

test('Testing: the gateway tells that it serves', async () => {
  expect(await (await fetch(`${gateway.url}/health`)).json()).toMatchObject({ status: 'healthy' });
});

test('A person: signs in, the log shows what came, and the role decides', async () => {
  const admin = await signIn(gateway.url, accounts.admin.userPrincipalName);
  expect((await me({ cookie: admin.cookie })).body).toMatchObject({
    is_admin: true,
    can_modify_servers: true,
  });
  const user = await signIn(gateway.url, accounts.user.userPrincipalName);
  expect((await me({ cookie: user.cookie })).body).toMatchObject({
    is_admin: false,
    can_modify_servers: false,
  });
  for (const line of ['Raw user info from entra:', 'Mapped user info:', 'Groups received:', 'Mapped scopes:'])
    expect(gateway.output()).toContain(line);
  expect(gateway.output()).not.toContain(accounts.user.userPrincipalName.concat('"'));
  const register = await fetch(`${gateway.url}/api/servers`, {
    method: 'POST',
    headers: { cookie: user.cookie, 'x-csrf-token': user.csrf, 'content-type': 'application/json' },
    body: JSON.stringify({ server_name: 'x', path: '/x', proxy_pass_url: 'http://127.0.0.1:9/mcp' }),
  });
  expect(register.status).toBe(403);
});

test('Sign in at the command line: the commands of the guide sign in and then need no token', async () => {
  const [, commands = ''] = /### Sign in at the command line\n\n```sh\n([\s\S]*?)```/.exec(guide) ?? [];
  const [first = '', second = ''] = commands
    .trim()
    .split('\n')
    .map((line) => line.replace('mcp-gateway ', '').replace('https://your-domain.com', gateway.url));
  const cwd = await folderWith();
  const env = { XDG_CONFIG_HOME: cwd };
  const as = accounts.admin.userPrincipalName;
  const whoami = async (): Promise<unknown> =>
    JSON.parse((await cli([...second.split(' '), '--json'], { cwd, env })).out);
  const atGateway = async (url: string): Promise<void> =>
    void (await fetch(await consent(openBrowser(), new URL(url), { as })));
  expect(await cli(first.split(' '), { cwd, env, terminal: { openUrl: atGateway } })).toMatchObject({
    code: 0,
  });
  expect(await whoami()).toMatchObject({ kind: 'person', is_admin: true, auth_method: 'oauth' });
  // At the tenant itself, as the guide says for registries without an authorization server of their own.
  const atTenant = async (url: string): Promise<void> => void (await fetch(await submitSignIn(url, as)));
  const argv = [...first.split(' '), '--at-provider'];
  expect(await cli(argv, { cwd, env, terminal: { openUrl: atTenant } })).toMatchObject({ code: 0 });
  expect(await whoami()).toMatchObject({ is_admin: true, client_id: shippedTenant.publicClientId });
});

test('Agents and their tokens: the request of the guide gets a token that the gateway takes', async () => {
  const [, command = ''] = /```sh\n(curl[\s\S]*?)```/.exec(guide) ?? [];
  const sent = [...command.matchAll(/-d (\w+)=\S+/g)].map(([, name]) => name);
  expect(sent).toEqual(['grant_type', 'client_id', 'client_secret', 'scope']);
  const authorization = `Bearer ${await agentToken(gateway.emulatorUrl, agents.admin)}`;
  expect(await me({ authorization })).toMatchObject({ status: 200, body: { kind: 'agent', is_admin: true } });
});

test('Token files for agents: the example of the guide, with real values, gets a token that the gateway takes', async () => {
  const example = JSON.parse(readFileSync('examples/entra-identities.json', 'utf8')) as { scope: string }[];
  const identities = example.map((identity) => ({
    ...identity,
    ...{ tenant_id: shippedTenant.tenantId, client_id: agents.admin.clientId },
    client_secret: agents.admin.clientSecret,
    scope: identity.scope.replace('your-app-client-id', shippedTenant.clientId),
  }));
  const cwd = await folderWith({ 'my-identities.json': JSON.stringify(identities) });
  const command = /^mcp-gateway (token generate --identities-file .*)$/m.exec(guide)![1]!;
  const argv = command.replace('/path/to/', '').split(' ');
  const { code } = await cli(argv, { cwd, env: { ENTRA_LOGIN_BASE_URL: gateway.emulatorUrl } });
  expect(code).toBe(0);
  const env = { REGISTRY_URL: gateway.url };
  const who = await cli(['whoami', '--token-file', '.oauth-tokens/ci-pipeline.json', '--json'], { cwd, env });
  expect(JSON.parse(who.out)).toMatchObject({ kind: 'agent', client_id: agents.admin.clientId });
});

test('Troubleshooting: a refusal is explained on the sign-in page and in the log, with ids for support', async () => {
  await control('POST', '/faults', { kind: 'aadsts', code: 7000215, path: 'token', times: 1 });
  const { to, details } = await attempt(accounts.user.userPrincipalName);
  expect(to.pathname).toBe('/login');
  expect(details).toMatch(/AADSTS7000215.*Trace ID.*Correlation ID/s);
  expect(to.searchParams.get('correlation_id')).toMatch(/^[0-9a-f-]{36}$/);
  expect(gateway.output()).toContain('AADSTS7000215: The client secret is wrong. Step 3');
});

test('Missing email and groups claims: the log shows none, and the doctor names the steps', async () => {
  await patch('applications', { groupMembershipClaims: null, optionalClaims: null });
  const { cookie } = await signIn(gateway.url, accounts.user.userPrincipalName);
  expect((await me({ cookie })).body).toMatchObject({ groups: [], scopes: [] });
  const { of } = await doctor();
  expect(of('group-claims')).toMatchObject({ level: 'fail' });
  expect(of('optional-claims').what).toContain('email');
});

test('Invalid issuer: the message names the issuer that came and those that are expected', async () => {
  await control('POST', '/faults', { kind: 'wrongIssuer', issuer: 'https://sts.example/', times: 1 });
  const authorization = `Bearer ${await agentToken(gateway.emulatorUrl, agents.user)}`;
  const { status, body } = await me({ authorization });
  expect(status).toBe(401);
  expect(body.detail).toContain('Invalid issuer: https://sts.example/');
  expect(body.detail).toContain(shippedTenant.tenantId);
});

test('User cannot access any resources: signed in, told so, and shown the groups', async () => {
  const { cookie } = await signIn(gateway.url, accounts.noGroup.userPrincipalName);
  expect((await me({ cookie })).body).toMatchObject({ groups: [], scopes: [], accessible_servers: [] });
  expect(gateway.output()).toContain('Mapped scopes: none.');
});

test('Groups overage: either all groups or a plain word, never some of them', async () => {
  await control('POST', '/faults', { kind: 'status', status: 503, path: '/graph/', retryAfterSeconds: 60 });
  const refused = await attempt(accounts.manyGroups.userPrincipalName);
  expect(refused.to.searchParams.get('error')).toBe('groups_unavailable');
  await control('DELETE', '/faults');
  const { cookie } = await attempt(accounts.manyGroups.userPrincipalName);
  expect((await me({ cookie })).body.groups).toHaveLength(205);
});

test('An agent is refused: the code and its settings are in the references', () => {
  expect(readFileSync('docs/reference/errors.md', 'utf8')).toContain('`client_refused`');
  expect(readFileSync('docs/reference/settings.md', 'utf8')).toContain('`ENTRA_REQUIRED_APP_ROLE`');
});

test('Sign in again: what Entra ID asks for ends the session, and the next sign-in asks the person for it', async () => {
  const codes = readFileSync('docs/reference/errors.md', 'utf8');
  for (const code of ['groups_incomplete', 'groups_unavailable', 'groups_stale', 'sign_in_again'])
    expect(guide.includes(`\`${code}\``) && codes.includes(`\`${code}\``), code).toBe(true);
  const { cookie } = await signIn(gateway.url, accounts.user.userPrincipalName);
  const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
  await control('POST', '/faults', { kind: 'aadsts', code: 50076, claims, path: 'token', times: 1 });
  await ageGroups(gateway);
  const { status, body } = await me({ cookie });
  expect([status, body.code]).toEqual([401, 'sign_in_again']);
  const begun = await fetch(`${gateway.url}/oauth2/login/entra`, { redirect: 'manual', headers: { cookie } });
  expect(new URL(begun.headers.get('location') ?? '').searchParams.get('claims')).toBe(claims);
});

test('Sign-in frequency: when it is over everything of the person ends, and the setting of the guide is there', async () => {
  const [, setting = ''] = /`(ENTRA_SIGN_IN_FREQUENCY_ENDS=sessions)`/.exec(guide) ?? [];
  expect(readFileSync('docs/reference/settings.md', 'utf8')).toContain(`\`${setting.split('=')[0]}\``);
  const { cookie } = await signIn(gateway.url, accounts.user.userPrincipalName);
  await control('POST', '/faults', { kind: 'aadsts', code: 70043, path: 'token', times: 1 });
  await ageGroups(gateway);
  const { status, body } = await me({ cookie });
  expect([status, body.code]).toEqual([401, 'credential_revoked']);
});

test('Client secret expired: the page gets the code, the log the step', async () => {
  await control('POST', '/faults', { kind: 'aadsts', code: 7000222, path: 'token', times: 1 });
  const { details } = await attempt(accounts.user.userPrincipalName);
  expect(details).toContain('AADSTS7000222');
  expect(gateway.output()).toMatch(/AADSTS7000222: The client secret has expired\. Step 3/);
});

test('Cannot grant admin consent: the doctor says what nobody has consented to', async () => {
  await removeConsent();
  expect((await doctor()).of('admin-consent').what).toMatch(/No one has consented to .*User\.Read/);
});

test('People who cannot sign in: a wrong password stays at the sign-in page of the tenant', async () => {
  const begun = await fetch(`${gateway.url}/oauth2/login/entra`, { redirect: 'manual' });
  const body = { emulator_username: accounts.user.userPrincipalName, emulator_password: 'wrong' };
  const page = await fetch(begun.headers.get('location') ?? '', {
    method: 'POST',
    body: new URLSearchParams(body),
    redirect: 'manual',
  });
  expect(await page.text()).toContain('AADSTS50126');
});

test('AADSTS codes: each one that the emulator can answer a sign-in with is explained', {
  timeout: 120_000,
}, async () => {
  const missing: number[] = [];
  for (const { codes, title } of aadstsRows) {
    for (const code of codes.filter((each) => each in known)) {
      await control('POST', '/faults', { kind: 'aadsts', code, path: 'token', times: 1 });
      const { to, details } = await attempt(accounts.user.userPrincipalName);
      // Where the tenant wants more of the person, a new sign-in may begin at once.
      if (to.origin !== gateway.url || to.pathname.startsWith('/oauth2/login')) continue;
      const isSent = details.includes(`AADSTS${code}:`);
      if (!isSent || !gateway.output().includes(`AADSTS${code}: ${title}.`)) missing.push(code);
    }
  }
  expect(missing).toEqual([]);
});

test('Production: plain http is refused everywhere but on this machine', () => {
  const read = () => readConfig({ ...complete, REGISTRY_URL: 'http://your-domain.com' }, '/');
  expect(read).toThrow(/REGISTRY_URL: must be an https:\/\/ URL/);
});

test('Security: no secret is in anything that the gateway has printed', () => {
  const secrets = [shippedTenant.clientSecret, shippedTenant.password, agents.admin.clientSecret];
  const printed = gateway.output().replace(/password for every account: \S+/, '');
  for (const secret of secrets) expect(printed).not.toContain(secret);
  expect(printed).not.toMatch(/eyJ[\w-]{20,}\.[\w-]{20,}/);
});

test('Adding users: a guest of a mapped group gets in', async () => {
  const { cookie } = await signIn(gateway.url, accounts.guest.userPrincipalName);
  expect((await me({ cookie })).body.scopes).toContain('mcp-registry-user');
});

test('API reference: every address of the gateway answers', async () => {
  const { cookie } = await signIn(gateway.url, accounts.admin.userPrincipalName);
  const addresses = [...guide.split('## API reference')[1]!.matchAll(/`REGISTRY_URL(\/[^`]+)`/g)];
  expect(addresses.length).toBeGreaterThan(4);
  for (const [, path] of addresses) {
    const { status } = await fetch(`${gateway.url}${path}`, { redirect: 'manual', headers: { cookie } });
    expect([200, 302], path).toContain(status);
  }
});
