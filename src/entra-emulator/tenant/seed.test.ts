import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runEmulator, shippedSeed, shippedTenant, startEmulator } from '../main.ts';
import { claimsOf } from '../testing/browser.ts';
import { adminGraph } from '../testing/graph.ts';
import { askAgentToken, askToken, signInForTokens } from '../testing/sign-in.ts';
import { plant, readSeed, type Seed } from './seed.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'entra-emulator-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const yaml = `
tenants:
  - id: 11111111-1111-4111-8111-111111111111
    displayName: Example
    domains: [example.test]
    users:
      - { userPrincipalName: ann@example.test, displayName: Ann, password: Ann-secret-1, about: the only one }
    groups:
      - { displayName: outer, members: [inner] }
      - { displayName: inner, members: [ann@example.test, robot] }
    applications:
      - displayName: api
        appId: 22222222-2222-4222-8222-222222222222
        identifierUris: ['api://22222222-2222-4222-8222-222222222222']
        groupMembershipClaims: SecurityGroup
        api: { requestedAccessTokenVersion: 2, oauth2PermissionScopes: [{ value: use }] }
        appRoles: [{ value: Run }]
        passwordCredentials: [{ secretText: emulator-secret-of-api }]
        web: { redirectUris: ['http://localhost/oauth2/callback/entra'] }
        grantedScopes: [{ resource: Microsoft Graph, scope: openid profile email User.Read }]
      - displayName: robot
        appId: 33333333-3333-4333-8333-333333333333
        passwordCredentials: [{ secretText: emulator-secret-of-robot }]
        grantedRoles: [{ resource: api, value: Run }]
`;

function write(name: string, text: string): string {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}

test('a YAML seed makes its users, nested groups, applications and grants', async () => {
  const emulator = await startEmulator({ seed: readSeed(write('seed.yml', yaml)) });
  expect(emulator).toMatchObject({
    tenantId: '11111111-1111-4111-8111-111111111111',
    clientId: '22222222-2222-4222-8222-222222222222',
    clientSecret: 'emulator-secret-of-api',
    accounts: [{ userPrincipalName: 'ann@example.test', password: 'Ann-secret-1' }],
  });
  const [ann] = emulator.accounts;
  const { id_token } = await signInForTokens(emulator, ann);
  expect(claimsOf(id_token).groups as string[]).toHaveLength(2);
  const { body } = await askToken(emulator, {
    grant_type: 'client_credentials',
    client_id: '33333333-3333-4333-8333-333333333333',
    client_secret: 'emulator-secret-of-robot',
    scope: 'api://22222222-2222-4222-8222-222222222222/.default',
  });
  expect(claimsOf(body.access_token)).toMatchObject({ roles: ['Run'] });
  await emulator.close();
});

test('a JSON seed is read as well, and ids without a value are the same each time', () => {
  const seed = readSeed(
    write(
      'seed.json',
      JSON.stringify({
        tenants: [{ id: 't', displayName: 'T', domains: ['t.test'], groups: [{ displayName: 'g' }] }],
      }),
    ),
  );
  const ids = () => [...(plant(seed, '2026-01-01T00:00:00Z').get('t')?.groups.keys() ?? [])];
  expect(ids()).toEqual(ids());
});

test.each([
  ['no tenants', '{}', "a list 'tenants'"],
  ['an empty list', 'tenants: []', 'not empty'],
  ['a tenant without domains', 'tenants: [{ id: x, displayName: y }]', "tenants[0] needs 'domains'"],
])('a seed with %s is refused with its file and place', (_what, text, words) => {
  const file = write('bad.yml', text);
  expect(() => readSeed(file)).toThrow(words);
  expect(() => readSeed(file)).toThrow(file);
});

test('a seed that names what it does not have is refused', () => {
  const seed: Seed = {
    tenants: [
      { id: 't', displayName: 'T', domains: ['t.test'], groups: [{ displayName: 'g', members: ['nobody'] }] },
    ],
  };
  expect(() => plant(seed, '2026-01-01T00:00:00Z')).toThrow("names 'nobody' in 'g'");
});

test('the shipped tenant has what is written about it', () => {
  const tenant = plant(shippedSeed(), '2026-01-01T00:00:00Z').get(shippedTenant.tenantId);
  const names = Object.entries(shippedTenant.groups).map(([, id]) => tenant?.groups.get(id)?.displayName);
  expect(names).toEqual([
    'Mcp-test-admin',
    'mcp-test-users',
    'mcp-test-developers',
    'mcp-test-operators',
    'mcp-test-nested',
  ]);
  expect(tenant?.members.to.get(shippedTenant.accounts.manyGroups.objectId)?.size).toBe(205);
  for (const account of Object.values(shippedTenant.accounts))
    expect(tenant?.users.get(account.objectId)?.userPrincipalName).toBe(account.userPrincipalName);
  for (const agent of Object.values(shippedTenant.agents))
    expect(tenant?.servicePrincipals.get(agent.objectId)?.appId).toBe(agent.clientId);
});

test('with a data directory the state survives a restart, until the seed changes', async () => {
  const first = await startEmulator({ dataDir: directory });
  const graph = await adminGraph(first);
  const { body } = await graph('POST', '/applications', { displayName: 'kept' });
  const tokens = await signInForTokens(first, shippedTenant.accounts.user, {
    scope: 'openid offline_access',
  });
  await first.close();
  const second = await startEmulator({ dataDir: directory });
  expect((await (await adminGraph(second))('GET', `/applications/${body.id}`)).status).toBe(200);
  const refresh = { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) };
  expect((await askToken(second, refresh)).status).toBe(200);
  await second.close();
  const seed = shippedSeed();
  seed.tenants[0]?.groups?.push({ displayName: 'one more' });
  const third = await startEmulator({ dataDir: directory, seed });
  expect((await (await adminGraph(third))('GET', `/applications/${body.id}`)).status).toBe(404);
  await third.close();
});

test('state that cannot be read is left aside', async () => {
  const told = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  write('entra-emulator-state.json', 'not json');
  const emulator = await startEmulator({ dataDir: directory });
  expect((await askAgentToken(emulator, shippedTenant.agents.admin)).status).toBe(200);
  expect(told.mock.calls[0]?.[0]).toContain('is left aside');
  await emulator.close();
  told.mockRestore();
});

test('the command runs until it is stopped, and says what is wrong with a seed', async () => {
  const said = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const told = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  expect(await runEmulator({ seed: join(directory, 'missing.yml'), port: 0 })).toBe(1);
  expect(told.mock.calls[0]?.[0]).toContain('missing.yml');
  const running = runEmulator({ seed: write('seed.yml', yaml), port: 0 });
  const stop = () => process.emit('SIGTERM');
  while (process.listenerCount('SIGTERM') === 0) await new Promise((resolve) => setImmediate(resolve));
  stop();
  expect(await running).toBe(0);
  expect(said.mock.calls.flat().join('\n')).toContain('ENTRA_CLIENT_SECRET=emulator-secret-of-api');
  vi.restoreAllMocks();
});
