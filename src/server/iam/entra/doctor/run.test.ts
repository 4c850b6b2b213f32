import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { Finding } from '../../../../contract/diagnosis/doctor.ts';
import { makeCertificate, toPem } from '../../../../entra-emulator/keys/certificate.ts';
import { type Emulator, shippedTenant, startEmulator } from '../../../../entra-emulator/main.ts';
import { adminGraph } from '../../../../entra-emulator/testing/graph.ts';
import type { EntraConfig } from '../../../config/config.ts';
import type { DoctorWorld } from './facts.ts';
import { runEntraDoctor } from './run.ts';

const emulator: Emulator = await startEmulator();
afterAll(() => emulator.close());
beforeEach(() => emulator.reset());

const groups = new Map([
  [shippedTenant.groups.admin, 'scopes.yml'],
  [shippedTenant.groups.users, 'scopes.yml'],
]);
const config: EntraConfig = {
  tenantId: emulator.tenantId,
  clientId: emulator.clientId,
  clientSecret: emulator.clientSecret,
  redirectUri: 'http://localhost:8080/oauth2/callback/entra',
  loginBaseUrl: emulator.origin,
  graphBaseUrl: emulator.graphOrigin,
  applicationIdUri: null,
  groupAdminId: shippedTenant.groups.admin,
  groupUsersId: null,
};

async function diagnose(change: Partial<EntraConfig> = {}, world: Partial<DoctorWorld> = {}) {
  const { findings, healthy, credentials } = await runEntraDoctor({
    config: { ...config, ...change },
    mapped: groups,
    fetch: fetch as never,
    now: emulator.clock.now,
    pause: async () => {},
    newId: () => 'test',
    ...world,
  });
  const bad = findings.filter(({ level }) => level !== 'ok');
  const of = (id: string): Finding => findings.find((one) => one.id === id) ?? expect.unreachable(id);
  return { findings, healthy, credentials, bad, of };
}

async function patch(set: 'applications' | 'servicePrincipals', body: object): Promise<void> {
  const graph = await adminGraph(emulator);
  const { status } = await graph('PATCH', `/${set}(appId='${emulator.clientId}')`, body);
  expect(status).toBe(204);
}

test('the shipped tenant is in order', async () => {
  const { bad, healthy, findings, credentials } = await diagnose();
  expect(credentials).toEqual([{ kind: 'secret', expires_at: expect.stringMatching(/^\d{4}-/) }]);
  expect(bad).toEqual([]);
  expect(healthy).toBe(true);
  expect(findings.map(({ id }) => id)).toEqual(expect.arrayContaining(['tenant', 'clock', 'agent-token']));
});

test.each<[string, Partial<EntraConfig>, string, RegExp]>([
  [
    'an unknown tenant',
    { tenantId: '00000000-0000-4000-8000-000000000000' },
    'tenant',
    /AADSTS90002.*Step 2/,
  ],
  ['a login host that is away', { loginBaseUrl: 'http://127.0.0.1:1' }, 'tenant', /cannot be found/],
  ['a wrong secret', { clientSecret: 'wrong' }, 'secret', /AADSTS7000215.*Step 3: create a new secret/],
  [
    'an unknown client id',
    { clientId: 'aaaaaaaa-0000-4000-8000-000000000000' },
    'secret',
    /AADSTS700016.*Step 2/,
  ],
  ['a placeholder', { clientId: '00000000-0000-0000-0000-000000000000' }, 'secret', /AADSTS700038/],
  [
    'another redirect URI',
    { redirectUri: 'https://gw.example/auth/callback' },
    'redirect-uri',
    /AADSTS50011/,
  ],
  ['another App ID URI', { applicationIdUri: 'api://elsewhere' }, 'agent-token', /AADSTS500011/],
])('%s is found', async (_, change, id, words) => {
  const { of, healthy } = await diagnose(change);
  expect(of(id).what).toMatch(words);
  expect(of(id)).toMatchObject({ level: 'fail', remedy: { portal: expect.stringMatching(/./) } });
  expect(healthy).toBe(false);
});

