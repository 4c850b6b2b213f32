import { Hono } from 'hono';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { submitSignIn } from '../../../test/sign-in.ts';
import { type Emulator, shippedTenant, startEmulator } from '../../entra-emulator/main.ts';
import { createAllow } from '../db/allowance.ts';
import { entraConfig, type IdentityRoom, identityRoom } from '../identity/identity.test-support.ts';
import { entra } from '../identity/providers/entra.ts';
import type { HttpEnv, HttpIdentity } from './env.ts';
import { answerFailure } from './responses.ts';
import { mountSignIn } from './sign-in.ts';

const host = 'gateway.example.com';
const { user } = shippedTenant.accounts;
let emulator: Emulator;
let room: IdentityRoom;
let app: Hono<HttpEnv>;
let address: string;
let requests: number;
let said: unknown[][];
let scopes: string[];

beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());
beforeEach(async () => {
  emulator.reset();
  const redirectUris = ['http://localhost:8080/auth/callback'];
  const provider = entra({ ...entraConfig(emulator), redirectUris });
  const way = (url: string | URL, init?: RequestInit) => fetch(url, { ...init, redirect: 'manual' });
  room = await identityRoom([provider], way, emulator.clock.now);
  [address, requests] = ['192.0.2.1', 0];
  [said, scopes] = [[], ['mcp-registry-user']];
  app = new Hono<HttpEnv>();
  app.use(async (c, next) => {
    requests += 1;
    c.set('correlationId', `correlation-${requests}`);
    await next();
  });
  const say = (...line: unknown[]) => said.push(line);
  const log = { debug() {}, info: say, warn: say, error() {} };
  app.onError((error, c) => answerFailure(c, error, log as never, 'Bearer'));
  mountSignIn(app, {
    ...{ sessions: room.sessions, login: room.login, now: room.now, allow: createAllow(room.now) },
    config: {
      registryUrl: `https://${host}`,
      session: { cookieName: 's', maxAgeSeconds: 60, idleSeconds: 60, secure: true, startsPerMinute: 40 },
    },
    identity: { access: () => ({ scopes }) } as unknown as HttpIdentity,
    trail: { record() {} } as never,
    log: log as never,
    clientIp: () => address,
  });
});
afterEach(() => room.database.close());

/** A browser: it keeps the cookies that it is given, in their order. */
function browser() {
  const cookies = new Map<string, string>();
  return {
    cookies,
    async get(path: string): Promise<Response> {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const answer = await app.request(`https://${host}${path}`, { headers: { host, cookie } });
      for (const line of answer.headers.getSetCookie()) {
        const [, name = '', value = '', age = ''] = /^([^=]+)=([^;]*);.*Max-Age=(\d+)/.exec(line) ?? [];
        if (age === '0') cookies.delete(name);
        else cookies.set(name, value);
      }
      return answer;
    },
  };
}
const begin = (one: ReturnType<typeof browser>) => one.get('/oauth2/login/entra');
const to = (answer: Response): URL => new URL(answer.headers.get('location') ?? '', `https://${host}`);
const backTo = (callback: URL): string => `/auth/callback${callback.search}`;

test('the log says what the groups gave, and what to do where they gave nothing', async () => {
  for (const [name, gave] of [
    [user.userPrincipalName, ['mcp-registry-user']],
    [user.userPrincipalName, []],
    [shippedTenant.accounts.noGroup.userPrincipalName, []],
  ] as const) {
    scopes = [...gave];
    const one = browser();
    const callback = await submitSignIn(to(await begin(one)).href, name);
    expect(to(await one.get(backTo(callback))).pathname).toBe('/');
  }
  const lines = said.filter(([, text]) => String(text).startsWith('Mapped scopes'));
  expect(lines).toEqual([
    [expect.objectContaining({ scopes: ['mcp-registry-user'] }), 'Mapped scopes:'],
    [expect.objectContaining({ scopes: [] }), expect.stringMatching(/^Mapped scopes: none\. .*scopes\.yml/)],
    [
      expect.objectContaining({ scopes: [] }),
      expect.stringMatching(/^Mapped scopes: none\. No groups came.* doctor/),
    ],
  ]);
  expect(JSON.stringify(lines)).not.toContain(user.userPrincipalName);
});

