import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Environment, readConfig } from '../config/config.ts';
import { failureOf, groupsOf, type IdentityRoom, identityRoom } from './identity.test-support.ts';
import { providersOf } from './providers/index.ts';
import { type ScriptedIssuer, startIssuer } from './providers/issuer.test-support.ts';
import type { ProviderShape } from './providers/shapes/shape.test-support.ts';
import { shapes } from './providers/shapes.test-support.ts';

const start = Date.parse('2026-11-01T12:00:00Z');
const shapeOf = (name: string): ProviderShape => shapes.find((one) => one.name === name)!;
const [keycloak, oidc] = [shapeOf('keycloak'), shapeOf('oidc')];
const issuers: Record<string, ScriptedIssuer> = {};
let room: IdentityRoom;
const down = new Set<string>();

const configOf = (names: string, more: Environment = {}) =>
  readConfig(
    {
      ...{ ...keycloak.settings, ...oidc.settings, AUTH_PROVIDER: names },
      ...{ SECRET_KEY: '3f6c1c0d9e8b7a6f5e4d3c2b1a0f9e8d', REGISTRY_URL: 'https://gateway.example.com' },
      ...more,
    },
    '/srv',
  );

async function build(names: string): Promise<void> {
  const now = () => start;
  for (const shape of [keycloak, oidc])
    issuers[new URL(shape.endpoints.token).host] = await startIssuer(shape.endpoints, shape.client, now);
  const way = (url: string | URL, init?: RequestInit): Promise<Response> => {
    const { host } = new URL(url);
    return down.has(host) ? Promise.reject(new TypeError('fetch failed')) : issuers[host]!.send(url, init);
  };
  room = await identityRoom(providersOf(configOf(names)), way, now);
}

const tokenOf = (shape: ProviderShape, groups: string[]): Promise<string> =>
  issuers[new URL(shape.endpoints.token).host]!.sign(shape.bearer!.person(groups));

beforeEach(() => build('keycloak,oidc'));
afterEach(async () => {
  down.clear();
  await room.database.close();
  await Promise.all(Object.values(issuers).map((issuer) => issuer.close()));
});

test('each issuer’s token is its provider’s, and the same group of two providers is two groups', async () => {
  const first = await room.ask(await tokenOf(keycloak, ['admins']));
  const second = await room.ask(await tokenOf(oidc, ['admins']));
  expect(first).toMatchObject({ identity: { provider: 'keycloak', groups: ['admins'] } });
  expect(second).toMatchObject({ identity: { provider: 'oidc', groups: ['oidc:admins'] } });
});

test('a group of the first provider that is called like one of the other does not pass for it', async () => {
  expect(groupsOf(await room.ask(await tokenOf(keycloak, ['oidc:admins'])))).toEqual([
    'keycloak:oidc:admins',
  ]);
});

test('a provider that is away is in the way of its own tokens alone', async () => {
  down.add(new URL(oidc.endpoints.token).host);
  expect(await room.ask(await tokenOf(keycloak, []))).toMatchObject({ is: 'identity' });
  expect(await room.ask(await tokenOf(oidc, []))).toMatchObject({ is: 'unknown' });
});

test('a key of one provider does not sign for the other', async () => {
  const forged = await issuers[new URL(oidc.endpoints.token).host]!.sign(keycloak.bearer!.person(['admins']));
  expect(await room.ask(forged)).toMatchObject({ is: 'nobody' });
});

test('sessions have qualified groups too, and end with their provider', async () => {
  const issuer = issuers[new URL(oidc.endpoints.token).host]!;
  issuer.script.idToken = () => oidc.idToken(['admins']);
  const begun = await room.login.begin('oidc', '/');
  const query = await issuer.visit(begun.url);
  const signedIn = await room.login.complete(query, new Map([[begun.cookieName, begun.cookieValue]]));
  const session = await room.sessions.open('oidc', signedIn.person, signedIn.refreshToken);
  expect((await room.sessions.resume(session))?.groups).toEqual(['oidc:admins']);
  const left = await room.sessions.open('okta-of-before', { ...signedIn.person, subject: 'x' }, null);
  expect(await room.sessions.resume(left)).toBeUndefined();
});

test('an answer of one provider does not finish a sign-in at the other', async () => {
  issuers[new URL(oidc.endpoints.token).host]!.script.idToken = () => oidc.idToken([]);
  issuers[new URL(keycloak.endpoints.token).host]!.script.idToken = () => oidc.idToken([]);
  const begun = await room.login.begin('keycloak', '/');
  const query = await issuers[new URL(keycloak.endpoints.token).host]!.visit(begun.url);
  const cookies = new Map([[begun.cookieName, begun.cookieValue]]);
  expect(await failureOf(room.login.complete(query, cookies))).toMatch(/sign_in_refused|credential_invalid/);
});

test('a code of one provider never reaches the token endpoint of the other', async () => {
  // The hostile provider sends the browser on to the other one, with its own attempt's state.
  const [victim, hostile] = [keycloak, oidc].map((shape) => issuers[new URL(shape.endpoints.token).host]!);
  victim!.script.idToken = () => keycloak.idToken(['admins']);
  const begun = await room.login.begin('oidc', '/');
  const honest = (await room.login.begin('keycloak', '/')).url;
  for (const name of ['state', 'code_challenge', 'nonce'])
    honest.searchParams.set(name, begun.url.searchParams.get(name) ?? '');
  const callback = await victim!.visit(honest);
  hostile!.script.idToken = () => oidc.idToken(['admins']);
  room.sent.length = 0;
  const cookies = new Map([[begun.cookieName, begun.cookieValue]]);
  expect(await failureOf(room.login.complete(callback, cookies))).toBe('sign_in_state');
  expect(room.sent).toEqual([]);
});

test('two providers of one issuer are a fault of the settings', () => {
  const config = configOf('keycloak,oidc', { OIDC_ISSUER: 'https://sso.example.com/realms/company' });
  expect(() => providersOf(config)).toThrow(/has the issuer of another provider/);
});
