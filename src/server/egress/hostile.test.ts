import { afterEach, beforeEach, expect, test } from 'vitest';
import type { OpenDatabase } from '../db/open.ts';
import type { Db } from '../db/tables.ts';
import { callbackOf } from './clients.ts';
import {
  type Clock,
  openMemory,
  personOf,
  type ScriptedAuthority,
  settingsOf,
  startAuthority,
  startProcess,
} from './egress.test-support.ts';
import type { EgressServer } from './renew.ts';
import { createSources } from './sources.ts';
import { listConnections } from './store.ts';

const clock: Clock = { now: 0 };
const ann = personOf('ann');
let database: OpenDatabase;
let authority: ScriptedAuthority;
let world: Awaited<ReturnType<typeof startProcess>>;
const ends: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  clock.now = Date.parse('2026-11-29T12:00:00Z');
  [database, authority] = [await openMemory(), await startAuthority()];
  world = await startProcess(database, clock);
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await world.close();
  await Promise.all([authority.close(), database.close()]);
});

/** The server of the authorization server, by what it says of itself, or with its token endpoint given. */
function serverWith(
  more: Parameters<typeof settingsOf>[0] = {},
  url = `${authority.origin}/mcp`,
): EgressServer {
  return {
    id: 'files',
    name: 'files',
    settings: settingsOf({ client_id: null, scopes: [], ...more }),
    url: new URL(url),
  };
}
const byHand = (more: Parameters<typeof settingsOf>[0] = {}) =>
  serverWith({
    ...{ custom_token_url: `${authority.origin}/token`, custom_authorize_url: 'https://a.example' },
    ...{ client_id: 'gateway', ...more },
  });
const begin = (server = serverWith()) => world.connecting.begin(server, ann);
const refreshing = (server: EgressServer, more: object = {}) =>
  world.connect(ann, server, {
    access: 'old',
    refresh: 'refresh-0',
    accessExpiresAt: clock.now - 1,
    ...more,
  });
const stored = () => listConnections(database.db, ann);

test.each([
  ['authorization_endpoint', 'javascript:alert(1)'],
  ['authorization_endpoint', 'data:text/html,x'],
  ['authorization_endpoint', 'http://user:password@127.0.0.1/authorize'],
  ['token_endpoint', 'file:///etc/passwd'],
  ['token_endpoint', 'ftp://127.0.0.1/token'],
  ['registration_endpoint', 'gopher://127.0.0.1/'],
  ['issuer', 'https://another.example'],
  ['issuer', 'ORIGIN/deeper'],
])('metadata whose %s is %s lead nobody anywhere', async (member, value) => {
  authority.metadata = { [member]: value.replace('ORIGIN', authority.origin) };
  await expect(begin()).rejects.toMatchObject({ code: 'connection_unavailable' });
  expect([authority.requests, authority.registrations]).toEqual([[], 0]);
});

test.each([
  ['registration_endpoint', 'http://169.254.169.254/latest/meta-data'],
  ['registration_endpoint', 'http://[fe80::1]/register'],
  ['token_endpoint', 'http://169.254.169.254/token'],
])('a %s at %s is not reached', async (member, value) => {
  authority.metadata = { [member]: value };
  const attempt = begin(member === 'token_endpoint' ? serverWith({ client_id: 'gateway' }) : serverWith());
  if (member === 'registration_endpoint')
    return expect(attempt).rejects.toMatchObject({ code: expect.stringMatching(/unavailable|unreachable/) });
  const state = new URL(await attempt).searchParams.get('state') ?? '';
  const query = new URLSearchParams({ state, code: 'c' });
  const server = serverWith({ client_id: 'gateway' });
  await expect(world.connecting.complete(query, callbackOf(server), ann, () => server)).rejects.toMatchObject(
    {
      problem: expect.stringMatching(/unavailable|refused/),
    },
  );
  return expect(await stored()).toEqual([]);
});

test.each([
  ['an authorization server', { server: 'http://login.example' }],
  ['a place to sign in', { authorization_endpoint: 'http://login.example/authorize' }],
  ['a token endpoint', { token_endpoint: 'http://login.example/token' }],
  ['a place to register', { registration_endpoint: 'http://login.example/register' }],
])(
  'what is said over TLS leads to no %s without it',
  async (_, differs: { server?: string; [member: string]: string | undefined }) => {
    const { server: at = 'https://login.example', ...more } = differs;
    const said: Record<string, object> = {
      '/.well-known/oauth-protected-resource/mcp': {
        resource: 'https://files.example/mcp',
        authorization_servers: [at],
      },
      '/.well-known/oauth-authorization-server': {
        ...{ issuer: at, token_endpoint: `${at}/token`, authorization_endpoint: `${at}/authorize` },
        ...{ registration_endpoint: `${at}/register`, code_challenge_methods_supported: ['S256'], ...more },
      },
    };
    const asked: string[] = [];
    const sources = createSources({
      ...{ db: database.db, vault: world.vault, now: () => clock.now, publicUrl: 'https://gateway.example' },
      fetch: async (url) => {
        asked.push(String(url));
        const found = said[new URL(url).pathname];
        return Response.json(found ?? {}, { status: found ? 200 : 404 });
      },
    });
    const server = serverWith({}, 'https://files.example/mcp');
    await expect(sources.clientOf(server, null)).rejects.toMatchObject({ code: 'connection_unavailable' });
    expect(asked.filter((url) => url.startsWith('http:'))).toEqual([]);
    expect(await sources.takesAccounts(server.url)).toBe(null);
  },
);

