import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Emulator, shippedTenant, startEmulator } from '../main.ts';
import { jsonBody } from '../testing/browser.ts';

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());

async function get(path: string) {
  const response = await fetch(`${emulator.origin}${path}`);
  return { status: response.status, headers: response.headers, body: await jsonBody(response) };
}

const discovery = '.well-known/openid-configuration';

test('discovery by verified domain answers with the GUID of the tenant', async () => {
  const { body } = await get(`/${shippedTenant.domain}/v2.0/${discovery}`);
  expect(body.issuer).toBe(emulator.issuers.v2);
  expect(body.token_endpoint).toBe(`${emulator.origin}/${emulator.tenantId}/oauth2/v2.0/token`);
});

test('v1.0 discovery publishes the v1.0 issuer with its trailing slash', async () => {
  const { body } = await get(`/${emulator.tenantId}/${discovery}`);
  expect(body.issuer).toBe(`${emulator.origin}/sts/${emulator.tenantId}/`);
  expect(body.jwks_uri).toBe(`${emulator.origin}/${emulator.tenantId}/discovery/keys`);
});

test.each(['common', 'organizations'])('discovery of %s has the literal issuer template', async (name) => {
  const { body } = await get(`/${name}/v2.0/${discovery}`);
  expect(body.issuer).toBe(`${emulator.origin}/{tenantid}/v2.0`);
  expect(body.tenant_region_scope).toBeNull();
});

test('discovery lacks what Entra lacks: PKCE methods, registration, introspection, revocation', async () => {
  const { body, headers } = await get(`/${emulator.tenantId}/v2.0/${discovery}`);
  for (const name of [
    'code_challenge_methods_supported',
    'registration_endpoint',
    'introspection_endpoint',
    'revocation_endpoint',
    'grant_types_supported',
    'authorization_response_iss_parameter_supported',
  ])
    expect(body).not.toHaveProperty(name);
  expect(headers.get('cache-control')).toBe('max-age=86400, private');
  expect(headers.get('access-control-allow-origin')).toBe('*');
});

test('path-inserted well-knowns do not exist', async () => {
  for (const path of [
    `/.well-known/oauth-authorization-server/${emulator.tenantId}/v2.0`,
    `/.well-known/openid-configuration/${emulator.tenantId}/v2.0`,
    `/${emulator.tenantId}/v2.0/.well-known/oauth-authorization-server`,
  ])
    expect((await get(path)).status).toBe(404);
});

test('discovery of an unknown tenant is 400 invalid_tenant with AADSTS90002', async () => {
  const { status, body } = await get(`/00000000-0000-4000-8000-000000000000/v2.0/${discovery}`);
  expect(status).toBe(400);
  expect(body).toMatchObject({ error: 'invalid_tenant', error_codes: [90002] });
  const odd = await get(`/no%20tenant!/v2.0/${discovery}`);
  expect(odd.body.error_codes).toEqual([900023]);
});

test('personal accounts are not done, and that is said', async () => {
  const { status, body } = await get(`/consumers/v2.0/${discovery}`);
  expect(status).toBe(501);
  expect(body.feature).toBe('personal accounts');
});

test('the key set has several keys without alg; v2.0 names the issuer beside each', async () => {
  const v2 = (await get(`/${emulator.tenantId}/discovery/v2.0/keys`)).body.keys;
  const v1 = (await get(`/${emulator.tenantId}/discovery/keys`)).body.keys;
  expect(v2.length).toBeGreaterThan(1);
  for (const key of v2) {
    expect(Object.keys(key).sort()).toEqual(['e', 'issuer', 'kid', 'kty', 'n', 'use', 'x5c', 'x5t']);
    expect(key.kid).toBe(key.x5t);
    expect(key.issuer).toBe(emulator.issuers.v2);
  }
  expect(v1[0]).not.toHaveProperty('issuer');
  expect((await get('/common/discovery/v2.0/keys')).body.keys[0].issuer).toContain('{tenantid}');
});

test('instance discovery knows the authority and its aliases', async () => {
  const endpoint = encodeURIComponent(`${emulator.origin}/${emulator.tenantId}/oauth2/v2.0/authorize`);
  const { body } = await get(`/common/discovery/instance?api-version=1.1&authorization_endpoint=${endpoint}`);
  expect(body.tenant_discovery_endpoint).toBe(`${emulator.origin}/${emulator.tenantId}/v2.0/${discovery}`);
  expect(body.metadata[0].aliases).toContain(new URL(emulator.origin).host);
});

test('the error page explains an AADSTS number', async () => {
  const page = await fetch(`${emulator.origin}/error?code=7000215`);
  expect(await page.text()).toContain('client secret value, not the client secret ID');
});

test('requests for another host are refused', async () => {
  const { createConnection } = await import('node:net');
  const { port } = new URL(emulator.origin);
  const answer = await new Promise<string>((resolve) => {
    const socket = createConnection(Number(port), '127.0.0.1');
    socket.end('GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
  });
  expect(answer).toMatch(/^HTTP\/1\.1 421/);
});
