import { decodeJwt, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { hashOf } from '../../identity/keys.ts';
import { rememberPerson } from '../../identity/people.ts';
import { Issuer } from '../../provider/issuer.ts';
import { grantTypes, storeClient } from '../clients/clients.ts';
import { endGrant, endGrantsOfClient } from '../grants.ts';
import { openReplicas, type Replica, registered, send, signedIn } from '../replicas.test-support.ts';

/** Grants without a page: assertions of identity (ID-JAG) and token exchange (RFC 8693). */
let home: Awaited<ReturnType<typeof openReplicas>>;
let here: Replica;
let there: Replica;
let mail: string;
let calendar: string;

const idp = 'https://idp.example/oauth2/default';
const other = 'https://other.example';
const keys = await generateKeyPair('ES256');
const strange = await generateKeyPair('ES256');

beforeAll(async () => {
  home = await openReplicas();
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'ES256' };
  const way = async (url: string | URL | Request) => {
    const document = String(url).endsWith('/jwks')
      ? { keys: [jwk] }
      : { issuer: idp, jwks_uri: `${idp}/jwks` };
    return Response.json(document);
  };
  const trusted = () => ({
    ...{ name: idp, provider: 'entra' },
    issuer: new Issuer(`${idp}/.well-known/openid-configuration`, way, Date.now, {
      ...{ name: idp, algorithms: ['ES256', 'RS256'] },
    }),
  });
  here = await home.start({ issuers: [trusted()] });
  there = await home.start({ issuer: here.issuer, issuers: [trusted()] });
  [mail, calendar] = [`${here.issuer}/mail/mcp`, `${here.issuer}/calendar/mcp`];
  for (const [id, grant_types] of [
    ['portal', [grantTypes.jwtBearer]],
    ['agent', [grantTypes.exchange]],
    ['deputy', [grantTypes.exchange]],
    ['nothing', [grantTypes.clientCredentials]],
  ] as const)
    await storeClient(home.db, {
      ...{ id, kind: 'administrator', status: 'approved', createdBy: 'admin', at: new Date().toISOString() },
      secretHash: hashOf(`secret of ${id}`),
      metadata: {
        ...{ client_name: id, redirect_uris: [], grant_types },
        token_endpoint_auth_method: 'client_secret_basic',
      },
    });
});
afterAll(() => home.close());

const as = (client: string, secret = `secret of ${client}`) => ({
  authorization: `Basic ${Buffer.from(`${client}:${secret.replaceAll(' ', '+')}`).toString('base64')}`,
});

