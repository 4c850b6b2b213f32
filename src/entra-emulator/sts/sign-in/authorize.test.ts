import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Emulator, shippedSeed, shippedTenant, startEmulator } from '../../main.ts';
import { claimsOf, jsonBody, openBrowser } from '../../testing/browser.ts';
import { adminGraph } from '../../testing/graph.ts';
import { askToken, authorizeUrl, callback, signIn, signInForTokens } from '../../testing/sign-in.ts';

const { accounts } = shippedTenant;
let emulator: Emulator;
beforeEach(async () => {
  emulator = await startEmulator();
});
afterEach(() => emulator.close());

async function page(more: Record<string, string>, form?: Record<string, string>, tenant?: string) {
  const url = authorizeUrl(emulator, more, tenant);
  const response = form ? await openBrowser().post(url, form) : await openBrowser().get(url);
  return { status: response.status, text: await response.text(), location: response.headers.get('location') };
}

test.each([
  ['an unregistered redirect URI', { redirect_uri: 'http://localhost/elsewhere' }, 50011],
  [
    'a redirect URI that differs in case',
    { redirect_uri: 'http://localhost:1/OAuth2/callback/entra' },
    50011,
  ],
  ['a loopback address that is not one', { redirect_uri: 'http://[::1]:1/oauth2/callback/entra' }, 50011],
  ['an unknown client', { client_id: 'c0000000-0000-4000-8000-000000000000' }, 700016],
  ['a client id that is none', { client_id: '00000000-0000-0000-0000-000000000000' }, 700038],
  ['a missing response_type', { response_type: '' }, 900144],
  ['an id_token that is not enabled', { response_type: 'id_token' }, 700054],
  ['two prompts', { prompt: 'login consent' }, 90023],
  ['a resource that is not that of the scopes', { resource: 'https://gateway.example/mcp' }, 9010010],
  ['two resources', { scope: 'User.Read api://x/y' }, 28000],
  ['a resource that does not exist', { scope: 'api://no-such-api/y', resource: '' }, 500011],
  ['a very long query', { state: 'x'.repeat(9000) }, 90015],
])('%s is shown on the page and never reaches the application', async (_what, more, code) => {
  const { status, text, location } = await page(more);
  expect(location).toBeNull();
  expect(status).toBe(200);
  expect(text).toContain(`AADSTS${code}`);
  expect(text).toMatch(/correlation id/);
});

test('an unknown tenant is AADSTS90002, a duplicate parameter AADSTS9000411', async () => {
  expect((await page({}, undefined, 'nowhere.example')).text).toContain('AADSTS90002');
  const url = authorizeUrl(emulator);
  url.searchParams.append('state', 'another');
  expect(await (await fetch(url)).text()).toContain('AADSTS9000411');
});

test('a scope that the resource does not have goes back to the application as AADSTS650053', async () => {
  const answer = await signIn(emulator, accounts.admin, { scope: 'Tools.Run' });
  expect(answer.get('error')).toBe('invalid_client');
  expect(answer.get('error_description')).toMatch(/AADSTS650053.*Microsoft Graph/);
});

test('the port of a loopback redirect URI does not matter', async () => {
  const result = await signIn(emulator, accounts.admin, {
    redirect_uri: 'http://127.0.0.1:49152/auth/callback',
  });
  expect(result.get('code')).toBeTruthy();
  expect(result.get('state')).toBe('some-state');
  expect(result.get('session_state')).toBeTruthy();
  expect(result.has('iss')).toBe(false);
});