test('the attempt is kept in a cookie that no other host and path can set', async () => {
  const answer = await begin(browser());
  const [line = ''] = answer.headers.getSetCookie();
  expect(line).toMatch(
    /^__Host-mcp_gateway_login_[0-9a-f]{12}=[\w-]+; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/,
  );
  const { state, nonce } = Object.fromEntries(to(answer).searchParams);
  for (const secret of [state, nonce]) expect(line).not.toContain(secret);
  const longest = await browser().get(`/oauth2/login/entra?redirect_uri=/${'a'.repeat(5000)}`);
  expect(longest.headers.getSetCookie()[0]?.length).toBeLessThan(4096);
});

test('thousands of starts by others put nobody out', async () => {
  const one = browser();
  const callback = await submitSignIn(to(await begin(one)), user.userPrincipalName);
  const before = await rowCount();
  for (let others = 0; others < 2000; others += 1) {
    if (others % 30 === 0) address = `203.0.113.${others / 30}`;
    expect((await begin(browser())).status).toBe(302);
  }
  expect(await rowCount()).toBe(before);
  expect(to(await one.get(backTo(callback))).pathname).toBe('/');
  expect([...one.cookies.keys()]).toEqual(['__Host-s']);
});

async function rowCount(): Promise<number> {
  const rows = await room.database.db.selectFrom('used_sign_ins').selectAll().execute();
  return rows.length;
}

test('an address that starts too many is told when to try again; others are not in its way', async () => {
  for (let starts = 0; starts < 40; starts += 1) expect((await begin(browser())).status).toBe(302);
  // While the forty go on, one or two more are allowed again.
  let refused = await begin(browser());
  for (let more = 0; more < 40 && refused.status === 302; more += 1) refused = await begin(browser());
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  address = '192.0.2.2';
  expect((await begin(browser())).status).toBe(302);
});

test('someone else’s callback address does not use the attempt up', async () => {
  const one = browser();
  const callback = await submitSignIn(to(await begin(one)), user.userPrincipalName);
  for (const stranger of [browser(), browser()])
    expect(to(await stranger.get(backTo(callback))).searchParams.get('error')).toBe('oauth2_state_invalid');
  const forged = browser();
  for (const name of one.cookies.keys()) forged.cookies.set(name, 'AAAA');
  await forged.get(backTo(callback));
  expect(to(await one.get(backTo(callback))).pathname).toBe('/');
  expect(to(await one.get(backTo(callback))).searchParams.get('error')).toBe('oauth2_state_invalid');
});

test('a browser keeps four attempts, the newest', async () => {
  const one = browser();
  const states = [];
  for (let starts = 0; starts < 7; starts += 1) states.push(to(await begin(one)));
  expect(one.cookies.size).toBe(4);
  const last = await submitSignIn(states.at(-1)!, user.userPrincipalName);
  expect(to(await one.get(backTo(last))).pathname).toBe('/');
});

test('why a sign-in failed is in no URL, and is told to the browser in which it did', async () => {
  const one = browser();
  const state = to(await begin(one)).searchParams.get('state') ?? '';
  const said = { error: 'access_denied', error_description: 'AADSTS65004: Call 555-0100', state };
  const page = to(await one.get(`/auth/callback?${new URLSearchParams(said)}`));
  expect(page.pathname).toBe('/login');
  expect([...page.searchParams.keys()]).toEqual(['error', 'correlation_id']);
  expect(page.href).not.toMatch(/555|AADSTS/);
  const path = `/oauth2/fault/${page.searchParams.get('correlation_id')}`;
  expect(await (await one.get(path)).json()).toEqual({
    ...{ error: 'oauth2_error', details: 'AADSTS65004: Call 555-0100' },
    correlation_id: page.searchParams.get('correlation_id'),
  });
  const stranger = browser();
  expect((await stranger.get(path)).status).toBe(404);
  expect((await one.get('/oauth2/fault/another')).status).toBe(404);
});

test('a long message of many bytes still fits into its cookie', async () => {
  const one = browser();
  const state = to(await begin(one)).searchParams.get('state') ?? '';
  const query = new URLSearchParams({ error: 'x', error_description: '语'.repeat(3000), state });
  const answer = await one.get(`/auth/callback?${query}`);
  for (const line of answer.headers.getSetCookie()) expect(line.length).toBeLessThan(4096);
  const { details } = (await (
    await one.get(`/oauth2/fault/${to(answer).searchParams.get('correlation_id')}`)
  ).json()) as { details: string };
  expect(details).toMatch(/^语{100}/);
});
