import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Emulator, shippedTenant, startEmulator } from '../main.ts';
import { claimsOf, jsonBody } from '../testing/browser.ts';
import { adminGraph, eventual } from '../testing/graph.ts';
import { askAgentToken, askToken, signIn, signInForTokens } from '../testing/sign-in.ts';
import { faultKinds } from './fault-kinds.ts';

const { accounts, agents, groups } = shippedTenant;
const pauses: number[] = [];
/** A latency that nobody sits out. */
const endless = 1e9;
let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator({
    pause: (milliseconds) => {
      pauses.push(milliseconds);
      return milliseconds === endless ? new Promise(() => undefined) : Promise.resolve();
    },
  });
});
afterEach(() => emulator.reset());
afterAll(() => emulator.close());

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${emulator.origin}/_emulator/${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text ? JSON.parse(text) : undefined };
}

/** Asks for a fault as somebody outside the process does. */
async function fault(kind: string, settings: Record<string, unknown> = {}): Promise<void> {
  const { status, body } = await ask('POST', 'faults', { kind, ...settings });
  if (status !== 201) throw new Error(JSON.stringify(body));
}

const keysUrl = () => new URL(`${emulator.origin}/${emulator.tenantId}/discovery/v2.0/keys`);
const verify = (token: unknown) => jwtVerify(String(token), createRemoteJWKSet(keysUrl()));

