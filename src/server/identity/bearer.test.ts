import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { errors, exportJWK, SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OpenDatabase, openMemory } from '../db/open.ts';
import { Failure } from '../failure/errors.ts';
import { createOidcClients } from '../provider/oidc.ts';
import { explained, identityOfBearer, type TrustedProvider, trust } from './bearer.ts';
import { type CompleteGroups, createCompleteGroups } from './groups/groups.ts';
import { createMemberships } from './groups/memberships.ts';
import { entra } from './providers/entra.ts';

const tenantId = '12345678-1234-1234-1234-123456789012';
const clientId = '87654321-4321-4321-4321-210987654321';
const base = 'https://login.example';
const v2 = `${base}/${tenantId}/v2.0`;
const v1 = `https://sts.example/${tenantId}/`;
const start = Date.parse('2026-11-01T12:00:00Z');

const keys = Object.fromEntries(
  ['one', 'two', 'foreign'].map((kid) => [kid, generateKeyPairSync('rsa', { modulusLength: 2048 })]),
);

/** A key server whose keys, and whether it answers, the test decides; it counts the fetches of keys. */
const server = { published: ['one'], up: true, keyFetches: 0 };
let now = start;
let trusted: TrustedProvider[];
let completeGroups: CompleteGroups;
let database: OpenDatabase;

const send = async (input: string | URL | Request): Promise<Response> => {
  const url = String(input);
  if (!server.up) throw new TypeError('fetch failed');
  if (url.endsWith('/v2.0/.well-known/openid-configuration'))
    return Response.json({ issuer: v2, jwks_uri: `${base}/keys` });
  if (url.endsWith('/.well-known/openid-configuration'))
    return Response.json({ issuer: v1, jwks_uri: `${base}/keys-of-v1` });
  if (url === `${base}/keys`) server.keyFetches += 1;
  const published = await Promise.all(
    server.published.map(async (kid) => ({ ...(await exportJWK(keys[kid]!.publicKey)), kid, use: 'sig' })),
  );
  return Response.json({ keys: published });
};

beforeEach(async () => {
  Object.assign(server, { published: ['one'], up: true, keyFetches: 0 });
  now = start;
  const config = {
    tenantId,
    clientId,
    clientSecret: 's',
    redirectUri: 'http://localhost/auth/callback',
    loginBaseUrl: base,
    graphBaseUrl: 'https://graph.example',
    applicationIdUri: null,
    groupAdminId: null,
    groupUsersId: null,
  };
  trusted = [trust(entra(config), send as typeof fetch, () => now)];
  database = await openMemory();
  const reads = { fetch: send as typeof fetch, now: () => now, maxAge: 0, grace: 0 };
  const memberships = createMemberships({ ...reads, clients: createOidcClients(reads.fetch, reads.now) });
  completeGroups = createCompleteGroups({ db: database.db, memberships });
});
afterEach(() => database.close());

const person = {
  iss: v2,
  aud: clientId,
  tid: tenantId,
  oid: 'a11ce000-0000-4000-8000-000000000001',
  sub: 'pairwise',
  azp: clientId,
  scp: 'access_as_user',
  preferred_username: 'alice@contoso.example',
  groups: ['g1'],
  ver: '2.0',
};
const agent = {
  iss: v1,
  aud: `api://${clientId}`,
  tid: tenantId,
  oid: 'sp',
  sub: 'sp',
  appid: 'agent-client',
  groups: ['g2'],
  roles: ['Gateway.Invoke'],
  ver: '1.0',
};

function sign(
  claims: Record<string, unknown>,
  key: KeyObject = keys.one!.privateKey,
  kid = 'one',
): Promise<string> {
  const seconds = Math.floor(now / 1000);
  return new SignJWT({ iat: seconds - 300, nbf: seconds - 300, exp: seconds + 3600, ...claims })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid })
    .sign(key);
}

const identityOf = (token: string) =>
  identityOfBearer(token, { trusted, completeGroups, cutoffOf: async () => undefined, now: () => now });
const codeOf = async (token: string): Promise<string> => {
  const error = await identityOf(token).catch((caught: unknown) => caught);
  return error instanceof Failure ? error.code : `no failure: ${JSON.stringify(error)}`;
};

test('a token for Graph is named as one although its signature cannot be verified', async () => {
  for (const aud of ['https://graph.microsoft.com', '00000003-0000-0000-c000-000000000000']) {
    const token = await sign({ ...person, aud });
    const broken = `${token.slice(0, -6)}AAAAAA`;
    for (const one of [token, broken])
      await expect(identityOf(one)).rejects.toThrow(/token for Microsoft Graph. Ask for scope/);
  }
  await expect(identityOf(`${(await sign(person)).slice(0, -6)}AAAAAA`)).rejects.toThrow(
    /cannot be verified/,
  );
});

test('a group that is called like an app role is not one', async () => {
  const groups = ['role:Gateway.Admin', 'ROLE:x', ' role:y', 'g1', 'roles'];
  const { groups: held } = await identityOf(await sign({ ...person, groups, roles: ['Reader'] }));
  expect(held).toEqual(['g1', 'roles', 'role:Reader']);
});

test('a v2.0 token of a person is that person by oid, with groups', async () => {
  expect(await identityOf(await sign(person))).toMatchObject({
    kind: 'person',
    subject: person.oid,
    username: 'alice@contoso.example',
    clientId,
    groups: ['g1'],
  });
});