describe('assertions of identity', () => {
  let count = 0;

  /** An assertion of the test issuer; undefined leaves a claim out. */
  async function assertion(change: Record<string, unknown> = {}, header: object = {}, key = keys.privateKey) {
    const now = Math.floor(Date.now() / 1000);
    count += 1;
    const claims = {
      ...{ iss: idp, sub: 'alice', aud: here.issuer, client_id: 'portal', jti: `jti-${count}` },
      ...{ iat: now, exp: now + 300, resource: mail, scope: 'mcp:read mcp:call', ...change },
    };
    const said = Object.entries(claims).filter(([, value]) => value !== undefined);
    return new SignJWT(Object.fromEntries(said) as JWTPayload)
      .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'oauth-id-jag+jwt', ...header })
      .sign(key);
  }

  const redeem = async (
    given: string,
    form: Record<string, string> = {},
    headers: Record<string, string> = as('portal'),
    at = here,
  ) =>
    send(`${at.url}/oauth/token`, { grant_type: grantTypes.jwtBearer, assertion: given, ...form }, headers);

  test('the metadata says that they are taken', async () => {
    const { body } = await send(`${here.url}/.well-known/oauth-authorization-server`);
    expect(body.grant_types_supported).toContain(grantTypes.jwtBearer);
    expect(body.authorization_grant_profiles_supported).toEqual([
      'urn:ietf:params:oauth:grant-profile:id-jag',
    ]);
  });

  test('one gives a token for the person and the one server, without a refresh token, on record', async () => {
    const { status, body } = await redeem(await assertion());
    expect({ status, ...body }).toMatchObject({
      status: 200,
      token_type: 'Bearer',
      scope: 'mcp:read mcp:call',
    });
    expect(body.refresh_token).toBeUndefined();
    expect(decodeJwt(body.access_token ?? '')).toMatchObject({
      aud: mail,
      client_id: 'portal',
      sub: 'entra:alice',
    });
    const who = await there.sees(body.access_token, '/mail');
    expect(who).toMatchObject({
      identity: { username: 'alice@contoso.example', groups: ['alices'], clientId: 'portal' },
    });
    expect(await there.sees(body.access_token, '/calendar')).toMatchObject({ is: 'nobody' });
    expect(here.events.at(-1)).toMatchObject({
      ...{ action: 'oauth.assertion', decision: 'allow', resource: '/mail' },
      who: { username: 'alice@contoso.example', clientId: 'portal' },
    });
  });

  test('what came of it is seen and can be ended, and is over in every replica', async () => {
    const { body } = await redeem(await assertion());
    const { gid } = decodeJwt(body.access_token ?? '') as { gid: string };
    expect(await there.sees(body.access_token, '/mail')).toMatchObject({ is: 'identity' });
    await endGrant(home.db, gid, { at: new Date().toISOString(), by: 'alice', because: 'Enough.' });
    for (const replica of [here, there])
      expect(await replica.sees(body.access_token, '/mail')).toMatchObject({ is: 'nobody' });
  });

  test('it is taken once, in whichever replica', async () => {
    const once = await assertion();
    const statuses = await Promise.all([here, there, here].map((at) => redeem(once, {}, as('portal'), at)));
    expect(statuses.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
  });

  test.each([
    ['the scopes that both sides name', { scope: 'mcp:read other' }, {}, 'mcp:read'],
    ['the scopes that the client asks for', {}, { scope: 'mcp:read' }, 'mcp:read'],
    [
      'the resource that only the client names',
      { resource: undefined },
      { resource: 'MAIL' },
      'mcp:read mcp:call',
    ],
    [
      'one of several resources',
      { resource: ['CALENDAR', 'MAIL'] },
      { resource: 'MAIL' },
      'mcp:read mcp:call',
    ],
    ['an audience in a list of one', { aud: ['ISSUER'] }, {}, 'mcp:read mcp:call'],
    ['no scope in the assertion', { scope: undefined }, {}, 'mcp:read mcp:call'],
  ])('narrowed to %s', async (_, change, form, scope) => {
    const { status, body } = await redeem(
      await assertion(filled(change)),
      filled(form) as Record<string, string>,
    );
    expect({ status, scope: body.scope }).toEqual({ status: 200, scope });
  });

  const now = (): number => Math.floor(Date.now() / 1000);
  test.each([
    ['another issuer', () => assertion({ iss: other }), 'invalid_grant'],
    ['another audience', () => assertion({ aud: other }), 'invalid_grant'],
    [
      'the token endpoint as audience',
      () => assertion({ aud: `${here.issuer}/oauth/token` }),
      'invalid_grant',
    ],
    ['two audiences', () => assertion({ aud: [here.issuer, other] }), 'invalid_grant'],
    ['no audience', () => assertion({ aud: undefined }), 'invalid_grant'],
    ['another client', () => assertion({ client_id: 'agent' }), 'invalid_grant'],
    ['no client', () => assertion({ client_id: undefined }), 'invalid_grant'],
    ['no jti', () => assertion({ jti: undefined }), 'invalid_grant'],
    ['no subject', () => assertion({ sub: undefined }), 'invalid_grant'],
    ['somebody unknown', () => assertion({ sub: 'mallory' }), 'invalid_grant'],
    ['over', () => assertion({ iat: now() - 600, exp: now() - 300 }), 'invalid_grant'],
    ['of the future', () => assertion({ iat: now() + 600, exp: now() + 900 }), 'invalid_grant'],
    ['without an end', () => assertion({ exp: undefined }), 'invalid_grant'],
    ['for a day', () => assertion({ exp: now() + 86_400 }), 'invalid_grant'],
    ['an ID token', () => assertion({}, { typ: 'JWT' }), 'invalid_grant'],
    ['an access token', () => assertion({}, { typ: 'at+jwt' }), 'invalid_grant'],
    ['without a type', () => assertion({}, { typ: undefined }), 'invalid_grant'],
    ['of another key', () => assertion({}, {}, strange.privateKey), 'invalid_grant'],
    ['of a key that nobody published', () => assertion({}, { kid: 'k2' }), 'invalid_grant'],
    ['without a key id', () => assertion({}, { kid: undefined }), 'invalid_grant'],
    ['not signed', async () => unsigned(await assertion()), 'invalid_grant'],
    ['changed', async () => changed(await assertion()), 'invalid_grant'],
    ['no JWT', async () => 'x.y.z', 'invalid_grant'],
    ['nothing', async () => '', 'invalid_request'],
    ['a server elsewhere', () => assertion({ resource: 'https://elsewhere.example/mcp' }), 'invalid_target'],
    ['no server', () => assertion({ resource: undefined }), 'invalid_target'],
    ['none of our scopes', () => assertion({ scope: 'admin' }), 'invalid_scope'],
  ])('refused: %s', async (_, make, error) => {
    const { status, body } = await redeem(await make());
    expect({ status, error: body.error }).toEqual({ status: 400, error });
    expect(body.access_token).toBeUndefined();
    expect(here.events.at(-1)).toMatchObject({ action: 'oauth.assertion', decision: 'deny', who: null });
  });

  test('refused: a resource that the assertion does not name', async () => {
    const { body } = await redeem(await assertion(), { resource: calendar });
    expect(body.error).toBe('invalid_target');
  });

  test.each([
    ['a wrong secret', as('portal', 'guess'), 401],
    ['no secret', {}, 400],
    ['a client without the grant', as('nothing'), 400],
  ])('refused: %s', async (_, headers, status) => {
    const given = await assertion({ client_id: 'nothing' });
    const found = await redeem(given, {}, headers as Record<string, string>);
    expect([found.status, found.body.access_token]).toEqual([status, undefined]);
  });

  test('the issuer away: could not tell, and the assertion is not used up', async () => {
    const fresh = await home.start({
      issuer: here.issuer,
      issuers: [
        {
          name: idp,
          provider: 'entra',
          issuer: new Issuer(idp, offline, Date.now, { algorithms: ['ES256'] }),
        },
      ],
    });
    const given = await assertion();
    expect(await redeem(given, {}, as('portal'), fresh)).toMatchObject({
      body: { error: 'temporarily_unavailable' },
    });
    expect((await redeem(given)).status).toBe(200);
  });

  const offline = async (): Promise<Response> => {
    throw new Error('away');
  };
  const filled = (parts: object): Record<string, unknown> =>
    JSON.parse(
      JSON.stringify(parts, (_, value: unknown) => (value === undefined ? null : value))
        .replaceAll('MAIL', mail)
        .replaceAll('CALENDAR', calendar)
        .replaceAll('ISSUER', here.issuer),
      (_, value: unknown) => (value === null ? undefined : value),
    );
  const unsigned = (jwt: string): string => {
    const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'oauth-id-jag+jwt' })).toString(
      'base64url',
    );
    return `${header}.${jwt.split('.')[1]}.`;
  };
  const changed = (jwt: string): string => {
    const [header, payload = '', signature] = jwt.split('.');
    const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), sub: 'bob' };
    return `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
  };
});

describe('token exchange', () => {
  const accessToken = 'urn:ietf:params:oauth:token-type:access_token';
  const exchange = (
    subject_token: string | undefined,
    form: Record<string, string> = {},
    headers: Record<string, string> = as('agent'),
    at = here,
  ) => {
    const all = {
      ...{
        grant_type: grantTypes.exchange,
        subject_token: subject_token ?? '',
        subject_token_type: accessToken,
      },
      ...{ resource: mail, ...form },
    };
    const given = Object.entries(all).filter(([, value]) => value !== '');
    return send(`${at.url}/oauth/token`, Object.fromEntries(given), headers);
  };
  const aliceFrom = async (said: Parameters<typeof signedIn>[2] = {}) =>
    (await signedIn(here, await registered(here), { resource: mail, ...said })).body.access_token ?? '';

  test('an agent acts for a person: both are in the token, in every decision and on record', async () => {
    const { status, body } = await exchange(await aliceFrom());
    expect({ status, ...body }).toMatchObject({
      status: 200,
      issued_token_type: accessToken,
      token_type: 'Bearer',
    });
    expect(body.refresh_token).toBeUndefined();
    const claims = decodeJwt(body.access_token ?? '');
    expect(claims).toMatchObject({
      aud: mail,
      sub: 'entra:alice',
      client_id: 'agent',
      act: { sub: 'agent' },
    });
    expect(await there.sees(body.access_token, '/mail')).toMatchObject({
      identity: {
        kind: 'person',
        username: 'alice@contoso.example',
        clientId: 'agent',
        clientNames: ['agent'],
        actors: ['agent'],
      },
    });
    expect(here.events.at(-1)).toMatchObject({
      ...{ action: 'oauth.exchange', decision: 'allow' },
      who: { username: 'alice@contoso.example', clientId: 'agent', method: 'token-exchange' },
      detail: { actors: ['agent'] },
    });
  });

  test('an agent passes it on to another: the chain is told, newest first (RFC 8693, section 4.1)', async () => {
    const first = await exchange(await aliceFrom());
    const second = await exchange(first.body.access_token, {}, as('deputy'));
    expect(decodeJwt(second.body.access_token ?? '').act).toEqual({ sub: 'deputy', act: { sub: 'agent' } });
    expect(await here.sees(second.body.access_token, '/mail')).toMatchObject({
      identity: { actors: ['deputy', 'agent'] },
    });
  });

  test('it ends with what it came of, however deep and in every replica; and with its agent', async () => {
    const subject = await aliceFrom();
    const first = await exchange(subject);
    const second = await exchange(first.body.access_token, {}, as('deputy'));
    const how = { at: new Date().toISOString(), by: 'alice', because: 'Enough.' };
    for (const token of [first, second])
      expect(await there.sees(token.body.access_token, '/mail')).toMatchObject({ is: 'identity' });
    await endGrant(home.db, (decodeJwt(subject) as { gid: string }).gid, how);
    for (const replica of [here, there])
      for (const token of [subject, first.body.access_token, second.body.access_token])
        expect(await replica.sees(token, '/mail')).toMatchObject({ is: 'nobody' });
    const again = await exchange(await aliceFrom());
    await endGrantsOfClient(home.db, 'agent', how);
    expect(await there.sees(again.body.access_token, '/mail')).toMatchObject({ is: 'nobody' });
  });

  test.each([
    ['another server', {}, { resource: 'CALENDAR' }, 'invalid_request'],
    ['everything', {}, { resource: 'ISSUER' }, 'invalid_request'],
    ['more than reading', { choice: { reach: 'read' } }, { scope: 'mcp:call' }, 'invalid_scope'],
    ['the registry', {}, { scope: 'registry' }, 'invalid_scope'],
    ['no resource', {}, { resource: '' }, 'invalid_target'],
    ['a resource elsewhere', {}, { resource: 'https://elsewhere.example/mcp' }, 'invalid_target'],
    [
      'a refresh token',
      {},
      { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
      'invalid_request',
    ],
    [
      'an actor besides the client',
      {},
      { actor_token: 'x', actor_token_type: accessToken },
      'invalid_request',
    ],
    [
      'a token of another type',
      {},
      { subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' },
      'invalid_request',
    ],
    ['no type', {}, { subject_token_type: '' }, 'invalid_request'],
    ['no token', {}, { subject_token: '' }, 'invalid_request'],
    ['not a token', {}, { subject_token: 'x.y.z' }, 'invalid_request'],
  ])('refused: %s', async (_, said, form, error) => {
    const given = Object.entries(form).map(([name, value]) => [
      name,
      value.replace('CALENDAR', calendar).replace('ISSUER', here.issuer),
    ]);
    const { status, body } = await exchange(await aliceFrom(said), Object.fromEntries(given));
    expect({ status, error: body.error, token: body.access_token }).toEqual({
      status: 400,
      error,
      token: undefined,
    });
    expect(here.events.at(-1)).toMatchObject({ action: 'oauth.exchange', decision: 'deny' });
  });

  test('never for more than the token it came of: a grant narrowed to one server stays there', async () => {
    const { body } = await signedIn(here, await registered(here), { choice: { place: 'one', at: '/mail' } });
    expect((await exchange(body.access_token)).status).toBe(200);
    expect((await exchange(body.access_token, { resource: calendar })).body.error).toBe('invalid_request');
    expect((await exchange(body.access_token, { resource: here.issuer })).body.error).toBe('invalid_request');
  });

  test('never for longer', async () => {
    const short = await home.start({ issuer: here.issuer, settings: { accessMinutes: 1 } });
    const { body } = await signedIn(short, await registered(here), { resource: mail });
    const found = await exchange(body.access_token);
    expect(Number(found.body.expires_in)).toBeLessThanOrEqual(60);
    const [from, to] = [body.access_token, found.body.access_token].map((one) => decodeJwt(one ?? ''));
    expect(to?.exp).toBeLessThanOrEqual(from?.exp ?? 0);
  });

  test("refused: an agent's own token, and clients that may not or are not who they say", async () => {
    const own = await send(
      `${here.url}/oauth/token`,
      { grant_type: grantTypes.clientCredentials, resource: mail },
      as('nothing'),
    );
    expect((await exchange(own.body.access_token)).body.error).toBe('invalid_request');
    const subject = await aliceFrom();
    expect((await exchange(subject, {}, as('nothing'))).status).toBe(400);
    expect((await exchange(subject, {}, as('agent', 'guess'))).status).toBe(401);
    expect((await exchange(subject, { client_id: await registered(here) }, {})).status).toBe(400);
  });

  test('refused: a person whom the provider has ended', async () => {
    const subject = await aliceFrom({ who: 'bob' });
    await home.db.deleteFrom('people').where('subject', '=', 'bob').execute();
    const fresh = await home.start({ issuer: here.issuer });
    expect((await exchange(subject, {}, as('agent'), fresh)).status).toBe(400);
    const bob = { subject: 'bob', username: 'bob', name: null, email: null, tenant: 't', sid: null };
    await rememberPerson(
      home.db,
      'entra',
      { ...bob, groups: [], groupsComplete: true, logoutHint: null },
      new Date().toISOString(),
    );
  });
});

test('one client cannot flood, and another goes on', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const statuses = new Set<string | undefined>();
  for (let round = 0; round < 31; round += 1)
    for (const { body } of await Promise.all(
      Array.from({ length: 10 }, () =>
        send(`${here.url}/oauth/token`, { grant_type: grantTypes.jwtBearer, assertion: 'x' }, as('portal')),
      ),
    ))
      statuses.add(body.error);
  expect([...statuses]).toContain('temporarily_unavailable');
  const free = await send(`${here.url}/oauth/token`, { grant_type: grantTypes.exchange }, as('deputy'));
  expect(free.body.error).toBe('invalid_request');
});