test('what a server says is bounded, and an address that is none is not gone to', async () => {
  authority.resource = { authorization_servers: ['javascript:alert(1)'] };
  await expect(begin()).rejects.toMatchObject({ code: 'connection_unavailable' });
  authority.resource = { authorization_servers: Array(50_000).fill(authority.origin) };
  await expect(begin()).rejects.toMatchObject({ code: 'connection_unavailable' });
  authority.resource = { scopes_supported: Array.from({ length: 5000 }, (_, at) => `scope-${at}`) };
  clock.now += 600_001;
  const asked = new URL(await begin()).searchParams.get('scope')?.split(' ') ?? [];
  expect(asked.length).toBe(100);
});

test.each([
  ['is huge', { client_id: 'x', padding: 'y'.repeat(300_000) }],
  ['has no client', { client_secret: 'x' }],
  ['has a client that is no text', { client_id: { a: 1 } }],
  ['has a very long client', { client_id: 'x'.repeat(5000) }],
  [
    'ends at no time that can be told',
    { client_id: 'x', client_secret: 'y', client_secret_expires_at: 1e300 },
  ],
])('a registration that %s is not taken', async (_, said) => {
  authority.registration = said;
  await expect(begin()).rejects.toMatchObject({
    code: expect.stringMatching(/^(?:connection_unavailable|upstream_invalid)$/),
  });
  expect(await database.db.selectFrom('egress_clients').selectAll().execute()).toEqual([]);
});

test.each([301, 302, 303, 307, 308])(
  'a token endpoint that redirects (%i) is not followed',
  async (status) => {
    const evil = await startAuthority();
    ends.push(() => evil.close());
    const server = byHand();
    await refreshing(server);
    authority.script = () => ({ status, body: `${evil.origin}/token` });
    await expect(world.credentials.of(server, ann)).rejects.toMatchObject({ code: 'connection_unavailable' });
    expect([authority.requests.length, evil.requests.length]).toEqual([1, 0]);
    expect((await stored()).length).toBe(1);
  },
);

test.each([
  ['DPoP', { access_token: 'a', token_type: 'DPoP' }],
  ['mac', { access_token: 'a', token_type: 'mac' }],
  ['no text', { access_token: 'a', token_type: 7 }],
  ['nothing', {}],
  ['a list', []],
  ['an access token that is an object', { access_token: { a: 1 } }],
  ['an access token that is endless', { access_token: 'a'.repeat(20_000) }],
  ['an access token that ends the header', { access_token: 'a\r\nHost: evil.example' }],
  ['more than is read', { access_token: 'a', padding: 'y'.repeat(300_000) }],
])('tokens of type or form %s are not used, and what was stored stays', async (_, body) => {
  const server = byHand();
  const before = await refreshing(server);
  authority.script = () => ({ body });
  await expect(world.credentials.of(server, ann)).rejects.toMatchObject({ code: 'connection_unavailable' });
  expect(await stored()).toMatchObject([
    { generation: before.generation, refreshSealed: before.refreshSealed },
  ]);
});

test.each(['bearer', 'Bearer', 'BEARER', 'user', undefined])(
  'tokens of type %s are used',
  async (token_type) => {
    const server = byHand();
    await refreshing(server);
    authority.script = () => ({ body: { access_token: 'good', token_type, expires_in: 3600 } });
    expect((await world.credentials.of(server, ann)).value).toBe('Bearer good');
  },
);

test('a refreshed token for another audience is not used, its refresh token is kept, and the next one may serve', async () => {
  const server = byHand({ target_audience: 'https://files.example' });
  await refreshing(server);
  const tokenFor = (aud: string) => `e30.${Buffer.from(JSON.stringify({ aud })).toString('base64url')}.x`;
  authority.script = () => ({
    body: { access_token: tokenFor('https://mail.example'), refresh_token: 'refresh-1' },
  });
  await expect(world.credentials.of(server, ann)).rejects.toMatchObject({ code: 'connection_refused' });
  authority.script = () => ({
    body: { access_token: tokenFor('https://files.example'), refresh_token: 'refresh-2' },
  });
  expect((await world.credentials.of(server, ann)).value).toContain('Bearer e30.');
  expect(authority.requests.map((one) => one.refresh_token)).toEqual(['refresh-0', 'refresh-1']);
});

