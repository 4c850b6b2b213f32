import { afterEach, beforeEach, expect, test } from 'vitest';
import { lastUsesOf } from '../db/last-uses.ts';
import type { OpenDatabase } from '../db/open.ts';
import {
  type Clock,
  openMemory,
  personOf,
  type ScriptedAuthority,
  settingsOf,
  startAuthority,
  startProcess,
} from '../egress/egress.test-support.ts';
import type { EgressServer } from '../egress/renew.ts';
import type { EgressSettings } from '../egress/settings.ts';
import { listConnections, removeConnection } from '../egress/store.ts';
import {
  routeOf,
  rpc,
  type ScriptedUpstream,
  send,
  sendJson,
  startGateway,
  startUpstream,
  type TestGateway,
} from './gateway.test-support.ts';

const clock: Clock = { now: 0 };
let database: OpenDatabase;
let authority: ScriptedAuthority;
let upstream: ScriptedUpstream;
let world: Awaited<ReturnType<typeof startProcess>>;
let gateway: TestGateway;

beforeEach(async () => {
  clock.now = Date.parse('2026-11-29T12:00:00Z');
  database = await openMemory();
  [authority, upstream] = [await startAuthority(), await startUpstream()];
  world = await startProcess(database, clock);
  gateway = await startGateway(
    { ann: ['files * *'], bob: ['files * *'], robot: ['files * *'] },
    { connections: world.credentials },
  );
});

afterEach(async () => {
  await gateway.close();
  await world.close();
  await Promise.all([upstream.close(), authority.close(), database.close()]);
});

/** Registers the server in the gateway; the same as credentials are looked up for it. */
function serve(settings: EgressSettings, url = upstream.url): EgressServer {
  gateway.routes.set('files', routeOf('files', url, { egress: settings }));
  return { id: 'files', name: 'files', settings, url };
}

const call = (as: string, tool = 'read', headers = {}) =>
  send(`${gateway.origin}/files/mcp`, { as, headers, body: rpc('tools/call', { name: tool }) });
const byOauth = () =>
  settingsOf({ custom_token_url: `${authority.origin}/token`, custom_authorize_url: 'https://a.example' });
const bearers = () => upstream.received.map(({ headers }) => headers.authorization);
const errorOf = (answer: { json(): unknown }) =>
  (answer.json() as { error: { message: string; data: { code: string } } }).error;

test('each call takes the credential of its caller, in the header of the server, and nothing of the client', async () => {
  const server = serve(
    settingsOf({ egress_auth_mode: 'pat', header_name: 'X-Api-Key', header_prefix: 'key ' }),
  );
  await world.connect(personOf('ann'), server, { access: 'of-ann', account: 'ann-at-files' });
  await world.connect(personOf('bob'), server, { access: 'of-bob' });
  for (const as of ['ann', 'bob', 'ann', 'bob'])
    expect((await call(as, 'read', { 'x-api-key': 'mine' })).status).toBe(200);
  expect(upstream.received.map(({ headers }) => headers['x-api-key'])).toEqual([
    'key of-ann',
    'key of-bob',
    'key of-ann',
    'key of-bob',
  ]);
  expect(bearers()).toEqual([undefined, undefined, undefined, undefined]);
  const [first] = await gateway.audited(4);
  await lastUsesOf(database.db).flush();
  const [stored] = await listConnections(database.db, personOf('ann'));
  expect(first?.detail).toMatchObject({
    ...{ connection: stored?.id, connection_mode: 'pat', connection_account: 'ann-at-files' },
  });
  expect(JSON.stringify(gateway.events)).not.toContain('of-ann');
  expect(stored).toMatchObject({ lastUsedFor: 'read' });
});

test('who is not connected is told where to connect; the server hears nothing', async () => {
  serve(settingsOf({ egress_auth_mode: 'pat' }));
  const answer = await call('ann');
  expect([answer.status, upstream.received.length]).toEqual([200, 0]);
  expect(errorOf(answer)).toMatchObject({ data: { code: 'connection_needed' } });
  expect(errorOf(answer).message).toContain('http://gateway.example/oauth2/egress/connect?server=%2Ffiles');
  expect(await gateway.audited(1)).toMatchObject([
    { decision: 'deny', reason: 'connection_needed', status: 403 },
  ]);
});

test('a deletion, a new credential and an end count at the next call, and another address gets none', async () => {
  const server = serve(settingsOf({ egress_auth_mode: 'pat' }));
  const ann = personOf('ann');
  await world.connect(ann, server, { access: 'one', endsAt: clock.now + 60_000 });
  await call('ann');
  await call('ann');
  await world.connect(ann, server, { access: 'two', endsAt: clock.now + 60_000 });
  await world.feed.caughtUp();
  await call('ann');
  expect(bearers()).toEqual(['Bearer one', 'Bearer one', 'Bearer two']);
  const elsewhere = await startUpstream();
  serve(server.settings, elsewhere.url);
  expect(errorOf(await call('ann')).data.code).toBe('connection_needed');
  expect(elsewhere.received).toEqual([]);
  await elsewhere.close();
  serve(server.settings);
  clock.now += 60_000;
  expect(errorOf(await call('ann')).data.code).toBe('connection_needed');
  clock.now -= 60_000;
  expect((await call('ann')).status).toBe(200);
  const [stored] = await listConnections(database.db, ann);
  await removeConnection(database.db, stored?.id ?? '');
  await world.feed.caughtUp();
  expect(errorOf(await call('ann')).data.code).toBe('connection_needed');
});