test.each<[string, 'applications' | 'servicePrincipals', object, string, string, RegExp]>([
  [
    'redirect URIs elsewhere',
    'applications',
    { web: { redirectUris: [] }, spa: { redirectUris: [config.redirectUri] } },
    'redirect-uri',
    'fail',
    /another platform than Web/,
  ],
  [
    'implicit grant',
    'applications',
    { web: { implicitGrantSettings: { enableIdTokenIssuance: true } } },
    'implicit-flow',
    'warn',
    /is enabled/,
  ],
  [
    'no groups claim',
    'applications',
    { groupMembershipClaims: null },
    'group-claims',
    'fail',
    /list no groups/,
  ],
  [
    'no optional claims',
    'applications',
    { optionalClaims: null },
    'optional-claims',
    'warn',
    /email \(idToken\)/,
  ],
  ['no App ID URI', 'applications', { identifierUris: [] }, 'app-id-uri', 'warn', /no Application ID URI/],
  [
    'v1.0 tokens',
    'applications',
    { api: { requestedAccessTokenVersion: null } },
    'token-version',
    'warn',
    /version 1.0/,
  ],
  [
    'no permissions',
    'applications',
    { requiredResourceAccess: [] },
    'delegated-permissions',
    'warn',
    /does not list .*User.Read/,
  ],
  [
    'a disabled application',
    'servicePrincipals',
    { accountEnabled: false },
    'secret',
    'fail',
    /AADSTS7000112/,
  ],
])('%s are found', async (_, set, body, id, level, words) => {
  await patch(set, body);
  const { of } = await diagnose();
  expect(of(id)).toMatchObject({ level, what: expect.stringMatching(words) });
  expect(of(id).remedy?.command).toMatch(/^(az|mcp-gateway) /);
});

test('a front-channel logout URL is asked for where Microsoft can reach it, and only there', async () => {
  const redirectUri = 'https://gw.example/oauth2/callback/entra';
  const wanted = 'https://gw.example/oauth2/frontchannel-logout/entra';
  expect((await diagnose()).findings.some(({ id }) => id === 'logout-url')).toBe(false);
  const remedy = (await diagnose({ redirectUri })).of('logout-url');
  expect(remedy).toMatchObject({ level: 'warn', what: expect.stringContaining('No front-channel') });
  expect(remedy.remedy?.command).toContain(wanted);
  await patch('applications', { web: { logoutUrl: 'https://elsewhere.example/out' } });
  expect((await diagnose({ redirectUri })).of('logout-url').what).toContain('elsewhere.example');
  await patch('applications', { web: { logoutUrl: wanted } });
  expect((await diagnose({ redirectUri })).of('logout-url').level).toBe('ok');
});

test('an app role that is switched off is found', async () => {
  const graph = await adminGraph(emulator);
  const { body } = await graph('GET', `/applications(appId='${emulator.clientId}')?$select=appRoles`);
  await patch('applications', {
    appRoles: body.appRoles.map((role: object) => ({ ...role, isEnabled: false })),
  });
  expect((await diagnose()).of('api-permissions')).toMatchObject({
    level: 'warn',
    what: expect.stringContaining('app role Gateway.Invoke'),
  });
});

test('the end of the secret is announced 30 days before, and its expiry explained', async () => {
  const graph = await adminGraph(emulator);
  const path = `/applications(appId='${emulator.clientId}')/addPassword`;
  const endDateTime = new Date(emulator.clock.now() + 20.5 * 86_400_000).toISOString();
  const { body } = await graph('POST', path, { passwordCredential: { endDateTime } });
  const clientSecret = String(body.secretText);
  expect((await diagnose({ clientSecret })).of('secret-expiry')).toMatchObject({
    level: 'warn',
    what: expect.stringContaining('valid for 20 more days'),
  });
  emulator.clock.advance(21 * 86_400_000);
  expect((await diagnose({ clientSecret })).of('secret').what).toMatch(/AADSTS7000222.*has expired/);
});

test.each([
  [20.5, 'warn', 'valid for 20 more days'],
  [200, 'ok', 'more days'],
  [-1, 'fail', 'ended on'],
])('a certificate that ends in %s days is announced as %s', async (days, level, words) => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const now = emulator.clock.now();
  const validity = { from: new Date(now - 9 * 86_400_000), to: new Date(now + days * 86_400_000) };
  const der = makeCertificate({ subject: 'gateway', publicKey, signWith: privateKey, ...validity });
  const path = join(mkdtempSync(join(tmpdir(), 'doctor-')), 'gateway.pem');
  writeFileSync(path, toPem(der) + privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const certificate = { path, keyPath: path };
  const { of, credentials } = await diagnose({ clientSecret: '', certificate });
  expect(of('certificate-expiry')).toMatchObject({ level, what: expect.stringContaining(words) });
  expect(credentials).toEqual([{ kind: 'certificate', expires_at: expect.stringMatching(/^\d{4}-/) }]);
  rmSync(dirname(path), { recursive: true });
});

/** Takes from the gateway's registration every application permission at Graph. */
async function withoutPermissions(): Promise<void> {
  const graph = await adminGraph(emulator);
  const own = `/servicePrincipals/${shippedTenant.gatewayServicePrincipalId}/appRoleAssignments`;
  const { body } = await graph('GET', own);
  for (const { id } of body.value) await graph('DELETE', `${own}/${id}`);
}