test('what an authorization server repeats of secrets is in no log and in no error', async () => {
  const server = byHand();
  const secret = world.vault.seal(
    { provider: '', subject: '', serverId: 'files', purpose: 'client', address: '' },
    'client-secret',
    'the-client-secret',
  );
  const withSecret = {
    ...server,
    settings: settingsOf({ ...server.settings, client_secret: { keyId: world.vault.keyId, sealed: secret } }),
  };
  await refreshing(withSecret, { refresh: 'the-refresh-token' });
  authority.script = () => ({
    status: 400,
    body: {
      error: 'invalid_request the-refresh-token',
      error_description: 'Unknown token the-refresh-token\r\nforged line\u001b[2J of the-client-secret',
    },
  });
  const failed = await Promise.resolve(world.credentials.of(withSecret, ann)).catch(
    (error: unknown) => error,
  );
  const told = JSON.stringify(world.warnings) + String(failed);
  expect(told).toContain('[removed]');
  for (const one of ['the-refresh-token', 'the-client-secret', '\\u001b', '\\r'])
    expect(told).not.toContain(one);
  const state = new URL(await begin(withSecret)).searchParams.get('state') ?? '';
  authority.script = (form) => ({
    status: 400,
    body: { error: 'invalid_grant', error_description: `code ${form.code} ${form.code_verifier}` },
  });
  const query = new URLSearchParams({ state, code: 'the-code' });
  const refused = await world.connecting
    .complete(query, callbackOf(withSecret), ann, () => withSecret)
    .catch((error: unknown) => error);
  expect(String(refused)).toContain('[removed] [removed]');
  expect(String(refused)).not.toContain('the-code');
});

/** A database whose transactions fail as often as it is told. */
function failing(): { db: Db; fail(times: number): void } {
  let left = 0;
  const db = new Proxy(database.db, {
    get(target, name) {
      if (name === 'transaction' && left > 0) {
        left -= 1;
        throw new Error('the database is away');
      }
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return {
    db,
    fail(times) {
      left = times;
    },
  };
}

test('a database that is away for a moment loses no refresh token that was replaced', async () => {
  const { db, fail } = failing();
  const process = await startProcess(database, clock, { db });
  ends.push(() => process.close());
  const server = byHand();
  await refreshing(server);
  const script = authority.script;
  authority.script = (form) => {
    fail(3);
    return script(form);
  };
  expect((await process.credentials.of(server, ann)).value).toBe('Bearer access-1');
  expect(authority.requests.length).toBe(1);
  clock.now += 3_600_000;
  expect((await world.credentials.of(server, ann)).value).toBe('Bearer access-2');
  expect(authority.requests[1]).toMatchObject({ refresh_token: 'refresh-1' });
});

test('a process that ends waits until what it asked for is stored', async () => {
  const server = byHand();
  await refreshing(server);
  let asked = (): void => {};
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  let answer = (): void => {};
  const isAnswered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  authority.script = async () => {
    asked();
    await isAnswered;
    return { body: { access_token: 'new', refresh_token: 'refresh-1', expires_in: 3600 } };
  };
  const ending = await startProcess(database, clock);
  const call = Promise.resolve(ending.credentials.of(server, ann)).catch(() => undefined);
  await isAsked;
  const closed = ending.close();
  answer();
  await closed;
  await call;
  expect((await world.credentials.of(server, ann)).value).toBe('Bearer new');
});

test('many calls whose token the server refuses have it refreshed once; a clock that is behind refuses none', async () => {
  const server = byHand();
  const before = await refreshing(server, { accessExpiresAt: clock.now + 3_600_000 });
  clock.now += 60_000;
  const refused = { id: before.id, generation: before.generation };
  const all = await Promise.all(
    Array.from({ length: 20 }, () => world.credentials.instead(server, ann, refused)),
  );
  expect(new Set(all.map(({ value }) => value))).toEqual(new Set(['Bearer access-1']));
  expect(authority.requests.length).toBe(1);
  // Another process, whose clock is ten minutes behind, is refused with what this one got.
  const behind = await startProcess(database, { now: clock.now - 600_000 });
  ends.push(() => behind.close());
  const [now] = await stored();
  const next = await behind.credentials.instead(server, ann, {
    id: now?.id ?? '',
    generation: now?.generation ?? 0,
  });
  expect(next.value).toBe('Bearer access-2');
});
