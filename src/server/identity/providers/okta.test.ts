import { afterEach, expect, test } from 'vitest';
import { readConfig } from '../../config/config.ts';
import { type IdentityRoom, identityRoom } from '../identity.test-support.ts';
import { providersOf } from './index.ts';
import { type ScriptedIssuer, startIssuer } from './issuer.test-support.ts';
import { okta as shape } from './shapes/okta.test-support.ts';

const org = 'https://example.okta.com';
const now = () => Date.parse('2026-11-01T12:00:00Z');
const ofOrg = {
  discovery: { [`${org}/.well-known/openid-configuration`]: { issuer: org } },
  authorize: `${org}/oauth2/v1/authorize`,
  token: `${org}/oauth2/v1/token`,
  jwks: `${org}/oauth2/v1/keys`,
  userInfo: `${org}/oauth2/v1/userinfo`,
};
let issuer: ScriptedIssuer;
let room: IdentityRoom;

async function build(endpoints: typeof ofOrg, more: Record<string, string> = {}): Promise<void> {
  issuer = await startIssuer(endpoints, shape.client, now);
  const settings = {
    AUTH_PROVIDER: 'okta',
    SECRET_KEY: '3f6c1c0d9e8b7a6f5e4d3c2b1a0f9e8d',
    ...shape.settings,
  };
  const config = readConfig({ ...settings, REGISTRY_URL: 'https://gateway.example.com', ...more }, '/srv');
  room = await identityRoom(providersOf(config), issuer.send, now);
}

async function signIn() {
  const begun = await room.login.begin('okta', '/');
  const query = await issuer.visit(begun.url);
  return { begun, ...(await room.login.complete(query, new Map([[begun.cookieName, begun.cookieValue]]))) };
}

async function saidOf(claims: object): Promise<string> {
  const who = await room.ask(await issuer.sign({ ...claims }));
  return who.is === 'identity' ? 'identity' : who.failure.message;
}

afterEach(async () => {
  await room.database.close();
  await issuer.close();
});

const person = shape.bearer!.person(['admins']);

test('a token of the org’s own server is refused, and the message says where to ask instead', async () => {
  await build(shape.endpoints as typeof ofOrg);
  expect(await saidOf({ ...person, iss: org, aud: org })).toMatch(
    /only Okta can verify.+oauth2\/default\/v1\/token.+step 2/,
  );
});

test('scopes that only the org’s own server knows are not asked of a custom one', async () => {
  await build(shape.endpoints as typeof ofOrg);
  const { url } = await room.login.begin('okta', '/');
  expect(url.searchParams.get('scope')).toBe('openid profile email offline_access');
});

test('a login that changes leaves the person who they are', async () => {
  await build(shape.endpoints as typeof ofOrg);
  const who = await room.ask(await issuer.sign({ ...person, sub: 'alice.married@example.com' }));
  expect(who).toMatchObject({
    identity: { subject: shape.alice.subject, username: 'alice.married@example.com' },
  });
});

test('an application with a person’s login for its id is not taken for the person', async () => {
  await build(shape.endpoints as typeof ofOrg);
  const who = await room.ask(await issuer.sign({ ...person, uid: undefined }));
  expect(who).toMatchObject({ is: 'nobody', failure: { code: 'credential_invalid' } });
});

test('groups of a claim by another name are read', async () => {
  await build(shape.endpoints as typeof ofOrg, { OKTA_GROUPS_CLAIM: 'https://gateway/groups' });
  const who = await room.ask(await issuer.sign({ ...person, 'https://gateway/groups': ['named'] }));
  expect(who).toMatchObject({ identity: { groups: ['named'] } });
});

test('groups that are not in the ID token of a code come from userinfo', async () => {
  await build(shape.endpoints as typeof ofOrg);
  issuer.script.idToken = () => ({ ...shape.idToken([]), groups: undefined });
  issuer.script.userInfo = () => ({ sub: shape.alice.subject, groups: ['from-userinfo'] });
  expect((await signIn()).person.groups).toEqual(['from-userinfo']);
});

test.each(['example-admin.okta.com', 'https://Example-Admin.okta.com/'])(
  'the address of the Admin Console, %s, is told as that',
  async (domain) => {
    await build(shape.endpoints as typeof ofOrg);
    const read = () => readConfig({ ...shape.settings, AUTH_PROVIDER: 'okta', OKTA_DOMAIN: domain }, '/srv');
    expect(read).toThrow(/Admin Console; leave -admin out/);
  },
);

test('at the org’s own server people sign in with their groups, and no access token is accepted', async () => {
  await build(ofOrg, { OKTA_AUTHORIZATION_SERVER: 'org' });
  issuer.script.idToken = () => ({ ...shape.idToken(['admins']), iss: org });
  const { begun, person: signedIn } = await signIn();
  expect(begun.url.searchParams.get('scope')?.split(' ')).toContain('groups');
  expect(signedIn).toMatchObject({ ...shape.alice, groups: ['admins'] });
  expect(await saidOf({ ...person, iss: org, aud: org })).toMatch(
    /only Okta can verify.+personal token, or set OKTA_AUTHORIZATION_SERVER/,
  );
});