test('an expired token is refreshed once for all calls that wait, and the next refresh has the new refresh token', async () => {
  const server = serve(byOauth());
  await world.connect(personOf('ann'), server, {
    access: 'old',
    refresh: 'refresh-0',
    accessExpiresAt: clock.now - 1,
  });
  const answers = await Promise.all(Array.from({ length: 20 }, () => call('ann')));
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
  expect(authority.requests).toMatchObject([{ grant_type: 'refresh_token', refresh_token: 'refresh-0' }]);
  expect(new Set(bearers())).toEqual(new Set(['Bearer access-1']));
  clock.now += 3_600_000;
  await call('ann');
  expect(authority.requests.map((one) => one.refresh_token)).toEqual(['refresh-0', 'refresh-1']);
});

test('a token that the server refuses is refreshed and the call made again, once; one that is new is not', async () => {
  const server = serve(byOauth());
  await world.connect(personOf('ann'), server, {
    access: 'old',
    refresh: 'refresh-0',
    accessExpiresAt: clock.now + 3_600_000,
  });
  clock.now += 60_000;
  upstream.script = ({ headers }, res) =>
    sendJson(
      res,
      { jsonrpc: '2.0', id: 1, result: {} },
      headers.authorization === 'Bearer access-1' ? 200 : 401,
    );
  expect((await call('ann')).json()).toMatchObject({ result: {} });
  expect(bearers()).toEqual(['Bearer old', 'Bearer access-1']);
  upstream.script = (_, res) => sendJson(res, {}, 401);
  expect(errorOf(await call('ann')).data.code).toBe('connection_refused');
  expect(authority.requests.length).toBe(1);
});

test('a token of a person that the server refuses is asked for anew, and stays stored', async () => {
  const server = serve(settingsOf({ egress_auth_mode: 'pat' }));
  await world.connect(personOf('ann'), server);
  upstream.script = (_, res) => sendJson(res, {}, 401);
  expect(errorOf(await call('ann'))).toMatchObject({ data: { code: 'connection_needed' } });
  await world.feed.caughtUp();
  expect(errorOf(await call('ann')).message).toContain('no longer takes your credential');
  expect(upstream.received.length).toBe(1);
  expect(await listConnections(database.db, null)).toMatchObject([{ status: 'refused' }]);
});

test.each([
  ['invalid_grant', 400, 'connection_needed', 0],
  ['invalid_client', 401, 'connection_unavailable', 1],
  ['temporarily_unavailable', 503, 'connection_unavailable', 1],
  ['invalid_grant', 500, 'connection_unavailable', 1],
  ['slow down', 429, 'connection_unavailable', 1],
  ['', 0, 'connection_unavailable', 1],
])('a refresh that ends with %s (%i) is %s, and %i connections stay', async (error, status, code, left) => {
  const server = serve(byOauth());
  await world.connect(personOf('ann'), server, { refresh: 'r', accessExpiresAt: clock.now - 1 });
  authority.script = () => ({ status, body: { error } });
  expect(errorOf(await call('ann')).data.code).toBe(code);
  expect(upstream.received).toEqual([]);
  expect((await listConnections(database.db, null)).length).toBe(left);
});

test('an agent without a person gets a plain error, and the credential of the gateway where that is set up', async () => {
  const settings = settingsOf({ egress_auth_mode: 'pat' });
  const server = { id: 'files', name: 'files', settings, url: upstream.url };
  const robot = personOf('robot', { kind: 'agent' });
  expect(() => world.credentials.of(server, robot)).toThrow('an agent that does not act for a person');
  const secret = world.vault.seal(
    { provider: '', subject: '', serverId: 'files', purpose: 'client', address: '' },
    'client-secret',
    's3cret',
  );
  const own = settingsOf({
    ...{
      egress_auth_mode: 'client_credentials',
      custom_token_url: `${authority.origin}/token`,
      client_id: 'gw',
    },
    client_secret: { keyId: world.vault.keyId, sealed: secret },
    target_audience: 'https://files.example',
  });
  const one = await world.credentials.of({ ...server, settings: own }, robot);
  const two = await world.credentials.of({ ...server, settings: own }, personOf('ann'));
  expect([one.value, two.value]).toEqual(['Bearer access-1', 'Bearer access-1']);
  expect(authority.requests).toEqual([
    {
      grant_type: 'client_credentials',
      scope: 'read',
      resource: 'https://files.example',
      basic: 'gw:s3cret',
    },
  ]);
});