/** One test for each kind of fault: what a client sees of it. */
const seen: Record<keyof typeof faultKinds, () => Promise<void>> = {
  aadsts: async () => {
    await fault('aadsts', { code: 50076, path: 'token', claims: '{"access_token":{}}' });
    const { body } = await askAgentToken(emulator, agents.admin);
    expect(body).toMatchObject({
      error: 'invalid_grant',
      suberror: 'basic_action',
      claims: '{"access_token":{}}',
    });
    await fault('aadsts', { code: 53003, path: 'authorize' });
    const answer = await signIn(emulator);
    expect(answer.get('error')).toBe('access_denied');
  },
  binDelay: async () => {
    const graph = await adminGraph(emulator);
    const { id } = (await graph('POST', '/applications', { displayName: 'short-lived' })).body;
    await fault('binDelay', { milliseconds: 60_000 });
    await graph('DELETE', `/applications/${id}`);
    expect((await graph('GET', `/directory/deletedItems/${id}`)).status).toBe(404);
    emulator.clock.advance(60_001);
    expect((await graph('GET', `/directory/deletedItems/${id}`)).status).toBe(200);
  },
  throttle: async () => {
    const graph = await adminGraph(emulator);
    await fault('throttle', { path: '/graph/v1.0/groups', retryAfterSeconds: 7, times: 1 });
    const answer = await graph('GET', '/groups');
    expect(answer.status).toBe(429);
    expect(answer.headers.get('retry-after')).toBe('7');
    expect(answer.body.error.code).toBe('TooManyRequests');
    expect((await graph('GET', '/groups')).status).toBe(200);
  },
  status: async () => {
    const graph = await adminGraph(emulator);
    await fault('status', { status: 503, path: '/graph/', times: 1 });
    expect((await graph('GET', '/groups')).body.error.code).toBe('ServiceUnavailable');
    await fault('status', { status: 502, path: '/token', times: 1 });
    expect((await askAgentToken(emulator, agents.admin)).status).toBe(502);
  },
  latency: async () => {
    await fault('latency', { milliseconds: 1234, path: '/token', appId: agents.admin.clientId, times: 1 });
    await askAgentToken(emulator, agents.user);
    expect(pauses).toEqual([]);
    await askAgentToken(emulator, agents.admin);
    expect(pauses).toEqual([1234]);
    // Who waits goes on when the fault is removed: a test needs no guess of how long it takes.
    await fault('latency', { milliseconds: endless, path: '/token', times: 1 });
    const waiting = askAgentToken(emulator, agents.admin);
    await expect.poll(() => pauses).toContain(endless);
    await ask('DELETE', 'faults');
    expect((await waiting).status).toBe(200);
  },
  replicationDelay: async () => {
    await fault('replicationDelay', { milliseconds: 5000 });
    const graph = await adminGraph(emulator);
    const { body: application } = await graph('POST', '/applications', { displayName: 'new' });
    expect((await graph('GET', `/applications/${application.id}`)).status).toBe(404);
    const early = await graph('POST', '/servicePrincipals', { appId: application.appId });
    expect(early.status).toBe(400);
    expect(early.body.error.details[0].code).toBe('NoBackingApplicationObject');
    emulator.clock.advance(5000);
    const { body: principal } = await graph('POST', '/servicePrincipals', { appId: application.appId });
    const member = { '@odata.id': `${emulator.graphOrigin}/v1.0/directoryObjects/${principal.id}` };
    const path = `/groups/${groups.users}/members/$ref`;
    expect((await graph('POST', path, member)).status).toBe(404);
    const { secretText } = (await graph('POST', `/applications/${application.id}/addPassword`, {})).body;
    const client = { clientId: application.appId, clientSecret: secretText };
    expect((await askAgentToken(emulator, client)).body.error_codes).toEqual([700016]);
    emulator.clock.advance(5000);
    expect((await graph('POST', path, member)).status).toBe(204);
    expect((await askAgentToken(emulator, client)).status).toBe(200);
  },
  secretDelay: async () => {
    await fault('secretDelay', { milliseconds: 3000 });
    const graph = await adminGraph(emulator);
    const path = `/applications(appId='${agents.user.clientId}')/addPassword`;
    const { secretText } = (await graph('POST', path, {})).body;
    const client = { clientId: agents.user.clientId, clientSecret: secretText };
    expect((await askAgentToken(emulator, client)).body.error_codes).toEqual([7000215]);
    emulator.clock.advance(3000);
    expect((await askAgentToken(emulator, client)).status).toBe(200);
  },
  keyRoll: async () => {
    const other = await startEmulator();
    const token = async () => String((await askAgentToken(other, agents.admin)).body.access_token);
    const kids = async () => {
      const { keys } = await jsonBody(await fetch(`${other.origin}/${other.tenantId}/discovery/v2.0/keys`));
      return keys.map(({ kid }: { kid: string }) => kid);
    };
    const roll = (how: string) =>
      fetch(`${other.origin}/_emulator/faults`, {
        method: 'POST',
        body: JSON.stringify({ kind: 'keyRoll', how }),
      });
    const [first, announced] = [decodeProtectedHeader(await token()).kid, await kids()];
    expect(announced).toContain(first);
    await roll('normal');
    const second = decodeProtectedHeader(await token()).kid;
    expect(announced).toContain(second);
    expect(await kids()).toEqual(expect.arrayContaining([first, second]));
    await roll('emergency');
    const third = decodeProtectedHeader(await token()).kid;
    expect(await kids()).toContain(third);
    expect(await kids()).not.toContain(second);
    await roll('unpublished');
    expect(await kids()).not.toContain(decodeProtectedHeader(await token()).kid);
    await other.close();
  },
  ownKeys: async () => {
    await fault('ownKeys', { appId: emulator.clientId });
    const { id_token, access_token } = await signInForTokens(emulator, accounts.user, {
      scope: `openid ${emulator.clientId}/.default`,
    });
    for (const token of [id_token, access_token]) {
      await expect(verify(token)).rejects.toThrow('no applicable key');
      const document = `${emulator.origin}/${emulator.tenantId}/v2.0/.well-known/openid-configuration`;
      const { jwks_uri } = await jsonBody(await fetch(`${document}?appid=${emulator.clientId}`));
      expect(jwks_uri).toBe(`${keysUrl()}?appid=${emulator.clientId}`);
      expect(await jwtVerify(String(token), createRemoteJWKSet(new URL(jwks_uri)))).toBeDefined();
    }
  },
  jwksOutage: async () => {
    await fault('jwksOutage', { status: 503 });
    expect((await fetch(keysUrl())).status).toBe(503);
  },
  wrongIssuer: async () => {
    await fault('wrongIssuer', { issuer: 'https://other.example/', times: 1 });
    expect(claimsOf((await askAgentToken(emulator, agents.admin)).body.access_token).iss).toBe(
      'https://other.example/',
    );
  },
  clockSkew: async () => {
    await fault('clockSkew', { seconds: 3600 });
    const { body } = await askAgentToken(emulator, agents.admin);
    await expect(verify(body.access_token)).rejects.toThrow('"nbf"');
  },
  nonceMismatch: async () => {
    await fault('nonceMismatch');
    expect(claimsOf((await signInForTokens(emulator)).id_token).nonce).toBe('not-some-nonce');
  },
  overageThreshold: async () => {
    await fault('overageThreshold', { groups: 0 });
    expect(claimsOf((await signInForTokens(emulator)).id_token)).toHaveProperty('_claim_names');
  },
  dropGroups: async () => {
    await fault('dropGroups');
    expect(claimsOf((await askAgentToken(emulator, agents.admin)).body.access_token)).not.toHaveProperty(
      'groups',
    );
    expect(claimsOf((await signInForTokens(emulator)).id_token)).toHaveProperty('groups');
  },
  claimsChallenge: async () => {
    const graph = await adminGraph(emulator);
    await fault('claimsChallenge', { times: 1 });
    const answer = await graph('GET', '/groups');
    expect(answer.status).toBe(401);
    const [, claims = ''] =
      /error="insufficient_claims", claims="([^"]+)"/.exec(answer.headers.get('www-authenticate') ?? '') ??
      [];
    expect(JSON.parse(Buffer.from(claims, 'base64').toString())).toHaveProperty('access_token.nbf');
  },
  appManagementPolicy: async () => {
    const graph = await adminGraph(emulator);
    const path = `/applications(appId='${agents.user.clientId}')/addPassword`;
    await fault('appManagementPolicy', { maxLifetimeDays: 90 });
    expect((await graph('POST', path, {})).body.error.code).toBe('CredentialInvalidLifetimeAsPerAppPolicy');
    const endDateTime = new Date(emulator.clock.now() + 80 * 86_400_000).toISOString();
    expect((await graph('POST', path, { passwordCredential: { endDateTime } })).status).toBe(200);
    const policy = (await graph('GET', '/policies/defaultAppManagementPolicy')).body;
    expect(policy).toMatchObject({
      isEnabled: true,
      applicationRestrictions: { passwordCredentials: [{ maxLifetime: 'P90D' }] },
    });
    await ask('DELETE', 'faults');
    await fault('appManagementPolicy', { passwords: 'forbidden' });
    expect((await graph('POST', path, {})).body.error.code).toBe('CredentialTypeNotAllowedAsPerAppPolicy');
  },
  hideServicePrincipals: async () => {
    const graph = await adminGraph(emulator);
    await fault('hideServicePrincipals');
    const members = async (path: string) =>
      (await graph('GET', `/groups/${groups.admin}/members${path}`, undefined, eventual)).body.value;
    expect((await members('')).map(({ id }: { id: string }) => id)).toEqual([accounts.admin.objectId]);
    expect(await members('/microsoft.graph.servicePrincipal?$count=true')).toHaveLength(1);
  },
  foreignNextLink: async () => {
    const graph = await adminGraph(emulator);
    await fault('foreignNextLink', { origin: 'https://graph.attacker.example' });
    const { body } = await graph('GET', '/groups?$top=1');
    expect(new URL(body['@odata.nextLink']).origin).toBe('https://graph.attacker.example');
  },
};

