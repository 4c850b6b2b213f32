import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { exportJWK, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { makeCertificate } from '../keys/certificate.ts';
import { type Emulator, shippedTenant, startEmulator } from '../main.ts';
import { claimsOf } from '../testing/browser.ts';
import { adminGraph } from '../testing/graph.ts';
import { askToken } from '../testing/sign-in.ts';

const { clientId, clientSecret } = shippedTenant.agents.admin;
const scope = `${shippedTenant.appIdUri}/.default`;
const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
const certificate = makeCertificate({
  subject: 'agent',
  publicKey: keys.publicKey,
  signWith: keys.privateKey,
  from: new Date('2025-01-01'),
  to: new Date('2035-01-01'),
});

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterEach(() => emulator.reset());
afterAll(() => emulator.close());

async function register(): Promise<void> {
  const graph = await adminGraph(emulator);
  const keyCredentials = [
    { type: 'AsymmetricX509Cert', usage: 'Verify', key: certificate.toString('base64') },
  ];
  const { status } = await graph('PATCH', `/applications(appId='${clientId}')`, { keyCredentials });
  if (status !== 204) throw new Error('the certificate was not accepted');
}

type Change = {
  claims?: Record<string, unknown>;
  alg?: string;
  key?: KeyObject;
  header?: Record<string, unknown>;
};

function assertion({
  claims = {},
  alg = 'PS256',
  key = keys.privateKey,
  header,
}: Change = {}): Promise<string> {
  const now = Math.floor(emulator.clock.now() / 1000);
  return new SignJWT({
    iss: clientId,
    sub: clientId,
    aud: `${emulator.origin}/${emulator.tenantId}/oauth2/v2.0/token`,
    jti: crypto.randomUUID(),
    nbf: now,
    exp: now + 600,
    ...claims,
  })
    .setProtectedHeader({
      alg,
      typ: 'JWT',
      ...(header ?? { 'x5t#S256': createHash('sha256').update(certificate).digest('base64url') }),
    })
    .sign(key);
}

const ask = (client_assertion: string) =>
  askToken(emulator, {
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: '',
    scope,
    client_assertion,
    client_assertion_type,
  });

test.each(['PS256', 'RS256'])(
  'a certificate assertion signed with %s is accepted, and the token says so',
  async (alg) => {
    await register();
    const { status, body } = await ask(await assertion({ alg }));
    expect(status).toBe(200);
    expect(claimsOf(body.access_token).azpacr).toBe('2');
  },
);

test('the SHA-1 thumbprint is accepted as well', async () => {
  await register();
  const x5t = createHash('sha1').update(certificate).digest('base64url');
  expect((await ask(await assertion({ header: { x5t } }))).status).toBe(200);
});

test.each([
  ['another audience', { claims: { aud: 'https://elsewhere.example' } }, 700027],
  ['another subject', { claims: { sub: 'somebody' } }, 700027],
  ['a signature of another key', { key: stranger.privateKey }, 700027],
  ['an unknown thumbprint', { header: { 'x5t#S256': 'AAAA' } }, 700027],
  ['an expiry in the past', { claims: { nbf: 1, exp: 2 } }, 700024],
  ['no expiry', { claims: { exp: undefined } }, 700027],
])('a certificate assertion with %s is refused', async (_what, change, code) => {
  await register();
  const { status, body } = await ask(await assertion(change as Change));
  expect(status).toBe(401);
  expect(body).toMatchObject({ error: 'invalid_client', error_codes: [code] });
});

test('an assertion works once', async () => {
  await register();
  const same = await assertion();
  expect((await ask(same)).status).toBe(200);
  expect((await ask(same)).body.error_codes).toEqual([700027]);
});

test('without a registered certificate the assertion is AADSTS700027, and nonsense AADSTS50013', async () => {
  expect((await ask(await assertion())).body.error_codes).toEqual([700027]);
  expect((await ask('nonsense')).body.error_codes).toEqual([50013]);
});

const federated = {
  iss: 'https://token.ci.example',
  sub: 'repo:o/r:environment:E',
  aud: 'api://AzureADTokenExchange',
};

async function federate(): Promise<void> {
  const graph = await adminGraph(emulator);
  const body = { name: 'ci', issuer: federated.iss, subject: federated.sub, audiences: [federated.aud] };
  const { status } = await graph(
    'POST',
    `/applications(appId='${clientId}')/federatedIdentityCredentials`,
    body,
  );
  if (status !== 201) throw new Error('the credential was not accepted');
  emulator.trustIssuer(federated.iss, { keys: [{ ...(await exportJWK(stranger.publicKey)), kid: 'ci' }] });
}

const foreign = (claims: Record<string, unknown> = {}) =>
  assertion({
    alg: 'RS256',
    key: stranger.privateKey,
    header: { kid: 'ci' },
    claims: { ...federated, ...claims },
  });

test('a federated credential trades a foreign token for one of ours', async () => {
  await federate();
  const { status, body } = await ask(await foreign());
  expect(status).toBe(200);
  expect(claimsOf(body.access_token)).toMatchObject({ azp: clientId, azpacr: '2' });
});

test.each([
  ['issuer', { iss: 'https://other.example' }, 700211],
  ['subject', { sub: 'repo:o/r:ref:refs/heads/main' }, 700213],
  ['audience', { aud: 'api://other' }, 700212],
])('a federated token whose %s does not match literally is refused', async (_what, claims, code) => {
  await federate();
  expect((await ask(await foreign(claims))).body.error_codes).toEqual([code]);
});

test('a federated token with a wrong signature is refused', async () => {
  await federate();
  const forged = await assertion({
    alg: 'RS256',
    key: keys.privateKey,
    header: { kid: 'ci' },
    claims: federated,
  });
  expect((await ask(forged)).status).toBe(401);
});

test('addKey needs a proof made with a key that is there', async () => {
  await register();
  const graph = await adminGraph(emulator);
  const path = `/applications(appId='${clientId}')`;
  const { id } = (await graph('GET', `${path}?$select=id`)).body;
  const proof = (key: KeyObject) =>
    assertion({ alg: 'RS256', key, claims: { iss: id, aud: '00000002-0000-0000-c000-000000000000' } });
  const body = {
    keyCredential: { type: 'AsymmetricX509Cert', usage: 'Verify', key: certificate.toString('base64') },
    passwordCredential: null,
  };
  const added = await graph('POST', `${path}/addKey`, { ...body, proof: await proof(keys.privateKey) });
  expect(added.status).toBe(200);
  expect(added.body.key).toBeNull();
  expect(
    (await graph('POST', `${path}/addKey`, { ...body, proof: await proof(stranger.privateKey) })).status,
  ).toBe(401);
  const removed = await graph('POST', `${path}/removeKey`, {
    keyId: added.body.keyId,
    proof: await proof(keys.privateKey),
  });
  expect(removed.status).toBe(204);
});

test('a secret still works beside a certificate', async () => {
  await register();
  const secret = {
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    scope,
  };
  expect((await askToken(emulator, secret)).status).toBe(200);
});
