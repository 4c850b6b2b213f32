import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Emulator, shippedSeed, shippedTenant, startEmulator } from '../main.ts';
import { claimsOf, makePkce } from '../testing/browser.ts';
import { adminGraph } from '../testing/graph.ts';
import { askAgentToken, askToken, callback, signIn, signInForTokens } from '../testing/sign-in.ts';

const { accounts, agents, appIdUri, publicClientId } = shippedTenant;
let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterEach(() => emulator.reset());
afterAll(() => emulator.close());

async function newCode(more: Record<string, string> = {}): Promise<string> {
  return (await signIn(emulator, accounts.admin, more)).get('code') ?? '';
}

const redeem = (code: string, more: Record<string, string> = {}) =>
  askToken(emulator, { grant_type: 'authorization_code', code, redirect_uri: callback, ...more });

test.each([
  ['a wrong secret', { client_secret: 'wrong' }, 401, 'invalid_client', 7000215],
  ['no secret', { client_secret: '' }, 401, 'invalid_client', 7000218],
  [
    'an unknown client',
    { client_id: 'c0000000-0000-4000-8000-000000000000' },
    400,
    'unauthorized_client',
    700016,
  ],
  [
    'a client id of zeros',
    { client_id: '00000000-0000-0000-0000-000000000000' },
    400,
    'unauthorized_client',
    700038,
  ],
  ['no client id', { client_id: '' }, 400, 'invalid_request', 900144],
  ['no grant type', { grant_type: '' }, 400, 'invalid_request', 900144],
  ['an unknown grant type', { grant_type: 'magic' }, 400, 'unsupported_grant_type', 70003],
  ['no scope', { scope: '' }, 400, 'invalid_request', 900144],
  ['a scope without .default', { scope: `${appIdUri}/access_as_user` }, 400, 'invalid_scope', 1002012],
  ['an unknown resource', { scope: 'api://no-such-api/.default' }, 400, 'invalid_resource', 500011],
  [
    'two resources',
    { scope: `${appIdUri}/.default https://graph.microsoft.com/.default` },
    400,
    'invalid_scope',
    28000,
  ],
])('client_credentials with %s answers %i %s', async (_what, more, status, error, code) => {
  const answer = await askAgentToken(emulator, agents.admin, more as Record<string, string>);
  expect(answer.status).toBe(status);
  expect(answer.body).toMatchObject({ error, error_codes: [code] });
  expect(answer.headers.get('cache-control')).toBe('no-store, no-cache');
});

test('an error body has the description, ids and time of Entra in single spaces', async () => {
  const { body } = await askAgentToken(emulator, agents.admin, { client_secret: 'wrong' });
  expect(body.error_description).toMatch(
    /^AADSTS7000215: .+ Trace ID: [0-9a-f-]{36} Correlation ID: [0-9a-f-]{36} Timestamp: \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/,
  );
  expect(body).toMatchObject({
    trace_id: expect.any(String),
    correlation_id: expect.any(String),
    timestamp: expect.any(String),
    error_uri: `${emulator.origin}/error?code=7000215`,
  });
});

test('an unknown tenant is invalid_request at the token endpoint', async () => {
  const response = await fetch(`${emulator.origin}/nowhere.example/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  expect(await response.json()).toMatchObject({ error: 'invalid_request', error_codes: [90002] });
});

test('credentials in the Authorization header need the client_id in the body as well', async () => {
  const { clientId, clientSecret } = agents.admin;
  const send = async (form: Record<string, string>) => {
    const response = await fetch(`${emulator.origin}/${emulator.tenantId}/oauth2/v2.0/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: `${appIdUri}/.default`, ...form }),
    });
    return response.json();
  };
  expect(await send({})).toMatchObject({ error_codes: [900144] });
  expect(await send({ client_id: clientId })).toMatchObject({ token_type: 'Bearer' });
});

test('an expired secret is AADSTS7000222', async () => {
  const seed = shippedSeed();
  const agent = seed.tenants[0]?.applications?.find(({ displayName }) => displayName === 'agent-admin');
  if (agent?.passwordCredentials?.[0]) agent.passwordCredentials[0].endDateTime = '2020-01-01T00:00:00Z';
  const other = await startEmulator({ seed });
  expect((await askAgentToken(other, agents.admin)).body).toMatchObject({
    error: 'invalid_client',
    error_codes: [7000222],
  });
  await other.close();
});

test('a disabled service principal is AADSTS7000112, a deleted one AADSTS700016', async () => {
  const graph = await adminGraph(emulator);
  const path = `/servicePrincipals/${agents.user.objectId}`;
  await graph('PATCH', path, { accountEnabled: false });
  expect((await askAgentToken(emulator, agents.user)).body.error_codes).toEqual([7000112]);
  await graph('DELETE', path);
  expect((await askAgentToken(emulator, agents.user)).body.error_codes).toEqual([700016]);
});

