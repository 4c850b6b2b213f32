import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Emulator, shippedTenant, startEmulator } from '../../entra-emulator/main.ts';
import { adminGraph } from '../../entra-emulator/testing/graph.ts';
import { ConfigFault, readConfig } from '../config/config.ts';
import type { ManagedIdentity } from '../config/config-entra.ts';
import { Failure } from '../failure/errors.ts';
import { failureOf, identityWorld } from '../identity/identity.test-support.ts';
import { exchangeAudience, managedIdentityToken } from './managed-identity.ts';

const identityClientId = 'dddddddd-0000-4000-8000-000000000001';
const audience = 'api://AzureADTokenExchange';
const issuer = 'https://login.example/tenant/v2.0';
const subject = 'dddddddd-0000-4000-8000-000000000002';
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

let emulator: Emulator;
let azure: Server;
let origin: string;
/** What the endpoint was asked. */
let asked: IncomingMessage[] = [];
/** Answers in the place of the token, used up one by one. */
let instead: { status: number; body?: unknown; location?: string }[] = [];
let lasts = 86_400;

beforeAll(async () => {
  emulator = await startEmulator();
  emulator.trustIssuer(issuer, { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256' }] });
  azure = createServer((req, res) => {
    asked.push(req);
    const odd = instead.shift();
    const reply = (status: number, body: unknown, headers = {}) =>
      res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
    if (odd) return void reply(odd.status, odd.body ?? {}, odd.location ? { location: odd.location } : {});
    const { pathname, searchParams } = new URL(req.url ?? '', 'http://localhost');
    const isImds = pathname === '/metadata/identity/oauth2/token' && req.headers.metadata === 'true';
    const isAppService = pathname === '/msi/token' && req.headers['x-identity-header'] === 'only-azure-knows';
    if (!isImds && !isAppService) return void reply(400, { error: 'invalid_request' });
    if (searchParams.get('resource') !== audience) return void reply(400, { error: 'invalid_resource' });
    void tokenFor().then((access_token) => {
      const expires_on = String(Math.floor(emulator.clock.now() / 1000) + lasts);
      reply(200, { access_token, expires_on, resource: audience, token_type: 'Bearer' });
    });
  });
  await new Promise<void>((resolve) => azure.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(azure.address() as AddressInfo).port}`;
});
afterAll(async () => {
  azure.closeAllConnections();
  azure.close();
  await emulator.close();
});
beforeEach(() => {
  [asked, instead, lasts] = [[], [], 86_400];
});

function tokenFor(): Promise<string> {
  return new SignJWT()
    .setProtectedHeader({ alg: 'RS256', kid: 'k' })
    .setIssuer(issuer)
    .setSubject(subject)
    .setAudience(audience)
    .setExpirationTime(Math.floor(emulator.clock.now() / 1000) + lasts)
    .sign(privateKey);
}

const imds = (): ManagedIdentity => ({
  clientId: identityClientId,
  endpoint: `${origin}/metadata/identity/oauth2/token`,
  header: null,
});
const appService = (): ManagedIdentity => ({
  clientId: null,
  endpoint: `${origin}/msi/token`,
  header: 'only-azure-knows',
});
const tokens = (identity: ManagedIdentity) =>
  managedIdentityToken(identity, audience, { now: emulator.clock.now, pause: async () => {} });
const queries = () => asked.map(({ url }) => new URL(url ?? '', origin).searchParams);

async function causeOf(work: Promise<unknown>): Promise<string> {
  const failure = await work.catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Failure);
  expect((failure as Failure).code).toBe('identity_unavailable');
  return String(((failure as Failure).cause as Error).message);
}

test('people sign in and Graph answers with a managed identity in the place of a secret, once it is trusted', async () => {
  const world = await identityWorld(emulator, { clientSecret: '', managedIdentity: imds() });
  await expect(world.signIn(shippedTenant.accounts.user)).rejects.toThrow('AADSTS700211');
  const graph = await adminGraph(emulator);
  const { body } = await graph('GET', `/applications(appId='${emulator.clientId}')`);
  const added = await graph('POST', `/applications/${body.id}/federatedIdentityCredentials`, {
    ...{ name: 'identity', issuer, subject, audiences: [audience] },
  });
  expect(added.status).toBe(201);
  expect((await world.signIn(shippedTenant.accounts.user)).person.subject).toBe(
    shippedTenant.accounts.user.objectId,
  );
  const member = {
    kind: 'person',
    tenant: emulator.tenantId,
    subject: shippedTenant.accounts.manyGroups.objectId,
  } as const;
  expect(await world.memberships.of(world.trusted[0]!.provider, member)).toHaveLength(205);
  // One token serves sign-ins and Graph.
  expect(asked).toHaveLength(1);
  await world.database.close();
});

test('IMDS and App Service are each asked in their own way', async () => {
  expect(await tokens(imds())()).toMatch(/^eyJ/);
  expect(await tokens(appService())()).toMatch(/^eyJ/);
  const [first, second] = queries();
  expect([first?.get('api-version'), first?.get('client_id')]).toEqual(['2018-02-01', identityClientId]);
  expect([second?.get('api-version'), second?.get('client_id')]).toEqual(['2019-08-01', null]);
  expect(asked.map(({ method }) => method)).toEqual(['GET', 'GET']);
  expect(asked[1]?.headers.metadata).toBeUndefined();
});

test('a token is kept until shortly before its end, and asked for once at a time', async () => {
  lasts = 3600;
  const token = tokens(imds());
  const [one, two] = await Promise.all([token(), token()]);
  expect(one).toBe(two);
  await token();
  expect(asked).toHaveLength(1);
  emulator.clock.advance(3_400_000);
  await token();
  expect(asked).toHaveLength(2);
});

test('what passes is asked again, what does not is told with what Azure said', async () => {
  instead = [{ status: 429 }, { status: 503 }];
  expect(await tokens(imds())()).toMatch(/^eyJ/);
  expect(asked).toHaveLength(3);
  instead = [{ status: 500 }, { status: 500 }, { status: 500 }];
  expect(await causeOf(tokens(imds())())).toContain('answered 500');
  asked = [];
  instead = [{ status: 400, body: { error: 'invalid_request', error_description: 'Identity not found' } }];
  expect(await causeOf(tokens(imds())())).toBe(
    'the managed identity endpoint answered 400: invalid_request: Identity not found',
  );
  expect(asked).toHaveLength(1);
  instead = [{ status: 200, body: { expires_on: '1' } }];
  expect(await causeOf(tokens(imds())())).toContain('200 without a token');
});

test('a redirect is not followed, and the header of App Service goes nowhere else', async () => {
  instead = [{ status: 302, location: `${origin}/msi/token?elsewhere` }];
  expect(await causeOf(tokens(appService())())).toContain('answered 302');
  expect(asked).toHaveLength(1);
});

test('the audience follows the cloud', () => {
  expect(exchangeAudience('https://login.microsoftonline.com')).toBe('api://AzureADTokenExchange');
  expect(exchangeAudience('https://login.microsoftonline.us')).toBe('api://AzureADTokenExchangeUSGov');
  expect(exchangeAudience('https://login.partner.microsoftonline.cn')).toBe(
    'api://AzureADTokenExchangeChina',
  );
});

test('without an endpoint nobody signs in, and the failure names the setting', async () => {
  const nowhere = { ...imds(), endpoint: 'http://127.0.0.1:1/token' };
  const world = await identityWorld(emulator, { clientSecret: '', managedIdentity: nowhere });
  expect(await failureOf(world.signIn(shippedTenant.accounts.user))).toBe('identity_unavailable');
  await world.database.close();
});

const production = {
  AUTH_PROVIDER: 'entra',
  ENTRA_TENANT_ID: '12345678-1234-1234-1234-123456789012',
  ENTRA_CLIENT_ID: '87654321-4321-4321-4321-210987654321',
  SECRET_KEY: '3f6c1c0d9e8b7a6f5e4d3c2b1a0f9e8d',
  REGISTRY_URL: 'https://gateway.example.com',
};
const read = (more: Record<string, string>) => readConfig({ ...production, ...more }, '/').entra;
const azureSets = { IDENTITY_ENDPOINT: 'http://169.254.129.3:8081/msi/token', IDENTITY_HEADER: 'h' };

test('the settings say whom to ask: IMDS, or what Azure sets', () => {
  expect(read({ ENTRA_MANAGED_IDENTITY: 'system' })?.managedIdentity).toEqual({
    clientId: null,
    endpoint: 'http://169.254.169.254/metadata/identity/oauth2/token',
    header: null,
  });
  expect(read({ ENTRA_MANAGED_IDENTITY: identityClientId, ...azureSets })?.managedIdentity).toEqual({
    clientId: identityClientId,
    endpoint: azureSets.IDENTITY_ENDPOINT,
    header: 'h',
  });
  // Azure sets its two variables also where the gateway uses a secret.
  expect(read({ ENTRA_CLIENT_SECRET: 's', ...azureSets })?.managedIdentity).toBeUndefined();
});

test.each([
  [{ ENTRA_CLIENT_SECRET: 's' }, 'ENTRA_CLIENT_SECRET, ENTRA_MANAGED_IDENTITY: set only one of them'],
  [
    { ENTRA_CLIENT_CERTIFICATE_PATH: 'c.pem' },
    'ENTRA_CLIENT_CERTIFICATE_PATH, ENTRA_MANAGED_IDENTITY: set only one',
  ],
  [{ ENTRA_FEDERATED_TOKEN_FILE: 't' }, 'ENTRA_FEDERATED_TOKEN_FILE, ENTRA_MANAGED_IDENTITY: set only one'],
  [{ ENTRA_CLIENT_CERTIFICATE_KEY_PATH: 'k.pem' }, 'ENTRA_CLIENT_CERTIFICATE_KEY_PATH: is set although'],
  [{ ENTRA_MANAGED_IDENTITY: 'my-identity' }, "ENTRA_MANAGED_IDENTITY: 'my-identity' is not a GUID"],
  [{ IDENTITY_HEADER: 'h' }, 'IDENTITY_ENDPOINT: is missing although'],
  [{ IDENTITY_ENDPOINT: azureSets.IDENTITY_ENDPOINT }, 'IDENTITY_HEADER: is missing although'],
  [
    { ...azureSets, IDENTITY_ENDPOINT: 'http://elsewhere.example/token' },
    'IDENTITY_ENDPOINT: must be an http://',
  ],
  [{ ...azureSets, IDENTITY_ENDPOINT: 'http://10.1.2.3/token' }, 'IDENTITY_ENDPOINT: must be an http://'],
])('%j is refused beside a managed identity', (more, fault) => {
  try {
    read({ ENTRA_MANAGED_IDENTITY: 'system', ...more });
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigFault);
    expect((error as ConfigFault).faults.join('\n')).toContain(fault);
  }
});
