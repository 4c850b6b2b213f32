import { decodeProtectedHeader } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { hashOf } from '../identity/keys.ts';
import { changeClient } from '../registry/oauth-clients/store.ts';
import { grantTypes, storeClient } from './clients/clients.ts';
import {
  hiddenIn,
  openReplicas,
  type Replica,
  redirectUri,
  registered,
  send,
  signedIn,
} from './replicas.test-support.ts';

/** The authorization server as two processes on one database. */
let home: Awaited<ReturnType<typeof openReplicas>>;
let here: Replica;
let there: Replica;
let mail: string;

beforeEach(async () => {
  home = await openReplicas();
  here = await home.start();
  there = await home.start({ issuer: here.issuer });
  mail = `${here.issuer}/mail/mcp`;
});
afterEach(async () => {
  vi.useRealTimers();
  await home.close();
});

const at = (): string => new Date().toISOString();
const refresh = (replica: Replica, client_id: string, refresh_token = '') =>
  send(`${replica.url}/oauth/token`, { grant_type: 'refresh_token', client_id, refresh_token });

test('a client registers at one, signs in at the other and redeems, refreshes and calls at either', async () => {
  const id = await registered(here);
  const { status, body } = await signedIn(there, id, { resource: mail }, here);
  expect(status).toBe(200);
  for (const replica of [here, there])
    expect(await replica.sees(body.access_token, '/mail')).toMatchObject({
      identity: { username: 'alice@contoso.example', clientId: id },
    });
  const next = await refresh(there, id, body.refresh_token);
  expect(await here.sees(next.body.access_token, '/mail')).toMatchObject({ is: 'identity' });
});

test.each([120, -120, 86_400, -86_400])(
  'a replica whose clock is off by %i s signs people in, refreshes and refuses as the others',
  async (off) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const real = Date.now();
    const clock = (offSeconds: number) => (): void => void vi.setSystemTime(real + offSeconds * 1000);
    // Of the database.
    const now = () => real;
    const right = await home.start({ issuer: here.issuer, onRequest: clock(0), now });
    const wrong = await home.start({ issuer: here.issuer, onRequest: clock(off), now });
    const seen = async (replica: Replica, token?: string) => {
      clock(replica === wrong ? off : 0)();
      return (await replica.sees(token, '/mail')).is;
    };
    for (const [at, redeemAt] of [
      [right, wrong],
      [wrong, right],
    ] as const) {
      const id = await registered(at);
      const first = await signedIn(at, id, { resource: mail }, redeemAt);
      expect(first.status).toBe(200);
      const second = await refresh(at, id, first.body.refresh_token);
      expect(second.status).toBe(200);
      for (const { body } of [first, second])
        for (const replica of [right, wrong]) expect(await seen(replica, body.access_token)).toBe('identity');
      // A refresh token that comes twice ends the family, whichever clock was asked.
      expect((await refresh(redeemAt, id, first.body.refresh_token)).status).toBe(400);
      for (const replica of [right, wrong])
        expect(await seen(replica, second.body.access_token)).toBe('nobody');
    }
  },
);