test('an API that requires assignment refuses applications without a role (AADSTS501051)', async () => {
  const graph = await adminGraph(emulator);
  await graph('PATCH', `/servicePrincipals(appId='${shippedTenant.clientId}')`, {
    appRoleAssignmentRequired: true,
  });
  expect((await askAgentToken(emulator, agents.stray)).body.error_codes).toEqual([501051]);
  expect((await askAgentToken(emulator, agents.user)).status).toBe(200);
});

test('a code works once, only with its redirect URI, its client and in its time', async () => {
  const code = await newCode();
  expect((await redeem(code, { redirect_uri: 'http://localhost:1/auth/callback' })).body.error_codes).toEqual(
    [500112],
  );
  expect((await redeem(code)).body).toMatchObject({ error: 'invalid_grant', error_codes: [54005] });
  const other = await newCode();
  const { clientId: client_id, clientSecret: client_secret } = agents.admin;
  expect((await redeem(other, { client_id, client_secret })).body.error_codes).toEqual([70000]);
  emulator.clock.advance(11 * 60_000);
  expect((await redeem(other)).body.error_codes).toEqual([70008]);
});

test('a confidential client cannot redeem a code without its secret', async () => {
  expect((await redeem(await newCode(), { client_secret: '' })).body.error_codes).toEqual([7000218]);
});

test('PKCE is checked when it was used, S256 and plain', async () => {
  const { verifier, challenge } = makePkce();
  const s256 = { code_challenge: challenge, code_challenge_method: 'S256' };
  expect((await redeem(await newCode(s256), { code_verifier: verifier })).status).toBe(200);
  expect((await redeem(await newCode(s256), { code_verifier: 'x'.repeat(43) })).body.error_codes).toEqual([
    501481,
  ]);
  expect((await redeem(await newCode(s256))).body.error_codes).toEqual([501481]);
  expect((await redeem(await newCode(), { code_verifier: verifier })).body.error_codes).toEqual([50147]);
  const plain = { code_challenge: verifier };
  expect((await redeem(await newCode(plain), { code_verifier: verifier })).status).toBe(200);
});

test('a public redirect refuses secrets (AADSTS700025)', async () => {
  const more = { client_id: publicClientId, redirect_uri: 'http://localhost:9/', scope: 'openid' };
  const result = await signIn(emulator, accounts.admin, { ...more, redirect_uri: 'http://localhost:9' });
  const form = { client_id: publicClientId, redirect_uri: 'http://localhost:9' };
  const code = result.get('code') ?? '';
  expect((await redeem(code, { ...form, client_secret: 'x' })).body.error_codes).toEqual([7000215]);
  expect((await redeem(code, { ...form, client_secret: '' })).status).toBe(200);
});

test('a single-page redirect needs an Origin and its refresh token lives a day', async () => {
  const seed = shippedSeed();
  const gateway = seed.tenants[0]?.applications?.[0];
  if (gateway) gateway.spa = { redirectUris: ['http://localhost/spa'] };
  const other = await startEmulator({ seed });
  const redirect_uri = 'http://localhost:5173/spa';
  const result = await signIn(other, accounts.admin, { redirect_uri, scope: 'openid offline_access' });
  const send = async (form: Record<string, string>, headers: Record<string, string>) => {
    const response = await fetch(`${other.origin}/${other.tenantId}/oauth2/v2.0/token`, {
      method: 'POST',
      headers,
      body: new URLSearchParams({ client_id: other.clientId, ...form }),
    });
    return { headers: response.headers, body: (await response.json()) as Record<string, unknown> };
  };
  const grant = { grant_type: 'authorization_code', code: result.get('code') ?? '', redirect_uri };
  expect((await send(grant, {})).body.error_codes).toEqual([9002327]);
  const origin = { origin: 'http://localhost:5173' };
  const { body, headers } = await send(grant, origin);
  expect(headers.get('access-control-allow-origin')).toBe(origin.origin);
  other.clock.advance(25 * 3_600_000);
  const refresh = { grant_type: 'refresh_token', refresh_token: String(body.refresh_token) };
  expect((await send(refresh, origin)).body.error_codes).toEqual([700084]);
  await other.close();
});

test('refresh tokens come with offline_access, roll, and the old one lives on', async () => {
  const without = await signInForTokens(emulator, accounts.admin);
  expect(without).not.toHaveProperty('refresh_token');
  const tokens = await signInForTokens(emulator, accounts.admin, { scope: 'openid profile offline_access' });
  const refresh = { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) };
  const first = await askToken(emulator, refresh);
  const second = await askToken(emulator, refresh);
  expect(first.body.refresh_token).not.toBe(tokens.refresh_token);
  expect(second.status).toBe(200);
});

test('one refresh token redeems for Graph and for the API', async () => {
  const tokens = await signInForTokens(emulator, accounts.admin, { scope: 'openid offline_access' });
  const refresh = { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) };
  const api = await askToken(emulator, { ...refresh, scope: `${emulator.clientId}/access_as_user` });
  const graph = await askToken(emulator, { ...refresh, scope: 'https://graph.microsoft.com/User.Read' });
  expect(claimsOf(api.body.access_token)).toMatchObject({ aud: emulator.clientId, scp: 'access_as_user' });
  expect(claimsOf(graph.body.access_token).aud).toBe('https://graph.microsoft.com');
});