test.each(Object.keys(faultKinds))('a client sees the fault %s', async (kind) => {
  pauses.length = 0;
  await seen[kind as keyof typeof faultKinds]();
});

test('faults can be listed, removed one by one, and count themselves out', async () => {
  const { body } = await ask('POST', 'faults', { kind: 'dropGroups', times: 1 });
  expect((await ask('GET', 'faults')).body.faults).toMatchObject([{ id: body.id, kind: 'dropGroups' }]);
  expect((await ask('DELETE', `faults/${body.id}`)).status).toBe(204);
  expect((await ask('DELETE', `faults/${body.id}`)).status).toBe(404);
  await ask('POST', 'faults', { kind: 'dropGroups', times: 1 });
  await askAgentToken(emulator, agents.admin);
  expect((await ask('GET', 'faults')).body.faults).toEqual([]);
});

test.each([
  [{ kind: 'nonsense' }],
  [{ kind: 'latency' }],
  [{ kind: 'latency', milliseconds: 'soon' }],
  [{ kind: 'dropGroups', whatever: 1 }],
  [{ kind: 'keyRoll', how: 'sideways' }],
  ['not json'],
  [[]],
])('a fault that makes no sense is refused: %j', async (body) => {
  expect((await ask('POST', 'faults', body)).status).toBe(400);
});

