import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { grantTypes } from '../clients/clients.ts';
import { commandLineClient } from '../metadata.ts';
import { hiddenIn, openReplicas, type Replica, registered, send } from '../replicas.test-support.ts';

/** The device code grant (RFC 8628): what the device does, and what the person sees. */
let home: Awaited<ReturnType<typeof openReplicas>>;
let here: Replica;

beforeEach(async () => {
  home = await openReplicas();
  here = await home.start();
});
afterEach(async () => {
  vi.useRealTimers();
  await home.close();
});

const alice = { cookie: 'who=alice' };

/** A device that has asked for a code. */
async function device(form: Record<string, string> = {}, at = here) {
  const client_id = form.client_id ?? commandLineClient;
  const begun = await send(`${at.url}/oauth/device/authorize`, { client_id, ...form });
  const { device_code = '', user_code = '' } = begun.body;
  return {
    ...{ begun, device_code, user_code },
    poll: (there: Replica = at, change: Record<string, string> = {}) =>
      send(`${there.url}/oauth/token`, { grant_type: grantTypes.device, client_id, device_code, ...change }),
  };
}

/** Enters a code and, unless the page says otherwise, decides. */
async function enter(user_code: string, choice: Record<string, string> = {}, headers = alice, at = here) {
  const page = await send(`${at.url}/oauth/device`, undefined, headers);
  const shown = await send(`${at.url}/oauth/device`, { ...hiddenIn(page.text), user_code }, headers);
  if (shown.status !== 200) return shown;
  return send(`${at.url}/oauth/device`, { ...hiddenIn(shown.text), decision: 'allow', ...choice }, headers);
}

test('a device gets tokens of the person who entered its code, whichever replica is asked', async () => {
  const there = await home.start({ issuer: here.issuer });
  const { begun, user_code, poll } = await device({ scope: 'registry mcp:call offline_access' });
  expect(begun).toMatchObject({
    status: 200,
    body: { verification_uri: `${here.issuer}/oauth/device`, expires_in: 600, interval: 5 },
  });
  expect(user_code).toMatch(/^[B-Z]{4}-[B-Z]{4}$/);
  expect(await poll()).toMatchObject({ status: 400, body: { error: 'authorization_pending' } });
  const done = await enter(user_code.toLowerCase().replace('-', ' '), {}, alice, there);
  expect(done.text).toContain('The device is connected');
  const { status, body } = await poll(there);
  expect({ status, scope: body.scope }).toEqual({
    status: 200,
    scope: 'mcp:read mcp:call registry',
  });
  const who = await here.sees(body.access_token, '/api');
  expect(who).toMatchObject({
    is: 'identity',
    identity: { username: 'alice@contoso.example', method: 'oauth' },
  });
  expect(await poll()).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  const refresh = { grant_type: 'refresh_token', client_id: commandLineClient };
  const again = await send(`${here.url}/oauth/token`, {
    ...refresh,
    refresh_token: body.refresh_token ?? '',
  });
  // The device code came twice: whatever came of it is over (RFC 9700, section 2.1.1 for codes).
  expect(again).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  expect(await here.sees(body.access_token, '/api')).toMatchObject({ is: 'nobody' });
  expect(there.events).toMatchObject([
    { action: 'oauth.device', decision: 'allow', who: { username: 'alice@contoso.example' } },
  ]);
});

test.each([3_600, -3_600])(
  'a device gets its tokens of replicas whose clocks are %i s apart',
  async (off) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const real = Date.now();
    const now = () => real;
    const clock = (seconds: number) => (): void => void vi.setSystemTime(real + seconds * 1000);
    const right = await home.start({ issuer: here.issuer, now, onRequest: clock(0) });
    const wrong = await home.start({ issuer: here.issuer, now, onRequest: clock(off) });
    for (const [at, enterAt] of [
      [right, wrong],
      [wrong, right],
    ] as const) {
      const { user_code, poll } = await device({ scope: 'registry mcp:call' }, at);
      expect((await poll(enterAt)).body.error).toBe('authorization_pending');
      expect((await enter(user_code, {}, alice, enterAt)).text).toContain('The device is connected');
      const { body } = await poll(at);
      for (const replica of [right, wrong])
        expect(await replica.sees(body.access_token, '/api')).toMatchObject({ is: 'identity' });
    }
  },
);

test('a person who says no is heard by the device, and nothing is granted', async () => {
  const { user_code, poll } = await device();
  expect((await enter(user_code, { decision: 'deny' })).text).toContain('was not connected');
  expect(await poll()).toMatchObject({ status: 400, body: { error: 'access_denied' } });
  expect(await home.db.selectFrom('oauth_grants').selectAll().execute()).toEqual([]);
  expect(here.events).toMatchObject([{ decision: 'deny' }]);
});

test('a device that asks more often than it may is told to slow down', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const { poll } = await device();
  const errors: unknown[] = [];
  for (let polls = 0; polls < 5; polls += 1) errors.push((await poll()).body.error);
  expect(errors).toContain('slow_down');
  expect(errors[0]).toBe('authorization_pending');
});

test('a code that is over is worth nothing, to the person and to the device', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const { user_code, poll } = await device();
  vi.setSystemTime(Date.now() + 601_000);
  expect(await enter(user_code)).toMatchObject({ status: 400 });
  const { status, body } = await poll();
  expect([status, ['expired_token', 'invalid_grant'].includes(body.error ?? '')]).toEqual([400, true]);
});