test('a refresh for oneself by App ID URI is AADSTS90009, by GUID it passes', async () => {
  const tokens = await signInForTokens(emulator, accounts.admin, {
    scope: `openid offline_access ${appIdUri}/access_as_user`,
  });
  const refresh = { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) };
  expect((await askToken(emulator, refresh)).body.error_codes).toEqual([90009]);
  expect(
    (await askToken(emulator, { ...refresh, scope: `${emulator.clientId}/access_as_user` })).status,
  ).toBe(200);
});

test('a refresh token ends after 90 days, when sessions are revoked, and with the account', async () => {
  const scope = 'openid offline_access';
  const refreshOf = async () => {
    const tokens = await signInForTokens(emulator, accounts.user, { scope });
    return { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) };
  };
  const old = await refreshOf();
  emulator.clock.advance(91 * 86_400_000);
  expect((await askToken(emulator, old)).body).toMatchObject({
    error: 'invalid_grant',
    error_codes: [700082],
  });
  const revoked = await refreshOf();
  const graph = await adminGraph(emulator);
  emulator.clock.advance(1000);
  await graph('POST', `/users/${accounts.user.objectId}/revokeSignInSessions`);
  expect((await askToken(emulator, revoked)).body.error_codes).toEqual([50173]);
  emulator.clock.advance(5000);
  const disabled = await refreshOf();
  await graph('PATCH', `/users/${accounts.user.objectId}`, { accountEnabled: false });
  expect([50057, 50173]).toContain(((await askToken(emulator, disabled)).body.error_codes as number[])[0]);
});

test('on-behalf-of trades a user token for the next API, never an app-only one', async () => {
  const tokens = await signInForTokens(emulator, accounts.admin, {
    scope: `${emulator.clientId}/access_as_user`,
  });
  const grant = {
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    requested_token_use: 'on_behalf_of',
    scope: 'https://graph.microsoft.com/User.Read',
  };
  const { body } = await askToken(emulator, { ...grant, assertion: String(tokens.access_token) });
  expect(claimsOf(body.access_token)).toMatchObject({
    aud: 'https://graph.microsoft.com',
    oid: accounts.admin.objectId,
    appid: emulator.clientId,
  });
  const app = await askAgentToken(emulator, agents.admin);
  const refused = await askToken(emulator, { ...grant, assertion: String(app.body.access_token) });
  expect(refused.body).toMatchObject({ error: 'unauthorized_client', error_codes: [7000114] });
  expect((await askToken(emulator, { ...grant, assertion: 'nonsense' })).body.error_codes).toEqual([50013]);
  const { clientId: client_id, clientSecret: client_secret } = agents.admin;
  const stranger = await askToken(emulator, {
    ...grant,
    assertion: String(tokens.access_token),
    client_id,
    client_secret,
  });
  expect(stranger.body.error_codes).toEqual([500131]);
});

test('missing consent at the token endpoint is AADSTS65001 with suberror consent_required', async () => {
  const tokens = await signInForTokens(emulator, accounts.admin, { scope: 'openid offline_access' });
  const { body } = await askToken(emulator, {
    grant_type: 'refresh_token',
    refresh_token: String(tokens.refresh_token),
    scope: 'https://graph.microsoft.com/Directory.Read.All',
  });
  expect(body).toMatchObject({ error: 'invalid_grant', suberror: 'consent_required', error_codes: [65001] });
});

test('with .default a user token carries everything that was consented', async () => {
  const tokens = await signInForTokens(emulator, accounts.admin, {
    scope: 'https://graph.microsoft.com/.default',
  });
  expect(String(claimsOf(tokens.access_token).scp).split(' ')).toEqual(
    expect.arrayContaining(['User.Read', 'email']),
  );
});

test('the v1.0 token endpoint takes a resource and writes numbers as text', async () => {
  const { body } = await askAgentToken(
    emulator,
    agents.admin,
    { resource: appIdUri, scope: '' },
    'oauth2/token',
  );
  expect(body).toMatchObject({ token_type: 'Bearer', resource: appIdUri, expires_on: expect.any(String) });
  expect(Number(body.expires_in)).toBeGreaterThanOrEqual(3600);
});

test('the request id of a refusal is its trace id, and the server that refused is named', async () => {
  const { body, headers } = await askToken(emulator, { grant_type: 'refresh_token', refresh_token: 'none' });
  expect(body.trace_id).toMatch(/^[0-9a-f-]{36}$/);
  expect(headers.get('x-ms-request-id')).toBe(body.trace_id);
  expect(headers.get('x-ms-ests-server')).toMatch(/^2\.1\.0 - /);
  expect(body.error_description).toContain(`Trace ID: ${body.trace_id}`);
});
