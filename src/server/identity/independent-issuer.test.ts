import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { readConfig } from '../config/config.ts';
import { ages, codeOf, failureOf, type IdentityRoom, identityRoom } from './identity.test-support.ts';
import { type IndependentIssuer, startIndependentIssuer } from './independent-issuer.test-support.ts';
import { providersOf } from './providers/index.ts';
import type { SignedIn } from './sessions/login.ts';

// An implementation of OpenID Connect that knows nothing of the gateway: it puts groups into userinfo only, and issues opaque
// access tokens to people and JWTs (RFC 9068) to agents.
const redirectUri = 'https://gateway.example.com/oauth2/callback/company';
let issuer: IndependentIssuer;
let room: IdentityRoom;
let ahead = 0;

beforeAll(async () => {
  issuer = await startIndependentIssuer(redirectUri);
});
afterAll(() => issuer.close());
beforeEach(async () => {
  ahead = 0;
  issuer.accounts.clear();
  issuer.accounts.set('alice', ['admins']);
  const config = readConfig(
    {
      ...{ AUTH_PROVIDER: 'oidc', OIDC_NAME: 'company', OIDC_ISSUER: issuer.url },
      ...{ OIDC_CLIENT_ID: issuer.client.id, OIDC_CLIENT_SECRET: issuer.client.secret },
      ...{ OIDC_AUDIENCE: 'https://gateway.example.com', REGISTRY_URL: 'https://gateway.example.com' },
      SECRET_KEY: '3f6c1c0d9e8b7a6f5e4d3c2b1a0f9e8d',
    },
    '/srv',
  );
  const way = (url: string | URL, init?: RequestInit) => fetch(url, { ...init, redirect: 'manual' });
  room = await identityRoom(providersOf(config), way, () => Date.now() + ahead);
});
afterEach(() => room.database.close());

async function signIn(): Promise<SignedIn> {
  const begun = await room.login.begin('company', '/');
  const callback = await issuer.visit(begun.url, 'alice', redirectUri);
  return room.login.complete(callback, new Map([[begun.cookieName, begun.cookieValue]]));
}

async function open(): Promise<string> {
  const { person, refreshToken } = await signIn();
  return room.sessions.open('company', person, refreshToken);
}

test('a person signs in with code and PKCE, and has the groups that only userinfo tells', async () => {
  const { person, refreshToken } = await signIn();
  expect(person).toMatchObject({ subject: 'alice', username: 'alice', groups: ['admins'] });
  expect(person.email).toBe('alice@example.com');
  expect(refreshToken).toEqual(expect.any(String));
});

test('groups follow the provider at the next refresh', async () => {
  const session = await open();
  issuer.accounts.set('alice', ['users']);
  ahead = ages.maxAge + 1;
  expect((await room.sessions.resume(session))?.groups).toEqual(['users']);
});

test('an account that is gone ends the session', async () => {
  const session = await open();
  issuer.accounts.delete('alice');
  ahead = ages.maxAge + 1;
  expect(await failureOf(room.sessions.resume(session))).toBe('credential_revoked');
});

test('an agent’s JWT by client credentials is that agent; its groups are ours to give', async () => {
  const { id, secret } = issuer.agent;
  const answer = await fetch(`${issuer.url}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: 'https://gateway.example.com' }),
  });
  const { access_token } = (await answer.json()) as { access_token: string };
  expect(codeOf(await room.ask(access_token))).toBe('groups_incomplete');
  await room.database.db
    .insertInto('m2m_clients')
    .values({
      ...{
        provider: 'company',
        client_id: id,
        name: id,
        description: '',
        groups: '["agents"]',
        is_enabled: 1,
      },
      ...{ created_at: '', updated_at: '', created_by: '' },
    } as never)
    .execute();
  expect(await room.ask(access_token)).toMatchObject({
    identity: { kind: 'agent', clientId: id, groups: ['agents'] },
  });
});

test('an opaque access token is refused with what to ask for', async () => {
  const who = await room.ask('dGhpcy1pcy1vcGFxdWU');
  expect(who.is === 'nobody' && who.failure.message).toMatch(/opaque.*audience is this gateway/);
});

test('signing out ends the session there, and the browser comes back', async () => {
  const session = await open();
  const ended = await room.sessions.end((await room.sessions.resume(session))?.credentialId ?? '');
  const url = await room.login.logoutUrl('company', ended?.logoutHint ?? null);
  const page = await (await issuer.browser.get(url ?? '')).text();
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? '';
  const done = await issuer.browser.post(`${issuer.url}/session/end/confirm`, { xsrf, logout: 'yes' });
  expect(done.headers.get('location')).toBe(redirectUri);
});