test('response_mode fragment and form_post carry the same values', async () => {
  const form = { emulator_account: accounts.admin.objectId };
  const fragment = await page({ response_mode: 'fragment' }, form);
  expect(new URL(fragment.location ?? '').hash).toMatch(/#code=.+&state=some-state/);
  const post = await page({ response_mode: 'form_post' }, form);
  expect(post.text).toMatch(/action="http:\/\/localhost:7860\/oauth2\/callback\/entra"/);
  expect(post.text).toMatch(/name="code"/);
});

test('a second sign-in in the same browser needs no page, until it is asked for', async () => {
  const browser = openBrowser();
  await signIn(emulator, accounts.user, {}, browser);
  expect((await browser.get(authorizeUrl(emulator))).status).toBe(302);
  expect((await browser.get(authorizeUrl(emulator, { prompt: 'login' }))).status).toBe(200);
  expect((await browser.get(authorizeUrl(emulator, { prompt: 'select_account' }))).status).toBe(200);
  expect((await browser.get(authorizeUrl(emulator, { login_hint: 'dora@contoso.example' }))).status).toBe(
    200,
  );
  emulator.clock.advance(3_600_000);
  expect((await browser.get(authorizeUrl(emulator, { max_age: '60' }))).status).toBe(200);
});

test('prompt=none answers login_required to the application when nobody is signed in', async () => {
  const { location } = await page({ prompt: 'none' });
  expect(new URL(location ?? '').searchParams.get('error')).toBe('login_required');
  expect(new URL(location ?? '').searchParams.get('error_description')).toContain('AADSTS50058');
});

test('prompt=none without consent answers interaction_required to the application', async () => {
  const browser = openBrowser();
  await signIn(emulator, accounts.user, {}, browser);
  const graph = await adminGraph(emulator);
  for (const { id } of (await graph('GET', '/oauth2PermissionGrants')).body.value)
    await graph('DELETE', `/oauth2PermissionGrants/${id}`);
  const answer = await browser.get(authorizeUrl(emulator, { prompt: 'none' }));
  const back = new URL(answer.headers.get('location') ?? '').searchParams;
  expect(back.get('error')).toBe('interaction_required');
  expect(back.get('error_description')).toContain('AADSTS65001');
});

test('a disabled account, an unknown one and a wrong password stay on the page', async () => {
  const disabled = await page({}, { emulator_account: accounts.disabled.objectId });
  expect(disabled.text).toContain('AADSTS50057');
  const unknown = await page({}, { emulator_username: 'nobody@contoso.example', emulator_password: 'x' });
  expect(unknown.text).toContain('AADSTS50034');
  const wrong = await page({}, { emulator_username: 'bob@contoso.example', emulator_password: 'x' });
  expect(wrong.text).toContain('AADSTS50126');
});

test('one click works only for the accounts that the page lists', async () => {
  const seed = shippedSeed();
  seed.tenants[0]?.users?.push({
    userPrincipalName: 'hidden@contoso.example',
    id: 'acc00000-0000-4000-8000-00000000dead',
    password: 'Secret-1!',
  });
  const other = await startEmulator({ seed });
  const response = await openBrowser().post(authorizeUrl(other), {
    emulator_account: 'acc00000-0000-4000-8000-00000000dead',
  });
  expect(await response.text()).toContain('AADSTS50126');
  await other.close();
});

test('somebody of another tenant cannot sign in here', async () => {
  const { text } = await page({}, { emulator_account: shippedTenant.other.account.objectId });
  expect(text).toContain('AADSTS50034');
});

test('a single-tenant application cannot be used through common', async () => {
  expect((await page({}, undefined, 'common')).text).toContain('AADSTS50194');
});

test('the user is asked for consent, and what is accepted is remembered', async () => {
  const browser = openBrowser();
  const url = authorizeUrl(emulator, { scope: 'openid User.ReadBasic.All' });
  const asked = await browser.post(url, { emulator_account: accounts.user.objectId });
  expect(await asked.text()).toContain('User.ReadBasic.All');
  const accepted = await browser.post(url, { emulator_consent: 'accept' });
  expect(accepted.status).toBe(302);
  expect((await browser.get(url)).status).toBe(302);
});

test('.default asks for what the registration lists while nothing was consented yet', async () => {
  const graph = await adminGraph(emulator);
  const principal = (await graph('GET', "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')"))
    .body;
  const { id } = principal.oauth2PermissionScopes.find(
    ({ value }: { value: string }) => value === 'User.ReadBasic.All',
  );
  const resourceAccess = [{ id, type: 'Scope' }];
  const made = await graph('POST', '/applications', {
    displayName: 'lists',
    web: { redirectUris: [callback] },
    requiredResourceAccess: [{ resourceAppId: principal.appId, resourceAccess }],
  });
  await graph('POST', '/servicePrincipals', { appId: made.body.appId });
  const more = { client_id: made.body.appId, scope: 'https://graph.microsoft.com/.default' };
  const browser = openBrowser();
  const asked = await browser.post(authorizeUrl(emulator, more), {
    emulator_account: accounts.user.objectId,
  });
  expect(await asked.text()).toContain('User.ReadBasic.All');
  await browser.post(authorizeUrl(emulator, more), { emulator_consent: 'accept' });
  expect((await browser.get(authorizeUrl(emulator, more))).status).toBe(302);
});

test('declined consent reaches the application as access_denied', async () => {
  const browser = openBrowser();
  const url = authorizeUrl(emulator, { prompt: 'consent' });
  await browser.post(url, { emulator_account: accounts.user.objectId });
  const declined = await browser.post(url, { emulator_consent: 'decline' });
  const answer = new URL(declined.headers.get('location') ?? '').searchParams;
  expect(answer.get('error')).toBe('access_denied');
  expect(answer.get('error_description')).toContain('AADSTS65004');
});

test('permissions for administrators need one; others get AADSTS90094', async () => {
  const more = { scope: 'openid Directory.Read.All' };
  const denied = await page(more, { emulator_account: accounts.user.objectId });
  expect(denied.text).toContain('AADSTS90094');
  const browser = openBrowser();
  const url = authorizeUrl(emulator, more);
  await browser.post(url, { emulator_account: accounts.globalAdmin.objectId });
  await browser.post(url, { emulator_consent: 'accept', emulator_consent_for_all: 'yes' });
  expect((await signIn(emulator, accounts.user, more)).get('code')).toBeTruthy();
});

test('with assignment required, only assigned users get in', async () => {
  const seed = shippedSeed();
  const gateway = seed.tenants[0]?.applications?.[0];
  if (gateway) gateway.servicePrincipal = { ...gateway.servicePrincipal, appRoleAssignmentRequired: true };
  const strict = await startEmulator({ seed });
  const response = await openBrowser().post(authorizeUrl(strict), {
    emulator_account: accounts.user.objectId,
  });
  expect(await response.text()).toContain('AADSTS50105');
  await strict.close();
});

test('an ID token can come from the authorize endpoint where that is enabled', async () => {
  const seed = shippedSeed();
  const gateway = seed.tenants[0]?.applications?.[0];
  if (gateway?.web)
    gateway.web.implicitGrantSettings = { enableIdTokenIssuance: true, enableAccessTokenIssuance: false };
  const hybrid = await startEmulator({ seed });
  const url = authorizeUrl(hybrid, { response_type: 'code id_token' });
  const response = await openBrowser().post(url, { emulator_account: accounts.manyGroups.objectId });
  const values = new URLSearchParams(new URL(response.headers.get('location') ?? '').hash.slice(1));
  expect(values.get('code')).toBeTruthy();
  expect(claimsOf(values.get('id_token'))).toMatchObject({ hasgroups: true, nonce: 'some-nonce' });
  await hybrid.close();
});

test('the v1.0 authorize endpoint takes a resource instead of scopes', async () => {
  const url = new URL(`${emulator.origin}/${emulator.tenantId}/oauth2/authorize`);
  url.search = new URLSearchParams({
    client_id: emulator.clientId,
    response_type: 'code',
    redirect_uri: callback,
    resource: shippedTenant.appIdUri,
  }).toString();
  const response = await openBrowser().post(url, { emulator_account: accounts.admin.objectId });
  const code = new URL(response.headers.get('location') ?? '').searchParams.get('code') ?? '';
  const grant = { grant_type: 'authorization_code', code, redirect_uri: callback };
  const { body } = await askToken(emulator, grant, 'oauth2/token');
  expect(body.resource).toBe(shippedTenant.appIdUri);
  expect(typeof body.expires_in).toBe('string');
  expect(claimsOf(body.id_token)).toMatchObject({
    ver: '1.0',
    iss: emulator.issuers.v1,
    upn: 'alice@contoso.example',
  });
});

test('values in pages are escaped', async () => {
  const { text } = await page({ state: '"><script>alert(1)</script>' });
  expect(text).not.toContain('<script>alert');
  const hinted = await page({ login_hint: '"><img src=x>' });
  expect(hinted.text).not.toContain('<img src=x>');
});

test('a registered logout URL is called with sid alone, then the browser goes on', async () => {
  const seed = shippedSeed();
  const gateway = seed.tenants[0]?.applications?.[0];
  if (gateway?.web) gateway.web.logoutUrl = 'http://localhost:7860/front-channel-logout';
  const other = await startEmulator({ seed });
  const browser = openBrowser();
  await signIn(other, accounts.admin, {}, browser);
  const out = `${other.origin}/${other.tenantId}/oauth2/v2.0/logout?post_logout_redirect_uri=http://localhost:7860/login`;
  const response = await browser.get(out);
  const text = await response.text();
  expect(text).toMatch(/front-channel-logout\?sid=[^&"]+"/);
  expect(response.headers.get('refresh')).toContain('http://localhost:7860/login');
  expect((await browser.get(authorizeUrl(other))).status).toBe(200);
  await other.close();
});

test('logging out ends the session and returns only to a registered URI', async () => {
  const browser = openBrowser();
  await signIn(emulator, accounts.admin, {}, browser);
  const out = `${emulator.origin}/${emulator.tenantId}/oauth2/v2.0/logout?post_logout_redirect_uri=`;
  const elsewhere = await browser.get(`${out}https://evil.example/`);
  expect(elsewhere.status).toBe(200);
  expect((await browser.get(authorizeUrl(emulator))).status).toBe(200);
  await signIn(emulator, accounts.admin, {}, browser);
  const back = await browser.get(`${out}http://localhost:7860/login&state=s`);
  expect(back.headers.get('location')).toBe('http://localhost:7860/login?state=s');
});

test('userinfo gives six claims at most and never groups, and its sub is another one', async () => {
  const tokens = await signInForTokens(emulator, accounts.admin);
  const response = await fetch(`${emulator.graphOrigin}/oidc/userinfo`, {
    headers: { authorization: `Bearer ${tokens.access_token}` },
  });
  const body = await jsonBody(response);
  expect(Object.keys(body).sort()).toEqual(['email', 'family_name', 'given_name', 'name', 'picture', 'sub']);
  expect(body.sub).not.toBe(claimsOf(tokens.id_token).sub);
});