test('one refresh token at both at once: one at most succeeds, and the family ends in both', async () => {
  const id = await registered(here);
  const { body } = await signedIn(here, id, { resource: mail });
  const both = await Promise.all([here, there].map((replica) => refresh(replica, id, body.refresh_token)));
  expect(both.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
  for (const token of [body, ...both.map((one) => one.body)].map((one) => one.access_token))
    for (const replica of [here, there])
      expect(await replica.sees(token, '/mail')).toMatchObject({ is: 'nobody' });
});

test('a refresh token that comes back at the other replica ends the family in both', async () => {
  const id = await registered(here);
  const first = await signedIn(here, id, { resource: mail });
  const second = await refresh(here, id, first.body.refresh_token);
  expect(await there.sees(second.body.access_token, '/mail')).toMatchObject({ is: 'identity' });
  expect((await refresh(there, id, first.body.refresh_token)).body.error).toBe('invalid_grant');
  for (const replica of [here, there])
    expect(await replica.sees(second.body.access_token, '/mail')).toMatchObject({ is: 'nobody' });
  expect((await refresh(here, id, second.body.refresh_token)).body.error).toBe('invalid_grant');
});

describe('administrators', () => {
  test('a blocked client has no tokens left in either, agents included, gets none, and stays blocked', async () => {
    const id = await registered(here);
    const { body } = await signedIn(here, id, { resource: mail });
    await agent('robot');
    const own = await credentials(there, 'robot');
    for (const replica of [here, there])
      for (const token of [body.access_token, own.body.access_token])
        expect(await replica.sees(token, '/mail')).toMatchObject({ is: 'identity' });
    for (const client of [id, 'robot'])
      await changeClient(
        home.db,
        client,
        { status: 'blocked' },
        { at: at(), by: 'admin', because: 'Enough.' },
      );
    for (const replica of [here, there]) {
      for (const token of [body.access_token, own.body.access_token])
        expect(await replica.sees(token, '/mail')).toMatchObject({ is: 'nobody' });
      expect((await refresh(replica, id, body.refresh_token)).status).toBe(401);
      expect((await credentials(replica, 'robot')).status).toBe(401);
    }
  });

  test('who must be approved first: nobody signs in before, and everybody after', async () => {
    const strict = await home.start({ issuer: here.issuer, settings: { registration: 'approval' } });
    const id = await registered(strict);
    const waiting = await signedIn(strict, id, { resource: mail });
    expect(waiting.body.access_token).toBeUndefined();
    expect(await page(strict, id)).toContain(`mcp-gateway client approve ${id}`);
    await changeClient(home.db, id, { status: 'approved' }, { at: at(), by: 'admin', because: '' });
    expect((await signedIn(strict, id, { resource: mail })).status).toBe(200);
  });

  test('registration off: nobody registers, the metadata does not offer it, those set up go on', async () => {
    const shut = await home.start({ issuer: here.issuer, settings: { registration: 'off' } });
    const refused = await fetch(`${shut.url}/oauth/register`, {
      method: 'POST',
      body: '{"redirect_uris":["https://a.example/"]}',
    });
    expect([refused.status, await refused.json()]).toEqual([
      403,
      expect.objectContaining({ error: 'access_denied' }),
    ]);
    const { body } = await send(`${shut.url}/.well-known/oauth-authorization-server`);
    expect(body.registration_endpoint).toBeUndefined();
    await agent('robot');
    expect((await credentials(shut, 'robot')).status).toBe(200);
  });

  test('a registration that nobody uses ends after a day; one that is used lives with its grant', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const [unused, used] = [await registered(here), await registered(here)];
    await signedIn(here, used, { resource: mail });
    vi.setSystemTime(Date.now() + 25 * 3_600_000);
    expect(await page(there, unused)).toContain('does not know this program any more');
    expect((await signedIn(there, used, { resource: mail })).status).toBe(200);
    await registered(there);
    const left = await home.db.selectFrom('oauth_clients').select('client_id').execute();
    expect(left.map(({ client_id }) => client_id)).not.toContain(unused);
  });

  test('a flood of registrations from one address is refused, whichever replica it comes to', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const asked = Array.from({ length: 70 }, (_, index) => registered(index % 2 ? here : there));
    const given = (await Promise.all(asked)).filter((id) => id !== undefined);
    expect(given.length).toBe(60);
    expect(await registered(here)).toBeUndefined();
  });
});

test.each([
  ['a web site', 'https://evil.example/x', {}],
  ['a web site, silently', 'https://evil.example/x', { prompt: 'none' }],
  ['a web site, by the fragment', 'https://evil.example/x', { response_type: 'token' }],
])('no address of the gateway leads to %s that registered itself', async (_, redirect, more) => {
  const id = await registered(here, { redirect_uris: [redirect] });
  const query = new URLSearchParams({
    ...{ client_id: id, redirect_uri: redirect, response_type: 'code' },
    ...{ code_challenge_method: 'S256', resource: 'https://elsewhere.example/', state: 'x', ...more },
  });
  const answer = await fetch(`${here.url}/oauth/authorize?${query}`, { redirect: 'manual' });
  expect([answer.status, answer.headers.get('location')]).toEqual([400, null]);
  const text = await answer.text();
  expect(text).toContain('<strong>evil.example</strong>');
  expect(text).toMatch(/href="https:\/\/evil\.example\/x[?#][^"]*error=/);
});