test('pages of other sites cannot use the controls', async () => {
  expect((await ask('POST', 'reset', undefined, { origin: 'https://evil.example' })).status).toBe(403);
  expect((await ask('POST', 'reset', undefined, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  expect((await ask('POST', 'reset')).status).toBe(204);
});

test('the clock can be moved and set from outside', async () => {
  const before = emulator.clock.now();
  const moved = await ask('POST', 'clock', { advanceSeconds: 3600 });
  expect(Date.parse(moved.body.now)).toBeGreaterThanOrEqual(before + 3_600_000);
  await ask('POST', 'clock', { now: '2031-01-01T00:00:00Z' });
  expect((await ask('GET', 'clock')).body.now).toMatch(/^2031-01-01T00:00:0/);
  expect((await fetch(keysUrl())).headers.get('date')).toContain('01 Jan 2031');
  expect((await ask('POST', 'clock', { now: 'soon' })).status).toBe(400);
});

test('a snapshot brings back users, secrets, sign-ins and refresh tokens', async () => {
  const tokens = await signInForTokens(emulator, accounts.user, { scope: 'openid offline_access' });
  const graph = await adminGraph(emulator);
  await graph('PATCH', `/users/${accounts.user.objectId}`, { displayName: 'Renamed' });
  const text = await (await fetch(`${emulator.origin}/_emulator/snapshot`)).text();
  await ask('POST', 'reset');
  const refresh = { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) };
  expect((await askToken(emulator, refresh)).status).toBe(400);
  expect((await ask('PUT', 'snapshot', text)).status).toBe(204);
  expect((await askToken(emulator, refresh)).status).toBe(200);
  expect((await graph('GET', `/users/${accounts.user.objectId}`)).body.displayName).toBe('Renamed');
  expect((await graph('GET', `/directoryObjects/${accounts.user.objectId}`)).body.displayName).toBe(
    'Renamed',
  );
  expect((await askAgentToken(emulator, agents.user)).status).toBe(200);
});

test.each(['{}', 'null', '[]', 'not json', '{"tenants":{"$map":[]}}'])(
  '%s is no snapshot, and nothing changes',
  async (text) => {
    expect((await ask('PUT', 'snapshot', text)).status).toBe(400);
    expect((await askAgentToken(emulator, agents.user)).status).toBe(200);
  },
);

test('the keys of a foreign issuer can be made known from outside', async () => {
  expect((await ask('PUT', 'issuers', { issuer: 'https://ci.example', jwks: { keys: [] } })).status).toBe(
    204,
  );
  expect((await ask('PUT', 'issuers', { issuer: 1 })).status).toBe(400);
});
