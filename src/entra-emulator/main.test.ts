import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Emulator, shippedTenant, startEmulator } from './main.ts';
import { openBrowser } from './testing/browser.ts';
import { askAgentToken, authorizeUrl, callback, signInForTokens } from './testing/sign-in.ts';

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());

test('openid-client signs a user in with PKCE over plain http and gets the groups in the ID token', async () => {
  const config = await oidc.discovery(
    new URL(`${emulator.origin}/${emulator.tenantId}/v2.0`),
    emulator.clientId,
    emulator.clientSecret,
    undefined,
    { execute: [oidc.allowInsecureRequests] },
  );
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: callback,
    scope: 'openid profile email offline_access',
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: 'the-state',
    nonce: 'the-nonce',
  });
  const form = { emulator_account: shippedTenant.accounts.admin.objectId };
  const response = await openBrowser().post(url, form);
  const tokens = await oidc.authorizationCodeGrant(config, new URL(response.headers.get('location') ?? ''), {
    pkceCodeVerifier,
    expectedState: 'the-state',
    expectedNonce: 'the-nonce',
  });
  expect(tokens.claims()).toMatchObject({
    iss: emulator.issuers.v2,
    preferred_username: 'alice@contoso.example',
    groups: [shippedTenant.groups.admin],
  });
  const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '');
  expect(refreshed.claims()?.oid).toBe(shippedTenant.accounts.admin.objectId);
});

test.each(Object.entries(shippedTenant.agents))(
  'the agent %s gets an app-only token with its groups that its JWKS verifies',
  async (_role, agent) => {
    const { body } = await askAgentToken(emulator, agent);
    const keys = createRemoteJWKSet(new URL(`${emulator.origin}/${emulator.tenantId}/discovery/v2.0/keys`));
    const { payload } = await jwtVerify(String(body.access_token), keys, {
      issuer: emulator.issuers.v2,
      audience: emulator.clientId,
      algorithms: ['RS256'],
    });
    expect(payload.groups).toEqual(agent.groups.length ? agent.groups : undefined);
    expect(payload).toMatchObject({ oid: agent.objectId, sub: agent.objectId, azp: agent.clientId });
    expect(payload.scp).toBeUndefined();
  },
);

test('the sign-in page says what it is and lists the demo accounts', async () => {
  const html = await (await openBrowser().get(authorizeUrl(emulator))).text();
  expect(html).toContain('EMULATOR - not Microsoft');
  for (const { userPrincipalName } of Object.values(shippedTenant.accounts))
    expect(html).toContain(userPrincipalName);
});

test('a password signs in, a wrong one stays on the page', async () => {
  const form = { emulator_username: 'bob@contoso.example', emulator_password: shippedTenant.password };
  const right = await openBrowser().post(authorizeUrl(emulator), form);
  expect(right.status).toBe(302);
  const wrong = await openBrowser().post(authorizeUrl(emulator), { ...form, emulator_password: 'wrong' });
  expect(await wrong.text()).toContain('AADSTS50126');
});

test('somebody in no group gets no groups claim', async () => {
  const { id_token } = await signInForTokens(emulator, shippedTenant.accounts.noGroup);
  const payload = JSON.parse(Buffer.from(String(id_token).split('.')[1] ?? '', 'base64url').toString());
  expect(payload).not.toHaveProperty('groups');
});

test('every answer carries the emulator header, and what is not done answers 501 naming it', async () => {
  const response = await fetch(`${emulator.origin}/${emulator.tenantId}/kerberos`);
  expect(response.status).toBe(501);
  expect(response.headers.get('x-entra-emulator')).toBeTruthy();
  expect(await response.json()).toMatchObject({ feature: `GET /${emulator.tenantId}/kerberos` });
});
