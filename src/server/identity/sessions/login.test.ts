import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { submitSignIn } from '../../../../test/sign-in.ts';
import { type Emulator, shippedTenant, startEmulator } from '../../../entra-emulator/main.ts';
import { type OpenDatabase, openMemory } from '../../db/open.ts';
import { Failure } from '../../failure/errors.ts';
import { createOidcClients } from '../../provider/oidc.ts';
import { refusingEmulators } from '../../provider/provider.ts';
import { trust } from '../bearer.ts';
import { entraConfig, identityWorld } from '../identity.test-support.ts';
import { deriveKey } from '../keys.ts';
import { entra } from '../providers/entra.ts';
import { type Begun, createLogin, type Login } from './login.ts';
import { attemptLasts } from './login-attempts.ts';

let emulator: Emulator;
let database: OpenDatabase;
let login: Login;
let now: number;

beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());
beforeEach(async () => {
  now = Date.now();
  database = await openMemory();
  const provider = entra(entraConfig(emulator));
  login = createLogin({
    db: database.db,
    key: deriveKey('a'.repeat(40), 'login-attempt'),
    trusted: [trust(provider, fetch, () => now)],
    clients: createOidcClients(fetch, () => now),
    memberships: { fresh: async () => [] },
    fetch,
    now: () => now,
  });
});
afterEach(() => database.close());

/** Signs in at the emulator's page as the browser would and answers the address of the callback. */
async function signInAt(url: URL, account: { userPrincipalName: string }): Promise<URL> {
  return submitSignIn(url, account.userPrincipalName);
}

const callbackWith = (query: Record<string, string>): URL =>
  new URL(`http://localhost:8080/oauth2/callback/entra?${new URLSearchParams(query)}`);
const cookiesOf = (...begun: Begun[]) =>
  new Map(begun.map(({ cookieName, cookieValue }) => [cookieName, cookieValue]));
const { admin, user } = shippedTenant.accounts;
const codeOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.catch((caught: unknown) => caught);
  return error instanceof Failure ? error.code : 'no failure';
};

test('signing in at the provider gives the person with groups', async () => {
  const begun = await login.begin('entra', '/servers');
  const query = await signInAt(begun.url, admin);
  const { person, returnTo } = await login.complete(query, cookiesOf(begun));
  expect(person).toMatchObject({ username: admin.userPrincipalName, subject: admin.objectId });
  expect(person.groups).toContain(shippedTenant.groups.admin);
  expect(returnTo).toBe('/servers');
});

test('sign-ins in two tabs do not disturb each other', async () => {
  const [one, two] = [await login.begin('entra', '/one'), await login.begin('entra', '/two')];
  const cookies = cookiesOf(one, two);
  const second = await login.complete(await signInAt(two.url, user), cookies);
  const first = await login.complete(await signInAt(one.url, admin), cookies);
  expect([first.returnTo, second.returnTo]).toEqual(['/one', '/two']);
  expect([first.person.username, second.person.username]).toEqual([
    admin.userPrincipalName,
    user.userPrincipalName,
  ]);
});

test('a callback works once', async () => {
  const begun = await login.begin('entra', '/');
  const query = await signInAt(begun.url, admin);
  await login.complete(query, cookiesOf(begun));
  expect(await codeOf(login.complete(query, cookiesOf(begun)))).toBe('sign_in_state');
});

test('a callback in another browser, with a made-up state or too late is refused', async () => {
  const begun = await login.begin('entra', '/');
  const query = await signInAt(begun.url, admin);
  expect(await codeOf(login.complete(callbackWith({ code: 'c', state: 'made-up' }), cookiesOf(begun)))).toBe(
    'sign_in_state',
  );
  expect(await codeOf(login.complete(query, new Map()))).toBe('sign_in_state');
  const late = await login.begin('entra', '/');
  const lateQuery = await signInAt(late.url, admin);
  now += attemptLasts + 1;
  expect(await codeOf(login.complete(lateQuery, cookiesOf(late)))).toBe('sign_in_state');
});

test('the code of one attempt cannot be used in another (PKCE, nonce)', async () => {
  const [mine, other] = [await login.begin('entra', '/'), await login.begin('entra', '/')];
  const stolen = await signInAt(other.url, admin);
  const forged = new URL(stolen);
  forged.searchParams.set('state', mine.url.searchParams.get('state')!);
  expect(await codeOf(login.complete(forged, cookiesOf(mine)))).toBe('sign_in_refused');
});

test("the provider's error reaches the person in its own words", async () => {
  const begun = await login.begin('entra', '/');
  const query = callbackWith({
    error: 'access_denied',
    error_description: 'AADSTS65004: the person declined',
    state: begun.url.searchParams.get('state')!,
  });
  await expect(login.complete(query, cookiesOf(begun))).rejects.toThrow('AADSTS65004');
});

test('an unknown provider is not found', async () => {
  expect(await codeOf(login.begin('github', '/'))).toBe('not_found');
});

test('sign-out leads to the provider, and back to the address that is registered', async () => {
  const url = await login.logoutUrl('entra', null);
  expect(url?.origin).toBe(emulator.origin);
  const answer = await fetch(url!, { redirect: 'manual' });
  expect(answer.headers.get('location')).toBe('http://localhost:8080/oauth2/callback/entra');
});

test('in production an emulated provider is refused in so many words', async () => {
  const fetchReal = refusingEmulators(fetch);
  const clients = createOidcClients(fetchReal, () => now);
  const trusted = [trust(entra(entraConfig(emulator)), fetchReal, () => now)];
  const key = deriveKey('a'.repeat(40), 'login-attempt');
  const strict = createLogin({
    ...{ db: database.db, key, trusted, clients, fetch: fetchReal, now: () => now },
    memberships: { fresh: async () => [] },
  });
  await expect(strict.begin('entra', '/')).rejects.toThrow(/is an emulator/);
});

test('a sign-in uses the redirect URI of the host that the person came by', async () => {
  const redirectUris = [
    'https://one.example/auth/callback',
    'https://two.example:8443/oauth2/callback/entra',
  ];
  const world = await identityWorld(emulator, { redirectUris });
  const sentBy = async (host?: string) =>
    (await world.login.begin('entra', '/', { host })).url.searchParams.get('redirect_uri');
  expect(await sentBy('two.example:8443')).toBe(redirectUris[1]);
  expect([await sentBy('two.example'), await sentBy()]).toEqual([redirectUris[0], redirectUris[0]]);
  const out = await world.login.logoutUrl('entra', null, 'two.example:8443');
  expect(out?.searchParams.get('post_logout_redirect_uri')).toBe(redirectUris[1]);
  await world.database.close();
});

test('a guest signs in by object id, with their own groups', async () => {
  const { guest } = shippedTenant.accounts;
  const begun = await login.begin('entra', '/');
  const { person } = await login.complete(await signInAt(begun.url, guest), cookiesOf(begun));
  expect(person).toMatchObject({
    subject: guest.objectId,
    username: guest.userPrincipalName,
    email: 'gus@fabrikam.example',
    groups: [shippedTenant.groups.users],
  });
});

test('a token endpoint that is away is "could not tell", not a refusal', async () => {
  const begun = await login.begin('entra', '/');
  const query = await signInAt(begun.url, admin);
  emulator.faults.add({ kind: 'status', status: 503, path: '/oauth2/v2.0/token', times: 1 });
  expect(await codeOf(login.complete(query, cookiesOf(begun)))).toBe('identity_unavailable');
});