test('a v1.0 application token is an agent by appid; app roles have a namespace of their own', async () => {
  expect(await identityOf(await sign(agent))).toMatchObject({
    kind: 'agent',
    subject: 'sp',
    username: 'agent-client',
    clientId: 'agent-client',
    groups: ['g2', 'role:Gateway.Invoke'],
  });
});

test.each([
  ['the client id', clientId],
  ['the App ID URI', `api://${clientId}`],
  ['the App ID URI with a slash', `api://${clientId}/`],
])('the audience may be %s', async (_, aud) => {
  expect((await identityOf(await sign({ ...person, aud }))).subject).toBe(person.oid);
});

test.each([
  ['another audience', { ...person, aud: 'api://other' }],
  ['a Graph token', { ...person, aud: '00000003-0000-0000-c000-000000000000' }],
  ['no audience', { ...person, aud: undefined }],
  ['another tenant', { ...person, tid: '99999999-1234-1234-1234-123456789012' }],
  ['another issuer', { ...person, iss: `${base}/other/v2.0` }],
  ['no issuer', { ...person, iss: undefined }],
  ['an ID token', { ...person, nonce: 'n' }],
  ['neither scope nor application', { ...person, scp: undefined }],
  ['no client', { ...person, azp: undefined }],
  ['no oid', { ...person, oid: undefined }],
  ['not yet valid', { ...person, nbf: Math.floor(start / 1000) + 600 }],
])('refused: %s', async (_, claims) => {
  expect(await codeOf(await sign(claims))).toBe('credential_invalid');
});

test('an expired token is told apart, with a minute of grace', async () => {
  const token = await sign({ ...person, exp: Math.floor(start / 1000) });
  now = start + 30_000;
  expect((await identityOf(token)).subject).toBe(person.oid);
  now = start + 61_000;
  expect(await codeOf(token)).toBe('credential_expired');
});

test('alg none, HS256 with the public key, a foreign key and garbage are refused', async () => {
  const seconds = Math.floor(now / 1000);
  const unsigned = new UnsecuredJWT({ ...person, exp: seconds + 60 }).encode();
  const publicPem = keys.one!.publicKey.export({ type: 'spki', format: 'pem' });
  const confused = await new SignJWT({ ...person, exp: seconds + 60 })
    .setProtectedHeader({ alg: 'HS256', kid: 'one' })
    .sign(new TextEncoder().encode(String(publicPem)));
  const foreign = await sign(person, keys.foreign!.privateKey);
  for (const token of [unsigned, confused, foreign, 'garbage', 'a.b.c', ''])
    expect(await codeOf(token)).toBe('credential_invalid');
});

test('an overage is an error of its own, never an identity without groups', async () => {
  expect(await codeOf(await sign({ ...person, groups: undefined, _claim_names: { groups: 'src1' } }))).toBe(
    'groups_unavailable',
  );
});

test('a new key is found by one fetch; unknown key ids cannot cause more', async () => {
  await identityOf(await sign(person));
  expect(server.keyFetches).toBe(1);
  server.published = ['one', 'two'];
  await identityOf(await sign(person, keys.two!.privateKey, 'two'));
  expect(server.keyFetches).toBe(2);
  for (let tries = 0; tries < 10; tries++)
    expect(await codeOf(await sign(person, keys.foreign!.privateKey, `made-up-${tries}`))).toBe(
      'credential_invalid',
    );
  expect(server.keyFetches).toBe(2);
  now += 5 * 60_000;
  await codeOf(await sign(person, keys.foreign!.privateKey, 'made-up'));
  expect(server.keyFetches).toBe(3);
});

test('while the key server is away, known keys go on and unknown ones are "could not tell"', async () => {
  await identityOf(await sign(person));
  server.up = false;
  now += 2 * 3_600_000;
  expect((await identityOf(await sign(person))).subject).toBe(person.oid);
  expect(await codeOf(await sign(person, keys.two!.privateKey, 'two'))).toBe('identity_unavailable');
});

test('a key server that was away is asked again, after a pause', async () => {
  server.up = false;
  expect(await codeOf(await sign(person))).toBe('identity_unavailable');
  server.up = true;
  expect(await codeOf(await sign(person))).toBe('identity_unavailable');
  now += 5_000;
  expect((await identityOf(await sign(person))).subject).toBe(person.oid);
});

test('one issuer that cannot be asked does not stop tokens of the other', async () => {
  const onlyV2 = async (input: string | URL | Request): Promise<Response> =>
    String(input).endsWith(`${tenantId}/.well-known/openid-configuration`)
      ? new Response(null, { status: 500 })
      : send(input);
  trusted = trusted.map(({ provider }) => trust(provider, onlyV2 as typeof fetch, () => now));
  expect((await identityOf(await sign(person))).subject).toBe(person.oid);
  expect(await codeOf(await sign(agent))).toBe('identity_unavailable');
});

test('a token of the future is refused with the clocks as the reason', () => {
  const early = new errors.JWTClaimValidationFailed(
    '"nbf" claim timestamp check failed',
    {},
    'nbf',
    'check_failed',
  );
  expect(explained(early).message).toMatch(/by the clock of the gateway it is not valid yet.*NTP/);
  const foreign = new errors.JWTClaimValidationFailed('unexpected "aud"', {}, 'aud', 'check_failed');
  expect(explained(foreign).message).toBe("The token cannot be verified (claim 'aud').");
});
