import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { OpenDatabase } from '../db/open.ts';
import type { Identity } from '../identity/identity.ts';
import { callbackOf } from './clients.ts';
import { ConnectFailed } from './connecting.ts';
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
import { listConnections } from './store.ts';

const clock: Clock = { now: 0 };
const ann = personOf('ann');
let database: OpenDatabase;
let authority: ScriptedAuthority;
let world: Awaited<ReturnType<typeof startProcess>>;
let server: EgressServer;

beforeEach(async () => {
  clock.now = Date.parse('2026-11-29T12:00:00Z');
  [database, authority] = [await openMemory(), await startAuthority()];
  world = await startProcess(database, clock);
  server = serverWith({ client_id: null, scopes: [] });
});

afterEach(async () => {
  await world.close();
  await Promise.all([authority.close(), database.close()]);
});

function serverWith(more: Parameters<typeof settingsOf>[0]): EgressServer {
  return { id: 'files', name: 'files', settings: settingsOf(more), url: new URL(`${authority.origin}/mcp`) };
}

/** The parameters of the address that the browser goes to. */
const begin = async (who: Identity = ann, at = server) =>
  Object.fromEntries(new URL(await world.connecting.begin(at, who)).searchParams);
const complete = (
  query: Record<string, string>,
  who: Identity = ann,
  at: EgressServer | undefined = server,
  path = callbackOf(at),
) => world.connecting.complete(new URLSearchParams(query), path, who, () => at);
const problemOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => 'connected',
    (error: unknown) => (error instanceof ConnectFailed ? error.problem : error),
  );

test('a server is connected to by what it says of itself: registered, with PKCE, for its own address', async () => {
  const sent = await begin();
  expect(sent).toMatchObject({
    ...{ response_type: 'code', client_id: 'registered-by-itself', scope: 'files:read' },
    ...{
      redirect_uri: `http://gateway.example/oauth2/egress/callback/${server.id}`,
      code_challenge_method: 'S256',
    },
    resource: `${authority.origin}/mcp`,
  });
  const { connection } = await complete({ state: sent.state ?? '', code: 'c0de' });
  expect(authority.requests).toMatchObject([
    {
      grant_type: 'authorization_code',
      code: 'c0de',
      client_id: 'registered-by-itself',
      resource: sent.resource,
    },
  ]);
  const verifier = authority.requests[0]?.code_verifier ?? '';
  expect(createHash('sha256').update(verifier).digest('base64url')).toBe(sent.code_challenge);
  expect(connection).toMatchObject({
    issuer: authority.origin,
    scopes: ['files:read'],
    audience: sent.resource,
  });
  expect(JSON.stringify(await database.db.selectFrom('connections').selectAll().execute())).not.toMatch(
    /access-1|refresh-1/,
  );
  expect((await world.credentials.of(server, ann))?.value).toBe('Bearer access-1');
  await begin();
  expect(authority.registrations).toBe(1);
});

test('an attempt belongs to the session that asked, is used once, ends, and is for the server as it was', async () => {
  const { state = '' } = await begin();
  const answer = { state, code: 'c' };
  for (const other of [
    personOf('bob'),
    personOf('ann', { credentialId: 'another session' }),
    personOf('ann', { provider: 'other' }),
  ])
    expect(await problemOf(complete(answer, other))).toBe('state');
  expect(await problemOf(complete({ code: 'c' }))).toBe('state');
  expect(await problemOf(complete({ state: `${state}=`, code: 'c' }))).toBe('state');
  expect(await problemOf(complete(answer, ann, { ...server, id: 'registered anew' }))).toBe('state');
  expect(await problemOf(complete(answer, ann, serverWith({ client_id: 'other' })))).toBe('state');
  expect(
    await problemOf(
      world.connecting.complete(new URLSearchParams(answer), callbackOf(server), ann, () => undefined),
    ),
  ).toBe('state');
  expect(authority.requests).toEqual([]);
  expect(await problemOf(complete(answer))).toBe('connected');
  expect(await problemOf(complete(answer))).toBe('state');
  const { state: late = '' } = await begin();
  clock.now += 600_000;
  expect(await problemOf(complete({ state: late, code: 'c' }))).toBe('state');
});

