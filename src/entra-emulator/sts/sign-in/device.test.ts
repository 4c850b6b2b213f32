import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Emulator, shippedTenant, startEmulator } from '../../main.ts';
import { claimsOf, openBrowser } from '../../testing/browser.ts';
import { adminGraph, graphClient } from '../../testing/graph.ts';
import { askToken, callback } from '../../testing/sign-in.ts';

const { accounts, publicClientId: client_id } = shippedTenant;
let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterEach(() => emulator.reset());
afterAll(() => emulator.close());

const start = (more: Record<string, string> = {}) =>
  askToken(
    emulator,
    { client_id, client_secret: '', scope: 'openid profile offline_access', ...more },
    'oauth2/v2.0/devicecode',
  );

const poll = (device_code: unknown) =>
  askToken(emulator, {
    client_id,
    client_secret: '',
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: String(device_code),
  });

const login = (form: Record<string, string>) => openBrowser().post(`${emulator.origin}/devicelogin`, form);

test('a device waits until somebody enters its code and signs in', async () => {
  const { body } = await start();
  expect(body).toMatchObject({
    expires_in: 900,
    interval: 5,
    verification_uri: `${emulator.origin}/devicelogin`,
  });
  expect(body).not.toHaveProperty('verification_uri_complete');
  expect((await poll(body.device_code)).body).toMatchObject({
    error: 'authorization_pending',
    error_codes: [70016],
  });
  const user_code = String(body.user_code);
  expect(await (await login({ user_code })).text()).toContain('mcp-gateway-cli');
  expect(await (await login({ user_code, emulator_account: accounts.user.objectId })).text()).toContain(
    'signed in on your device',
  );
  const tokens = await poll(body.device_code);
  expect(claimsOf(tokens.body.id_token)).toMatchObject({ oid: accounts.user.objectId, aud: client_id });
  expect(tokens.body).toHaveProperty('refresh_token');
  expect((await poll(body.device_code)).status).toBe(400);
});

test('declined, expired and unknown device codes have their own errors', async () => {
  const declined = (await start()).body;
  await login({ user_code: String(declined.user_code), emulator_consent: 'decline' });
  expect((await poll(declined.device_code)).body.error).toBe('authorization_declined');
  const late = (await start()).body;
  emulator.clock.advance(16 * 60_000);
  expect((await poll(late.device_code)).body.error).toBe('expired_token');
  expect((await poll('unknown')).body.error).toBe('bad_verification_code');
});

test('only public clients may start a device sign-in', async () => {
  expect((await start({ client_id: emulator.clientId })).body.error_codes).toEqual([7000218]);
  expect((await start({ scope: '' })).body.error_codes).toEqual([900144]);
});

test('a wrong user code or a wrong password keeps the device page', async () => {
  expect(await (await login({ user_code: 'WRONG' })).text()).toContain('did not work');
  const user_code = String((await start()).body.user_code);
  const wrong = await login({ user_code, emulator_username: 'bob@contoso.example', emulator_password: 'no' });
  expect(await wrong.text()).toContain('AADSTS50126');
});

test('an administrator grants on the admin consent page what the registration lists', async () => {
  const graph = await adminGraph(emulator);
  const principal = (await graph('GET', `/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')`))
    .body;
  const role = principal.appRoles.find(({ value }: { value: string }) => value === 'Group.Read.All').id;
  const scope = principal.oauth2PermissionScopes.find(
    ({ value }: { value: string }) => value === 'Directory.Read.All',
  ).id;
  const made = await graph('POST', '/applications', {
    displayName: 'asks for much',
    web: { redirectUris: [callback] },
    requiredResourceAccess: [
      {
        resourceAppId: principal.appId,
        resourceAccess: [
          { id: role, type: 'Role' },
          { id: scope, type: 'Scope' },
        ],
      },
    ],
  });
  const url = new URL(`${emulator.origin}/${emulator.tenantId}/v2.0/adminconsent`);
  url.search = new URLSearchParams({
    client_id: made.body.appId,
    redirect_uri: callback,
    state: 's',
  }).toString();
  const user = await openBrowser().post(url, { emulator_account: accounts.user.objectId });
  expect(await user.text()).toContain('AADSTS90094');
  const browser = openBrowser();
  const asked = await browser.post(url, { emulator_account: accounts.globalAdmin.objectId });
  expect(await asked.text()).toContain('Group.Read.All');
  const done = await browser.post(url, { emulator_consent: 'accept' });
  const answer = new URL(done.headers.get('location') ?? '').searchParams;
  expect(Object.fromEntries(answer)).toEqual({
    admin_consent: 'True',
    tenant: emulator.tenantId,
    state: 's',
  });
  const client = (
    await graph('GET', `/servicePrincipals(appId='${made.body.appId}')?$expand=appRoleAssignments`)
  ).body;
  expect(client.appRoleAssignments).toHaveLength(1);
  const grants = (await graph('GET', `/servicePrincipals/${client.id}/oauth2PermissionGrants`)).body.value;
  expect(grants).toMatchObject([{ consentType: 'AllPrincipals', scope: 'Directory.Read.All' }]);
});

test('user realm knows the managed domains', async () => {
  const ask = async (name: string) =>
    (await fetch(`${emulator.origin}/common/userrealm/${name}?api-version=1.0`)).json();
  expect(await ask('alice@contoso.example')).toMatchObject({
    account_type: 'Managed',
    domain_name: 'contoso.example',
  });
  expect(await ask('x@elsewhere.example')).toMatchObject({ account_type: 'Unknown' });
});

test('an administrator of a tenant without registrations signs in with the command line client and consents', async () => {
  const tools = { client_id: '14d82eec-204b-4c2f-b7e8-296a70dab67e' };
  const scope = 'https://graph.microsoft.com/Application.ReadWrite.All offline_access';
  const { body } = await start({ ...tools, scope });
  const user_code = String(body.user_code);
  const denied = await login({ user_code, emulator_account: accounts.user.objectId });
  expect(await denied.text()).toContain('AADSTS90094');
  const browser = openBrowser();
  const page = `${emulator.origin}/devicelogin`;
  const asked = await browser.post(page, { user_code, emulator_account: accounts.globalAdmin.objectId });
  expect(await asked.text()).toContain('Application.ReadWrite.All');
  await browser.post(page, { user_code, emulator_consent: 'accept' });
  const grant = {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: String(body.device_code),
  };
  const tokens = await askToken(emulator, { ...tools, client_secret: '', ...grant });
  const graph = graphClient(emulator, String(tokens.body.access_token));
  expect((await graph('POST', '/applications', { displayName: 'made by setup' })).status).toBe(201);
});