test('who starts too many sign-ins is told when to try again, and nothing more is stored', async () => {
  const one = await home.start({ issuer: here.issuer, startsPerMinute: 5 });
  const id = await registered(one);
  const query = new URLSearchParams({
    ...{ client_id: id ?? '', redirect_uri: redirectUri, response_type: 'code', state: 'x' },
    ...{ code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' },
  });
  const begin = () => fetch(`${one.url}/oauth/authorize?${query}`, { redirect: 'manual' });
  for (let times = 0; times < 5; times += 1) expect((await begin()).status).toBe(303);
  const refused = await begin();
  expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true]);
  expect(refused.headers.get('content-type')).toContain('text/html');
  const device = await send(`${one.url}/oauth/device/authorize`, { client_id: id });
  expect([device.status, device.body.error]).toEqual([429, 'temporarily_unavailable']);
  const stored = await home.db.selectFrom('oauth_artifacts').select('model').execute();
  expect(stored.map(({ model }) => model)).toEqual(Array(5).fill('Interaction'));
});

describe('introspection and revocation', () => {
  test('what a token says is told to its client and to those that prove themselves, in either replica', async () => {
    const id = await registered(here);
    const { body } = await signedIn(here, id, { resource: mail });
    await agent('robot');
    const ask = (replica: Replica, token = '', headers = {}, form = {}) =>
      send(`${replica.url}/oauth/introspect`, { token, ...form }, headers);
    const stranger = await registered(here);
    expect((await ask(there, body.access_token, {}, { client_id: id })).body).toMatchObject({
      ...{ active: true, client_id: id, aud: mail, sub: 'entra:alice' },
    });
    expect((await ask(there, body.access_token, basic('robot'))).body).toMatchObject({ active: true });
    expect((await ask(there, body.access_token, {}, { client_id: stranger })).body).toEqual({
      active: false,
    });
    expect((await ask(there, 'x.y.z', basic('robot'))).body).toEqual({ active: false });
    expect((await ask(there, body.access_token, basic('robot', 'guess'))).status).toBe(401);
    expect((await ask(there, body.access_token)).status).toBe(400);
    await revoke(here, body.access_token, { client_id: id });
    expect((await ask(there, body.access_token, basic('robot'))).body).toEqual({ active: false });
  });

  test.each(['access_token', 'refresh_token'] as const)(
    'a revoked %s takes all that belongs to it, in both',
    async (which) => {
      const id = await registered(here);
      const { body } = await signedIn(here, id, { resource: mail });
      expect(await there.sees(body.access_token, '/mail')).toMatchObject({ is: 'identity' });
      expect((await revoke(here, body[which], { client_id: id })).status).toBe(200);
      for (const replica of [here, there]) {
        expect(await replica.sees(body.access_token, '/mail')).toMatchObject({ is: 'nobody' });
        expect((await refresh(replica, id, body.refresh_token)).body.error).toBe('invalid_grant');
      }
    },
  );

  test('nobody revokes what is not theirs', async () => {
    const [id, other] = [await registered(here), await registered(here)];
    const { body } = await signedIn(here, id, { resource: mail });
    for (const token of [body.access_token, body.refresh_token])
      await revoke(there, token, { client_id: other });
    expect(await there.sees(body.access_token, '/mail')).toMatchObject({ is: 'identity' });
    expect((await refresh(here, id, body.refresh_token)).status).toBe(200);
  });

  const revoke = (replica: Replica, token = '', form: Record<string, string> = {}) =>
    send(`${replica.url}/oauth/revoke`, { token, ...form });
});

describe('keys', () => {
  const month = 30 * 24 * 3_600_000;

  test('a new one signs each month, in all replicas the same; the one before still verifies', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    await agent('robot');
    // Just before a period ends.
    vi.setSystemTime(Math.ceil(Date.now() / month) * month - 60_000);
    const before = await credentials(here, 'robot');
    vi.setSystemTime(Date.now() + 120_000);
    const [one, two] = [await credentials(here, 'robot'), await credentials(there, 'robot')];
    const [old, first, second] = [before, one, two].map(
      ({ body }) => decodeProtectedHeader(body.access_token ?? '').kid,
    );
    expect(first).toBe(second);
    expect(first).not.toBe(old);
    for (const replica of [here, there])
      for (const { body } of [before, one, two])
        expect(await replica.sees(body.access_token, '/mail')).toMatchObject({ is: 'identity' });
    const published = await send(`${there.url}/oauth/jwks`);
    const kids = (published.body.keys as { kid: string; d?: string }[]).map(({ kid }) => kid);
    expect(kids).toEqual([first, old]);
    expect(published.text).not.toContain('"d"');
  });

  test('a key that is two months old is gone, and so is what it signed', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    await agent('robot');
    const before = await credentials(here, 'robot');
    vi.setSystemTime(Date.now() + 2 * month);
    await credentials(there, 'robot');
    expect((await home.db.selectFrom('oauth_keys').select('kid').execute()).length).toBe(1);
    expect(await there.sees(before.body.access_token, '/mail')).toMatchObject({ is: 'nobody' });
  });

  test('two replicas that begin a month at once agree on its key', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    await agent('robot');
    vi.setSystemTime(Date.now() + month);
    const both = await Promise.all(
      [here, there, here, there].map((replica) => credentials(replica, 'robot')),
    );
    const kids = new Set(both.map(({ body }) => decodeProtectedHeader(body.access_token ?? '').kid));
    expect(kids.size).toBe(1);
    for (const replica of [here, there])
      for (const { body } of both)
        expect(await replica.sees(body.access_token, '/mail')).toMatchObject({ is: 'identity' });
  });
});