test('a code of one authorization server never goes to another that a server names itself (mix-up)', async () => {
  // Neither says who it is in its response. The one of the hostile server sends the browser on to the other one.
  const honest = await startAuthority();
  const fixed = serverWith({
    ...{ client_id: 'gateway' },
    custom_authorize_url: `${honest.origin}/authorize`,
    custom_token_url: `${honest.origin}/token`,
  });
  const other = { ...server, id: 'another-server', name: 'other', url: new URL(`${honest.origin}/mcp`) };
  for (const victim of [fixed, other]) {
    const { state = '' } = await begin();
    const asked = await begin(ann, victim);
    expect(asked.redirect_uri).not.toBe((await begin()).redirect_uri);
    const { pathname } = new URL(asked.redirect_uri ?? '');
    expect(await problemOf(complete({ state, code: 'c' }, ann, server, pathname))).toBe('issuer');
    // The attempt is over with that.
    expect(await problemOf(complete({ state, code: 'c' }))).toBe('state');
  }
  expect(authority.requests).toEqual([]);
  await honest.close();
});

test("another authorization server's answer is not taken, and no code goes to one that the server names since", async () => {
  authority.metadata = { authorization_response_iss_parameter_supported: true };
  const [one, two, three] = [await begin(), await begin(), await begin()];
  expect(await problemOf(complete({ state: one.state ?? '', code: 'c' }))).toBe('issuer');
  expect(await problemOf(complete({ state: two.state ?? '', code: 'c', iss: 'https://evil.example' }))).toBe(
    'issuer',
  );
  expect(await problemOf(complete({ state: three.state ?? '', code: 'c', iss: authority.origin }))).toBe(
    'connected',
  );
  const { state = '' } = await begin();
  clock.now += 599_000;
  const evil = await startAuthority();
  authority.resource = { authorization_servers: [evil.origin] };
  clock.now += 500;
  const later = await startProcess(database, clock);
  const attempt = later.connecting.complete(
    new URLSearchParams({ state, code: 'c', iss: evil.origin }),
    callbackOf(server),
    ann,
    () => server,
  );
  expect(await problemOf(attempt)).toBe('issuer');
  expect(evil.requests).toEqual([]);
  await later.close();
  await evil.close();
});

test.each([
  ['the person says no', { error: 'access_denied' }, 'denied', undefined],
  ['the server refuses the request', { error: 'invalid_scope' }, 'refused', undefined],
  ['there is no code', {}, 'refused', undefined],
  ['the code is refused', { code: 'c' }, 'refused', { status: 400, body: { error: 'invalid_grant' } }],
  ['the server is down', { code: 'c' }, 'unavailable', { status: 503, body: {} }],
  ['there is no token', { code: 'c' }, 'unavailable', { body: { token_type: 'bearer' } }],
  ['the token cannot be a header', { code: 'c' }, 'unavailable', { body: { access_token: 'a\r\nb: c' } }],
])('when %s nothing is stored', async (_, query, problem, said) => {
  const { state = '' } = await begin();
  if (said) authority.script = () => said;
  expect(await problemOf(complete({ ...(query as Record<string, string>), state }))).toBe(problem);
  expect(await listConnections(database.db, null)).toEqual([]);
});

test('a token for another audience is not kept', async () => {
  const at = serverWith({ client_id: null, target_audience: 'https://files.example' });
  const { state = '' } = await begin(ann, at);
  const claims = Buffer.from(JSON.stringify({ aud: 'https://mail.example' })).toString('base64url');
  authority.script = () => ({ body: { access_token: `e30.${claims}.sig` } });
  expect(await problemOf(complete({ state, code: 'c' }, ann, at))).toBe('refused');
  expect(await listConnections(database.db, null)).toEqual([]);
});

test.each([
  ['its document is about another host', { resource: 'https://evil.example/mcp' }, {}],
  ['its document is about another path', { resource: 'ORIGIN/other' }, {}],
  ['the metadata name another issuer', {}, { issuer: 'https://evil.example' }],
  ['the authorization server knows no PKCE', {}, { code_challenge_methods_supported: ['plain'] }],
])('nobody is sent anywhere when %s', async (_, resource, metadata) => {
  authority.resource = JSON.parse(JSON.stringify(resource).replace('ORIGIN', authority.origin));
  authority.metadata = metadata;
  await expect(begin()).rejects.toMatchObject({ code: 'connection_unavailable' });
});