test('only the narrower rights that the person chose are granted', async () => {
  const { user_code, poll } = await device({ scope: 'registry mcp:call' });
  await enter(user_code, { place: 'one', at: '/mail', reach: 'read' });
  const { body } = await poll();
  expect(body.scope?.split(' ')).not.toContain('mcp:call');
  expect(body.scope?.split(' ')).not.toContain('registry');
  expect(await here.sees(body.access_token, '/mail')).toMatchObject({ is: 'identity' });
  for (const elsewhere of ['/calendar', '/api', '/'])
    expect(await here.sees(body.access_token, elsewhere)).toMatchObject({ is: 'nobody' });
});

describe('what is refused', () => {
  test.each([
    ['an unknown program', { client_id: 'nobody' }, 401, 'invalid_client'],
    ['a resource elsewhere', { resource: 'https://elsewhere.example/mcp' }, 400, 'invalid_target'],
  ])('to begin: %s', async (_, form, status, error) => {
    expect((await device(form)).begun).toMatchObject({ status, body: { error } });
  });

  test('to begin: a program that did not register for it', async () => {
    const client_id = await registered(here);
    expect((await device({ client_id })).begun.status).toBe(400);
    const other = await registered(here, { grant_types: ['authorization_code', grantTypes.device] });
    expect((await device({ client_id: other })).begun.status).toBe(200);
  });

  test.each([
    ['another program', { client_id: 'OTHER' }, 'invalid_grant'],
    ['another code', { device_code: 'x'.repeat(43) }, 'invalid_grant'],
    ['no code', { device_code: '' }, 'invalid_request'],
    ['another resource', { resource: 'ISSUER/calendar/mcp' }, 'invalid_target'],
  ])('to redeem: %s', async (_, change, error) => {
    const other = await registered(here, { grant_types: ['authorization_code', grantTypes.device] });
    const { user_code, poll } = await device({ resource: `${here.issuer}/mail/mcp` });
    await enter(user_code);
    const given = Object.entries(change).map(([name, value]) => [
      name,
      value.replace('OTHER', other).replace('ISSUER', here.issuer),
    ]);
    const { status, body } = await poll(here, Object.fromEntries(given));
    expect({ status, error: body.error }).toEqual({ status: 400, error });
  });

  test('on the page: nobody signed in, a wrong code, a code used before', async () => {
    const { user_code } = await device();
    const url = `${here.url}/oauth/device`;
    const nobody = await send(url, { user_code, decision: 'allow' });
    expect(nobody.status).toBe(401);
    expect(nobody.text).toContain('/oauth2/login/entra?redirect_uri=%2Foauth%2Fdevice');
    expect(await enter('BBBB-BBBB')).toMatchObject({ status: 400 });
    expect((await enter(user_code)).text).toContain('is connected');
    expect(await enter(user_code)).toMatchObject({ status: 400 });
  });

  test('on the page: a form of another site, of another code, and of another person', async () => {
    const url = `${here.url}/oauth/device`;
    const [mine, other] = [await device(), await device()];
    const page = await send(url, undefined, alice);
    const { csrf = '' } = hiddenIn(page.text);
    const shown = await send(url, { csrf, user_code: mine.user_code }, alice);
    const right = hiddenIn(shown.text);
    for (const [form, headers] of [
      [{ user_code: mine.user_code, decision: 'allow' }, alice],
      [{ user_code: mine.user_code, decision: 'allow', csrf }, alice],
      [{ ...right, user_code: other.user_code, decision: 'allow' }, alice],
      [{ ...right, decision: 'allow' }, { cookie: 'who=bob' }],
      [{ user_code: mine.user_code }, alice],
    ] as const)
      expect((await send(url, { ...form }, headers)).status).toBe(403);
    expect(await mine.poll()).toMatchObject({ body: { error: 'authorization_pending' } });
    expect(await other.poll()).toMatchObject({ body: { error: 'authorization_pending' } });
  });

  test('on the page: guessing', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    for (let tries = 0; tries < 20; tries += 1)
      expect((await enter(`BBBB-BBB${'BCDFGHJKLMNPQRSTVWXZ'[tries]}`)).status).toBe(400);
    const { user_code } = await device();
    expect((await enter(user_code)).status).toBe(429);
    expect((await enter(user_code, {}, { cookie: 'who=bob' })).text).toContain('is connected');
  });

  test('a blocked program, at each step', async () => {
    const { user_code, poll } = await device();
    const block = (status: string) =>
      home.db
        .updateTable('oauth_clients')
        .set({ status })
        .where('client_id', '=', commandLineClient)
        .execute();
    await block('blocked');
    expect((await enter(user_code)).status).toBe(400);
    expect(await poll()).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect((await device()).begun.status).toBe(401);
    await block('pending');
    expect((await enter(user_code)).status).toBe(403);
  });
});

test('the page is neither framed nor kept, and says what a sent code is for', async () => {
  const { user_code } = await device();
  const page = await send(`${here.url}/oauth/device?user_code=${user_code}`, undefined, alice);
  expect(page.text).toContain(`value="${user_code}"`);
  expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  expect(page.headers.get('x-frame-options')).toBe('DENY');
  expect(page.headers.get('cache-control')).toBe('no-store');
  const shown = await send(`${here.url}/oauth/device`, { ...hiddenIn(page.text), user_code }, alice);
  expect(shown.text).toContain('If someone sent you the code, cancel');
  const odd = await send(`${here.url}/oauth/device?user_code="><script>`, undefined, alice);
  expect(odd.text).not.toContain('<script>');
});