describe('what a person narrows is enforced', () => {
  test('only one server, of a program that asked for all', async () => {
    const { body } = await signedIn(
      here,
      await registered(here),
      { choice: { place: 'one', at: '/mail' } },
      there,
    );
    expect(body.scope?.split(' ')).not.toContain('registry');
    expect(await there.sees(body.access_token, '/mail')).toMatchObject({ is: 'identity' });
    for (const elsewhere of ['/calendar', '/api', '/', '/mail2'])
      expect(await there.sees(body.access_token, elsewhere)).toMatchObject({ is: 'nobody' });
  });

  test('a refresh keeps it narrow', async () => {
    const id = await registered(here);
    const { body } = await signedIn(here, id, { choice: { place: 'one', at: '/mail', reach: 'read' } });
    const next = await refresh(there, id, body.refresh_token);
    expect(await here.sees(next.body.access_token, '/calendar')).toMatchObject({ is: 'nobody' });
    const who = await here.sees(next.body.access_token, '/mail');
    expect(who.is === 'identity' && who.identity.onlyReading?.('mail', 'send')).toBe(false);
  });

  test('a server that the person may not use cannot be chosen, and nothing is granted', async () => {
    const { status } = await signedIn(here, await registered(here), {
      choice: { place: 'one', at: '/payroll' },
    });
    expect(status).toBe(400);
    expect(await home.db.selectFrom('oauth_grants').selectAll().execute()).toEqual([]);
  });

  test('the page offers the choice only where it is one', async () => {
    const id = await registered(here);
    expect(await page(here, id)).toContain('only this server');
    expect(await page(here, id, mail)).not.toContain('only this server');
  });
});

/** The page that a program's request for authorization leads to. */
async function page(replica: Replica, client_id: string, resource?: string): Promise<string> {
  const query = new URLSearchParams({
    ...{ client_id, response_type: 'code', redirect_uri: 'http://127.0.0.1:51234/callback' },
    ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256', ...(resource ? { resource } : {}) },
  });
  const begun = await send(`${replica.url}/oauth/authorize?${query}`);
  const to = begun.headers.get('location');
  if (!to) return begun.text;
  const cookies = begun.headers.getSetCookie().map((line) => line.split(';')[0]);
  const cookie = ['who=alice', ...cookies].join('; ');
  const { text } = await send(`${replica.url}${new URL(to, replica.issuer).pathname}`, undefined, { cookie });
  expect(Object.keys(hiddenIn(text)).length).toBeLessThanOrEqual(2);
  return text;
}

const basic = (client: string, secret = `secret-of-${client}`) => ({
  authorization: `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}`,
});
const credentials = (replica: Replica, client: string) =>
  send(
    `${replica.url}/oauth/token`,
    { grant_type: grantTypes.clientCredentials, resource: `${replica.issuer}/mail/mcp` },
    basic(client),
  );

async function agent(id: string): Promise<void> {
  await storeClient(home.db, {
    ...{ id, kind: 'administrator', alias: id, status: 'approved', createdBy: 'admin', at: at() },
    secretHash: hashOf(`secret-of-${id}`),
    groups: ['robots'],
    metadata: {
      ...{ client_name: id, redirect_uris: [], grant_types: [grantTypes.clientCredentials] },
      token_endpoint_auth_method: 'client_secret_basic',
    },
  });
}