test('missing consent fails, missing permissions are named', async () => {
  const graph = await adminGraph(emulator);
  const principal = shippedTenant.gatewayServicePrincipalId;
  const { body } = await graph('GET', `/servicePrincipals/${principal}/oauth2PermissionGrants`);
  for (const { id } of body.value) await graph('DELETE', `/oauth2PermissionGrants/${id}`);
  expect((await diagnose()).of('admin-consent')).toMatchObject({
    level: 'fail',
    what: expect.stringContaining('User.Read'),
  });
  await withoutPermissions();
  const { of } = await diagnose();
  expect(of('graph-permissions').what).toContain('may not read the directory');
  expect(of('registration')).toMatchObject({
    level: 'warn',
    what: expect.stringContaining('Application.Read.All'),
  });
  expect(of('mapped-groups').what).toContain('GroupMember.Read.All');
});

test('mapped groups that do not exist or are empty are found', async () => {
  const absent = '11111111-0000-4000-8000-000000000000';
  const { of } = await diagnose({}, { mapped: new Map([...groups, [absent, 'ENTRA_GROUP_USERS_ID']]) });
  expect(of('mapped-groups').what).toContain(`${absent} (ENTRA_GROUP_USERS_ID)`);
  expect((await diagnose({}, { mapped: new Map() })).of('mapped-groups').what).toContain(
    'No group is mapped',
  );
  const graph = await adminGraph(emulator);
  const members = await graph('GET', `/groups/${shippedTenant.groups.admin}/members`);
  for (const { id } of members.body.value)
    await graph('DELETE', `/groups/${shippedTenant.groups.admin}/members/${id}/$ref`);
  expect((await diagnose()).of('administrators')).toMatchObject({ level: 'fail' });
});

test.each([
  [
    'http://localhost:8080/oauth2/callback/entra',
    ['http://localhost/oauth2/callback/entra'],
    'ok',
    / is registered/,
    '',
  ],
  [
    'http://localhost:8080/oauth2/callback/entra',
    ['http://localhost/auth/callback'],
    'fail',
    /AADSTS50011.*8080\/auth\/callback is/,
    'ENTRA_REDIRECT_URI=http://localhost:8080/auth/callback',
  ],
  [
    'https://gw.example/auth/callback',
    ['https://gw.example/oauth2/callback/entra'],
    'fail',
    /AADSTS50011/,
    'ENTRA_REDIRECT_URI=https://gw.example/oauth2/callback/entra',
  ],
  [
    'https://gw.example/auth/callback',
    ['https://other.example/auth/callback'],
    'fail',
    /AADSTS50011\)\.$/,
    'gateway setup entra',
  ],
] as const)(
  'a redirect URI is checked without a permission to read the registration: %s',
  async (redirectUri, registered, level, what, command) => {
    await patch('applications', { web: { redirectUris: registered } });
    await withoutPermissions();
    const found = (await diagnose({ redirectUri })).of('redirect-uri');
    expect(found.level).toBe(level);
    expect(found.what).toMatch(what);
    expect(found.remedy?.command ?? '').toContain(command);
  },
);

test('names in place of Object IDs are found', async () => {
  expect((await diagnose({}, { names: ['object_id', 'admins'] })).of('group-names')).toMatchObject({
    level: 'warn',
    what: "scopes.yml maps 'object_id', 'admins', which no token names.",
    remedy: { portal: expect.stringContaining('step 9') },
  });
});

test('where a silent sign-in shows nothing, the redirect URI is not judged', async () => {
  await withoutPermissions();
  emulator.faults.add({ kind: 'status', status: 503, path: '/authorize' });
  expect((await diagnose()).findings.map(({ id }) => id)).not.toContain('redirect-uri');
});

test('a clock that is off, keys that are away and a wrong issuer are told apart', async () => {
  const ahead = await diagnose({}, { now: () => Date.now() + 600_000 });
  expect(ahead.of('clock')).toMatchObject({ level: 'fail', what: expect.stringContaining('ahead') });
  emulator.faults.add({ kind: 'jwksOutage' });
  const away = await diagnose();
  expect(away.of('signing-keys').level).toBe('fail');
  emulator.faults.clear();
  emulator.faults.add({ kind: 'wrongIssuer' });
  expect((await diagnose()).of('agent-token').what).toContain('Invalid issuer');
});

test('the secret is in no finding', async () => {
  const { findings } = await diagnose({ redirectUri: 'https://gw.example/auth/callback' });
  expect(JSON.stringify(findings)).not.toContain(emulator.clientSecret);
});
