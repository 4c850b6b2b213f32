import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Emulator, shippedTenant, startEmulator } from './main.ts';
import { adminGraph } from './testing/graph.ts';
import { authorizeUrl } from './testing/sign-in.ts';

let emulator: Emulator;
let token: string;
beforeAll(async () => {
  emulator = await startEmulator();
  await adminGraph(emulator);
  const response = await fetch(`${emulator.origin}/${emulator.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: shippedTenant.admin.clientId,
      client_secret: shippedTenant.admin.clientSecret,
      scope: 'https://graph.microsoft.com/.default',
    }),
  });
  token = ((await response.json()) as { access_token: string }).access_token;
});
afterAll(() => emulator.close());

const names = fc.constantFrom(
  'grant_type',
  'client_id',
  'client_secret',
  'scope',
  'code',
  'redirect_uri',
  'refresh_token',
  'assertion',
  'client_assertion',
  'client_assertion_type',
  'code_verifier',
  'requested_token_use',
  'resource',
  'device_code',
  'claims',
  '__proto__',
  'constructor',
);
const known = fc.constantFrom(
  'authorization_code',
  'client_credentials',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
  'urn:ietf:params:oauth:grant-type:device_code',
  'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  'on_behalf_of',
  shippedTenant.clientId,
  shippedTenant.clientSecret,
  `${shippedTenant.appIdUri}/.default`,
  'a.b.c',
  'eyJhbGciOiJub25lIn0.e30.',
  'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIifQ.AAAA',
);
const values = fc.oneof(
  known,
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constant('x'.repeat(20_000)),
);
const forms = fc.array(fc.tuple(names, values), { maxLength: 8 });
const runs = { numRuns: 150, endOnFailure: true };

test('whatever form the token endpoint gets, it answers 4xx in the shape of AADSTS', async () => {
  await fc.assert(
    fc.asyncProperty(forms, fc.constantFrom('v2.0/', ''), async (form, version) => {
      const response = await fetch(`${emulator.origin}/${emulator.tenantId}/oauth2/${version}token`, {
        method: 'POST',
        body: new URLSearchParams(form),
      });
      const body = (await response.json()) as Record<string, unknown>;
      if (response.status === 200) return expect(body).toHaveProperty('access_token');
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.status).toBeLessThan(500);
      expect(body.error_description).toMatch(/^AADSTS\d+: /s);
    }),
    runs,
  );
});

test('duplicate parameters are refused by name', async () => {
  const response = await fetch(`${emulator.origin}/${emulator.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams([
      ['grant_type', 'client_credentials'],
      ['grant_type', 'refresh_token'],
    ]),
  });
  expect(await response.json()).toMatchObject({
    error_codes: [9000411],
    error_description: expect.stringContaining("'grant_type'"),
  });
});

test.each(['application/json', 'text/plain', 'multipart/form-data; boundary=x', ''])(
  'a token request of the type "%s" has no parameters',
  async (type) => {
    const response = await fetch(`${emulator.origin}/${emulator.tenantId}/oauth2/v2.0/token`, {
      method: 'POST',
      headers: type ? { 'content-type': type } : {},
      body: Buffer.from('grant_type=client_credentials'),
    });
    expect(await response.json()).toMatchObject({ error_codes: [900144] });
  },
);

test('whatever the authorize endpoint is asked, it answers with a page or a redirect', async () => {
  const options = fc.record(
    {
      client_id: values,
      scope: values,
      prompt: values,
      response_mode: values,
      max_age: values,
      login_hint: values,
      claims: values,
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(options, async (more) => {
      const response = await fetch(authorizeUrl(emulator, more as Record<string, string>), {
        redirect: 'manual',
      });
      await response.arrayBuffer();
      expect([200, 302, 414, 431]).toContain(response.status);
    }),
    runs,
  );
});

const segments = fc.constantFrom(
  'users',
  'groups',
  'applications',
  'servicePrincipals',
  'me',
  'members',
  '$ref',
  '$count',
  'memberOf',
  "users('x')",
  'addPassword',
  '..',
  '%2e%2e',
  '%',
  '%00',
  shippedTenant.groups.users,
  'microsoft.graph.user',
  'directory',
  'deletedItems',
  '$batch',
  'getMemberObjects',
  '__proto__',
);
const paths = fc.array(fc.oneof(segments, fc.string({ maxLength: 12 })), { minLength: 1, maxLength: 5 });
const queries = fc.dictionary(
  fc.constantFrom(
    '$filter',
    '$select',
    '$top',
    '$orderby',
    '$expand',
    '$search',
    '$count',
    '$skiptoken',
    '$x',
  ),
  fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.constantFrom("displayName eq 'x'", 'a/any(x:x eq 1)', '((((', "'", 'true', '-1'),
  ),
  { maxKeys: 3 },
);

