import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeCertificate, toPem } from '../../entra-emulator/keys/certificate.ts';
import { type Emulator, shippedTenant, startEmulator } from '../../entra-emulator/main.ts';
import { adminGraph } from '../../entra-emulator/testing/graph.ts';
import { ConfigFault, readConfig } from '../config/config.ts';
import { failureOf, identityWorld } from '../identity/identity.test-support.ts';

const { accounts } = shippedTenant;
const directory = mkdtempSync(join(tmpdir(), 'gateway-credential-'));
let emulator: Emulator;

beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(async () => {
  await emulator.close();
  rmSync(directory, { recursive: true });
});

/** A self-signed certificate and its key as PEM files. */
function makeFiles(name: string): { path: string; keyPath: string; der: Buffer } {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const now = emulator.clock.now();
  const validity = { from: new Date(now - 86_400_000), to: new Date(now + 86_400_000) };
  const der = makeCertificate({ subject: name, publicKey, signWith: privateKey, ...validity });
  const [path, keyPath] = [join(directory, `${name}.pem`), join(directory, `${name}.key`)];
  writeFileSync(path, toPem(der));
  writeFileSync(keyPath, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return { path, keyPath, der };
}

async function objectIdOfGateway(graph: Awaited<ReturnType<typeof adminGraph>>): Promise<string> {
  const { body } = await graph('GET', `/applications(appId='${emulator.clientId}')`);
  return String((body as { id: string }).id);
}

test('with a certificate people sign in, sessions refresh and Graph answers; a renewed file needs no restart', async () => {
  const graph = await adminGraph(emulator);
  const id = await objectIdOfGateway(graph);
  const register = (der: Buffer) =>
    graph('PATCH', `/applications/${id}`, {
      keyCredentials: [{ type: 'AsymmetricX509Cert', usage: 'Verify', key: der.toString('base64') }],
    });
  const files = makeFiles('one');
  await register(files.der);
  const world = await identityWorld(emulator, { clientSecret: '', certificate: files });
  const session = await world.open(accounts.user);
  emulator.clock.advance(700_000);
  expect((await world.sessions.resume(session))?.groups).toEqual([shippedTenant.groups.users]);
  const member = {
    kind: 'person',
    tenant: emulator.tenantId,
    subject: accounts.manyGroups.objectId,
  } as const;
  const provider = world.trusted[0]!.provider;
  expect(await world.memberships.of(provider, member)).toHaveLength(205);

  const renewed = makeFiles('two');
  await register(renewed.der);
  expect(await failureOf(world.signIn(accounts.user))).toBe('sign_in_refused');
  const { readFileSync } = await import('node:fs');
  writeFileSync(files.path, readFileSync(renewed.path));
  writeFileSync(files.keyPath, readFileSync(renewed.keyPath));
  expect((await world.signIn(accounts.user)).person.subject).toBe(accounts.user.objectId);
  await world.database.close();
});

test('a federated token takes the place of the secret, and is read at each use', async () => {
  const graph = await adminGraph(emulator);
  const issuer = 'https://cluster.example';
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  emulator.trustIssuer(issuer, { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256' }] });
  await graph('POST', `/applications/${await objectIdOfGateway(graph)}/federatedIdentityCredentials`, {
    name: 'cluster',
    issuer,
    subject: 'system:serviceaccount:mcp:gateway',
    audiences: ['api://AzureADTokenExchange'],
  });
  const file = join(directory, 'token');
  const write = async (subject: string) => {
    const seconds = Math.floor(emulator.clock.now() / 1000);
    const token = await new SignJWT()
      .setProtectedHeader({ alg: 'RS256', kid: 'k' })
      .setIssuer(issuer)
      .setSubject(subject)
      .setAudience('api://AzureADTokenExchange')
      .setExpirationTime(seconds + 600)
      .sign(privateKey);
    writeFileSync(file, `${token}\n`);
  };
  await write('system:serviceaccount:mcp:other');
  const world = await identityWorld(emulator, { clientSecret: '', federatedTokenFile: file });
  await expect(world.signIn(accounts.user)).rejects.toThrow('AADSTS700213');
  await write('system:serviceaccount:mcp:gateway');
  expect((await world.signIn(accounts.user)).person.subject).toBe(accounts.user.objectId);
  rmSync(file);
  expect(await failureOf(world.signIn(accounts.user))).toBe('identity_unavailable');
  await world.database.close();
});

const production = {
  AUTH_PROVIDER: 'entra',
  ENTRA_TENANT_ID: '12345678-1234-1234-1234-123456789012',
  ENTRA_CLIENT_ID: '87654321-4321-4321-4321-210987654321',
  SECRET_KEY: '3f6c1c0d9e8b7a6f5e4d3c2b1a0f9e8d',
  REGISTRY_URL: 'https://gateway.example.com',
};
const read = (more: Record<string, string>) => readConfig({ ...production, ...more }, directory).entra;
const faultsOf = (more: Record<string, string>): string => {
  try {
    read(more);
    return '';
  } catch (error) {
    return error instanceof ConfigFault ? error.faults.join('\n') : String(error);
  }
};

test('the settings take exactly one credential, and look at its files at start', () => {
  const [one, other] = [makeFiles('three'), makeFiles('four')];
  const certificate = {
    ENTRA_CLIENT_CERTIFICATE_PATH: 'three.pem',
    ENTRA_CLIENT_CERTIFICATE_KEY_PATH: one.keyPath,
  };
  expect(read(certificate)?.certificate).toEqual({ path: one.path, keyPath: one.keyPath });
  expect(faultsOf({})).toContain('ENTRA_CLIENT_SECRET: is missing');
  expect(faultsOf({ ...certificate, ENTRA_CLIENT_SECRET: 's' })).toContain('set only one of them');
  expect(faultsOf({ ...certificate, ENTRA_CLIENT_CERTIFICATE_KEY_PATH: other.keyPath })).toContain('fits');
  expect(faultsOf({ ENTRA_CLIENT_CERTIFICATE_PATH: 'none.pem' })).toContain('ENOENT');
  const plain = { ENTRA_CLIENT_SECRET: 's', ENTRA_GRAPH_BASE_URL: 'http://graph.example' };
  expect(faultsOf(plain)).toContain('ENTRA_GRAPH_BASE_URL: must be https');
  expect(faultsOf({ ENTRA_FEDERATED_TOKEN_FILE: 'none' })).toContain('ENTRA_FEDERATED_TOKEN_FILE');
});

test.each([
  [{}, 'https://login.microsoftonline.com', 'https://graph.microsoft.com'],
  [{ ENTRA_CLOUD: 'usgov' }, 'https://login.microsoftonline.us', 'https://graph.microsoft.us'],
  [{ ENTRA_CLOUD: 'usgov-dod' }, 'https://login.microsoftonline.us', 'https://dod-graph.microsoft.us'],
  [
    { ENTRA_CLOUD: 'china' },
    'https://login.partner.microsoftonline.cn',
    'https://microsoftgraph.chinacloudapi.cn',
  ],
  [
    { ENTRA_LOGIN_BASE_URL: 'https://login.microsoftonline.us' },
    'https://login.microsoftonline.us',
    'https://graph.microsoft.us',
  ],
  [
    { ENTRA_CLOUD: 'china', ENTRA_GRAPH_BASE_URL: 'https://graph.example' },
    'https://login.partner.microsoftonline.cn',
    'https://graph.example',
  ],
])('%j is signed in at %s and asks %s', (given, loginBaseUrl, graphBaseUrl) => {
  expect(read({ ENTRA_CLIENT_SECRET: 's', ...given })).toMatchObject({ loginBaseUrl, graphBaseUrl });
});
