import { Hono } from 'hono';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Emulator, shippedTenant, startEmulator } from '../../entra-emulator/main.ts';
import { asFailure } from '../failure/errors.ts';
import { failureOf, type IdentityWorld, identityWorld } from '../identity/identity.test-support.ts';
import type { HttpEnv } from './env.ts';
import { mountFrontChannel } from './front-channel.ts';
import { securityHeaders } from './responses.ts';

let emulator: Emulator;
let world: IdentityWorld;
let app: Hono<HttpEnv>;
const recorded: unknown[] = [];

beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());
beforeEach(async () => {
  world = await identityWorld(emulator);
  app = new Hono<HttpEnv>();
  app.onError((error) => new Response(null, { status: asFailure(error).status }));
  mountFrontChannel(app, {
    ...{ sessions: world.sessions, trusted: world.trusted, now: world.now, clientIp: () => null },
    trail: { record: (event) => void recorded.push(event), flush: async () => {} },
  });
});
afterEach(() => world.database.close());

const ask = (query: Record<string, string>, name = 'entra') =>
  app.request(`/oauth2/frontchannel-logout/${name}?${new URLSearchParams(query)}`);

test('signing out at the provider ends exactly the sessions of that sign-in', async () => {
  const { person, refreshToken } = await world.signIn(shippedTenant.accounts.user);
  const here = await world.sessions.open('entra', person, refreshToken);
  const elsewhere = await world.open(shippedTenant.accounts.user);
  const answer = await ask({ sid: person.sid ?? '', iss: emulator.issuers.v2 });
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
  expect(await failureOf(world.sessions.resume(here))).toBe('credential_revoked');
  expect(await world.sessions.resume(elsewhere)).toBeDefined();
  expect(recorded).toMatchObject([{ action: 'front-channel-logout', detail: { sessions: 1 } }]);
});

test('Entra ID sends the session id alone, for every session of it', async () => {
  const { person, refreshToken } = await world.signIn(shippedTenant.accounts.user);
  const sessions = [];
  for (let count = 0; count < 3; count += 1)
    sessions.push(await world.sessions.open('entra', person, refreshToken));
  const answer = await ask({ sid: person.sid ?? '' });
  expect([answer.status, await answer.text()]).toEqual([200, '']);
  for (const session of sessions)
    expect(await failureOf(world.sessions.resume(session))).toBe('credential_revoked');
  expect(recorded.at(-1)).toMatchObject({ detail: { sessions: 3 } });
});

test('the page works within the frame of the provider’s sign-out page, which no other page of ours does', async () => {
  app = new Hono<HttpEnv>();
  app.use(securityHeaders(true));
  mountFrontChannel(app, {
    ...{ sessions: world.sessions, trusted: world.trusted, now: world.now, clientIp: () => null },
    trail: { record() {}, flush: async () => {} },
  });
  app.get('/', (c) => c.text('page'));
  const framed = await ask({ sid: 'x' });
  expect(framed.headers.get('content-security-policy')).toContain('frame-ancestors *');
  expect(framed.headers.get('x-content-type-options')).toBe('nosniff');
  const other = await app.request('/');
  expect(other.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
});

test('another issuer, another provider and no sid end nothing', async () => {
  const { person, refreshToken } = await world.signIn(shippedTenant.accounts.user);
  const session = await world.sessions.open('entra', person, refreshToken);
  const sid = person.sid ?? '';
  const iss = emulator.issuers.v2;
  expect((await ask({ sid, iss: 'https://evil.example' })).status).toBe(400);
  expect((await ask({ iss })).status).toBe(400);
  expect((await ask({ sid, iss: '' })).status).toBe(400);
  const path = '/oauth2/frontchannel-logout/entra';
  for (const twice of [`sid=${sid}&sid=x`, `sid=${sid}&iss=${iss}&iss=https://evil.example`])
    expect((await app.request(`${path}?${twice}`)).status).toBe(400);
  expect((await ask({ sid, iss }, 'github')).status).toBe(404);
  expect(await world.sessions.resume(session)).toBeDefined();
});