test('whatever path, query and body Graph gets, it answers below 500 or 501, in the shape of OData', async () => {
  const methods = fc.constantFrom('GET', 'POST', 'PATCH', 'DELETE');
  await fc.assert(
    fc.asyncProperty(
      methods,
      paths,
      queries,
      fc.jsonValue({ maxDepth: 3 }),
      async (method, path, query, body) => {
        const url = `${emulator.graphOrigin}/v1.0/${path.map((part) => part.replaceAll(/[?#\s\\]/g, '')).join('/')}?${new URLSearchParams(query)}`;
        const response = await fetch(url, {
          method,
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            consistencylevel: 'eventual',
          },
          ...(method === 'GET' ? {} : { body: JSON.stringify(body) }),
        });
        const text = await response.text();
        if (response.status < 400) return;
        expect(response.status === 501 || response.status < 500).toBe(true);
        // A path that leaves /graph is the sign-in host's and answers in its shape.
        if (new URL(response.url).pathname.startsWith('/graph/'))
          expect(JSON.parse(text).error).toMatchObject({
            code: expect.any(String),
            message: expect.any(String),
          });
      },
    ),
    { numRuns: 300, endOnFailure: true },
  );
});

test('whatever a client changes an application to, it is refused or served', async () => {
  const graph = await adminGraph(emulator);
  const { id, appId } = (await graph('POST', '/applications', { displayName: 'fuzzed' })).body;
  await graph('POST', '/servicePrincipals', { appId });
  const odd = fc.oneof(
    fc.jsonValue({ maxDepth: 1 }),
    fc.constantFrom(null, true, 'x', [], {}, [null], [{}], ['x'], [{ id: 'x', value: 'y' }]),
  );
  const object = (...keys: string[]) =>
    fc.oneof(odd, fc.dictionary(fc.constantFrom(...keys), odd, { maxKeys: 3 }));
  const parts = fc.record(
    {
      web: object('redirectUris', 'logoutUrl', 'implicitGrantSettings'),
      spa: object('redirectUris'),
      api: object('oauth2PermissionScopes', 'requestedAccessTokenVersion', 'preAuthorizedApplications'),
      appRoles: fc.oneof(
        odd,
        fc.array(object('id', 'value', 'allowedMemberTypes', 'isEnabled'), { maxLength: 2 }),
      ),
      optionalClaims: object('idToken', 'accessToken'),
      requiredResourceAccess: fc.oneof(
        odd,
        fc.array(object('resourceAppId', 'resourceAccess'), { maxLength: 2 }),
      ),
      identifierUris: odd,
      keyCredentials: odd,
      displayName: odd,
      tags: odd,
      groupMembershipClaims: odd,
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(parts, async (body) => {
      expect([204, 400]).toContain((await graph('PATCH', `/applications/${id}`, body)).status);
      expect((await graph('GET', '/applications')).status).toBe(200);
      const page = await fetch(
        authorizeUrl(emulator, { client_id: appId, redirect_uri: 'http://localhost/x' }),
      );
      expect(page.status).toBe(200);
      await page.arrayBuffer();
    }),
    runs,
  );
});

test('whatever the controls get, they answer below 500', async () => {
  const verbs = fc.constantFrom('faults', 'clock', 'issuers', 'snapshot', 'nonsense', '__proto__');
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
      verbs,
      fc.oneof(fc.json({ maxDepth: 3 }), fc.string()),
      async (method, verb, body) => {
        const response = await fetch(`${emulator.origin}/_emulator/${verb}`, {
          method,
          ...(method === 'GET' ? {} : { body }),
        });
        await response.arrayBuffer();
        expect(response.status).toBeLessThan(500);
        emulator.faults.clear();
        emulator.clock.reset();
      },
    ),
    runs,
  );
  emulator.reset();
});

/** What comes back for bytes that no HTTP client would send. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(emulator.origin).port), '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
    socket.end(text);
  });
}

test.each([
  '//evil.example/x',
  '/../../etc/passwd',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/%',
  '/%E0%A4%A/v2.0/.well-known/openid-configuration',
  `/${'a'.repeat(9000)}`,
  'http://other.example/',
])('the request target %s is answered, not crashed on', async (target) => {
  const answer = await raw(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 (200|400|404|501)/);
  expect(answer).not.toContain('root:');
});

test('a body that is too long is 413', async () => {
  const body = 'x'.repeat(5 * 1024 * 1024);
  const response = await fetch(`${emulator.origin}/_emulator/faults`, { method: 'POST', body });
  expect(response.status).toBe(413);
});

test('after all that it still works', async () => {
  expect((await (await adminGraph(emulator))('GET', '/users')).status).toBe(200);
});
