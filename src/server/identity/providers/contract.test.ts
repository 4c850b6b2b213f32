import fc from 'fast-check';
import { type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../config/config.ts';
import { knownProviders } from '../../config/config-oidc.ts';
import type { Failure } from '../../failure/errors.ts';
import { distrustGroups, endForGood, endProviderTokens } from '../cutoffs.ts';
import {
  ages,
  codeOf,
  failureOf,
  groupsOf,
  type IdentityRoom,
  identityRoom,
} from '../identity.test-support.ts';
import type { SignedIn } from '../sessions/login.ts';
import { providersOf } from './index.ts';
import { type ScriptedIssuer, startIssuer } from './issuer.test-support.ts';
import type { ProviderShape } from './shapes/shape.test-support.ts';
import { shapes } from './shapes.test-support.ts';

const start = Date.parse('2026-11-01T12:00:00Z');
let now = start;
let issuer: ScriptedIssuer;
let room: IdentityRoom;

async function build(shape: ProviderShape, more: Record<string, string> = {}): Promise<void> {
  now = start;
  issuer = await startIssuer(shape.endpoints, shape.client, () => now);
  issuer.script.idToken = () => shape.idToken(shape.groups);
  const settings = {
    ...shape.settings,
    AUTH_PROVIDER: shape.name,
    SECRET_KEY: '3f6c1c0d9e8b7a6f5e4d3c2b1a0f9e8d',
  };
  const config = readConfig({ ...settings, REGISTRY_URL: 'https://gateway.example.com', ...more }, '/srv');
  room = await identityRoom(providersOf(config), issuer.send, () => now);
}

async function signIn(name: string): Promise<SignedIn> {
  const begun = await room.login.begin(name, '/');
  const query = await issuer.visit(begun.url);
  return room.login.complete(query, new Map([[begun.cookieName, begun.cookieValue]]));
}

async function open(name: string): Promise<string> {
  const { provider, person, refreshToken } = await signIn(name);
  return room.sessions.open(provider.name, person, refreshToken);
}

test('every provider that the settings know is in this suite', () => {
  expect(shapes.map(({ name }) => name).sort()).toEqual([...knownProviders].sort());
});

describe.each(shapes)('$name: sign-in', (shape) => {
  beforeEach(() => build(shape));
  afterEach(async () => {
    await room.database.close();
    await issuer.close();
  });
  const { name, alice, groups } = shape;

  test('gives the person by a stable id, with name and groups as the provider writes them', async () => {
    const { person } = await signIn(name);
    expect(person).toMatchObject({ ...alice, groups, groupsComplete: true });
  });

  test.each<[string, JWTPayload]>([
    ['of another issuer', { iss: 'https://elsewhere.example.com' }],
    ['for another client', { aud: 'another-client', azp: 'another-client' }],
    ['that has expired', { exp: start / 1000 - 120 }],
    ['about nobody', { sub: undefined, oid: undefined }],
  ])('refuses an ID token %s', async (_, change) => {
    issuer.script.idToken = () => ({ ...shape.idToken(groups), ...change });
    expect(await failureOf(signIn(name))).toMatch(
      /^(credential_invalid|sign_in_refused|credential_expired)$/,
    );
  });

  test('whatever is in an ID token, signing in succeeds or is refused', async () => {
    const names = [
      ...Object.keys(shape.idToken(groups)),
      'exp',
      'iat',
      'nbf',
      'jti',
      'groups',
      'email',
      'sid',
    ];
    const changes = fc.dictionary(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 });
    await fc.assert(
      fc.asyncProperty(changes, async (change) => {
        issuer.script.idToken = () => ({ ...shape.idToken(groups), ...change });
        const failure = await signIn(name).then(
          () => null,
          (error: unknown) => error,
        );
        if (failure !== null)
          expect(failure).toMatchObject({
            status: expect.any(Number),
            code: expect.stringMatching(/^(credential_|sign_in_|groups_)/),
          });
      }),
      { numRuns: 40 },
    );
  });

  test('an answer that belongs to another browser opens nothing', async () => {
    const begun = await room.login.begin(name, '/');
    const query = await issuer.visit(begun.url);
    expect(await failureOf(room.login.complete(query, new Map([[begun.cookieName, 'x']])))).toBe(
      'sign_in_state',
    );
  });

  test('who is moved to other groups has those after the next reading, in sessions and personal tokens', async () => {
    const session = await open(name);
    const token = await room.mint(session);
    const before = await room.sessions.resume(session);
    expect(before?.groups).toEqual(groups);
    const moved = name === 'google' ? ['domain:example.com', 'email:other@example.com'] : ['another-group'];
    issuer.script.idToken = () => shape.idToken(moved);
    now += ages.maxAge + 1;
    expect((await room.sessions.resume(session))?.groups).toEqual(moved);
    expect(groupsOf(await room.ask(token))).toEqual(moved);
  });

  test('a disabled account loses session and personal token for good', async () => {
    const session = await open(name);
    const token = await room.mint(session);
    issuer.script.refusal = 'invalid_grant';
    now += ages.maxAge + 1;
    expect(await failureOf(room.sessions.resume(session))).toBe('credential_revoked');
    issuer.script.refusal = null;
    expect(codeOf(await room.ask(token))).toBe('credential_revoked');
  });

  test('a refresh that answers for somebody else ends access', async () => {
    const session = await open(name);
    issuer.script.idToken = () => ({ ...shape.idToken(groups), sub: 'mallory', oid: 'mallory' });
    now += ages.maxAge + 1;
    expect(await failureOf(room.sessions.resume(session))).toBe('credential_revoked');
  });

  test('a fault of the gateway itself signs nobody out', async () => {
    const session = await open(name);
    issuer.script.refusal = 'invalid_client';
    now += ages.maxAge + 1;
    expect((await room.sessions.resume(session))?.groups).toEqual(groups);
  });

  test('signing out leads to where the provider ends its session, and back', async () => {
    const session = await open(name);
    const hash = (await room.sessions.resume(session))?.credentialId ?? '';
    const ended = await room.sessions.end(hash);
    const url = await room.login.logoutUrl(name, ended?.logoutHint ?? null);
    if (!shape.signOut) return expect(url).toBeUndefined();
    expect(url?.href).toMatch(shape.signOut);
    expect([...(url?.searchParams.values() ?? [])]).toContain(
      `https://gateway.example.com/oauth2/callback/${name}`,
    );
  });

  test('what sign-out needs is not stored in the clear', async () => {
    await open(name);
    const rows = await room.database.db.selectFrom('sessions').selectAll().execute();
    const people = await room.database.db.selectFrom('people').selectAll().execute();
    expect(JSON.stringify([rows, people])).not.toMatch(/eyJ/);
  });
});

describe.each(shapes)('$name: an answer meant for another provider (RFC 9700, section 4.4)', (shape) => {
  afterEach(async () => {
    await room.database.close();
    await issuer.close();
  });
  const { name } = shape;
  const own = `/oauth2/callback/${name}`;
  const other = name === 'oidc' ? '/oauth2/callback/entra' : '/oauth2/callback/oidc';
  /** What comes of the callback as `change` makes it, and whether a code went to the token endpoint. */
  const endsIn = async (change: (callback: URL) => void, host?: string) => {
    const begun = await room.login.begin(name, '/');
    const callback = await issuer.visit(begun.url);
    change(callback);
    room.sent.length = 0;
    const done = room.login.complete(callback, new Map([[begun.cookieName, begun.cookieValue]]), host);
    const code = await done.then(
      () => 'signed in',
      (error: Failure) => error.code,
    );
    const asked = room.sent.includes(`POST ${new URL(shape.endpoints.token).pathname}`);
    return `${code}, ${asked ? 'the code was sent on' : 'nothing was sent'}`;
  };
  const announcing: ProviderShape = {
    ...shape,
    endpoints: {
      ...shape.endpoints,
      discovery: Object.fromEntries(
        Object.entries(shape.endpoints.discovery).map(([url, document]) => [
          url,
          { ...document, authorization_response_iss_parameter_supported: true },
        ]),
      ),
    },
  };
  const issOf = (): string => String(shape.idToken([]).iss);

  test.each([
    ['of another provider', other],
    ['shared by providers', '/auth/callback'],
    ['with another case', own.toUpperCase()],
    ['with a slash more', `${own}/`],
  ])('does not go to this one: callback %s', async (_, path) => {
    await build(shape);
    expect(
      await endsIn((callback) => {
        callback.pathname = path;
      }),
    ).toBe('sign_in_state, nothing was sent');
  });

  test('its own callback signs in by every host that leads there, and not twice', async () => {
    await build(shape);
    expect(await endsIn(() => {})).toBe('signed in, the code was sent on');
    expect(await endsIn(() => {}, '10.0.0.7:8080')).toBe('signed in, the code was sent on');
  });

  test.each<[string, (callback: URL) => void]>([
    ['of another issuer', ({ searchParams }) => searchParams.set('iss', 'https://hostile.example')],
    ['of this issuer with a slash more', ({ searchParams }) => searchParams.set('iss', `${issOf()}/`)],
    [
      'of two issuers',
      ({ searchParams }) => [issOf(), issOf()].map((iss) => searchParams.append('iss', iss)),
    ],
    ['of an empty issuer', ({ searchParams }) => searchParams.set('iss', '')],
  ])('does not go to this one: iss %s', async (_, change) => {
    for (const one of [shape, announcing]) {
      await build(one);
      expect(await endsIn(change)).toBe('sign_in_refused, nothing was sent');
      if (one === shape) await Promise.all([room.database.close(), issuer.close()]);
    }
  });

  test('where the provider announces iss, an answer without it is refused', async () => {
    await build(announcing);
    expect(await endsIn(() => {})).toBe('sign_in_refused, nothing was sent');
  });

  test('where the provider announces iss, its own signs in', async () => {
    await build(announcing);
    expect(await endsIn(({ searchParams }) => searchParams.set('iss', issOf()))).toBe(
      'signed in, the code was sent on',
    );
  });
});

describe.each(shapes.filter(({ bearer }) => bearer))('$name: access tokens', (shape) => {
  beforeEach(() => build(shape));
  afterEach(async () => {
    await room.database.close();
    await issuer.close();
  });
  const { name, groups, alice } = shape;
  const bearer = shape.bearer!;
  const isAsked = async (claims: JWTPayload, as?: { kid?: string; typ?: string }) =>
    room.ask(await issuer.sign(claims, as));
  const saidOf = async (claims: JWTPayload): Promise<string> => {
    const who = await isAsked(claims);
    return who.is === 'identity' ? 'identity' : `${who.failure.code}: ${who.failure.message}`;
  };
  const addRow = (client: string, enabled = 1) =>
    room.database.db
      .insertInto('m2m_clients')
      .values({
        ...{ provider: name, client_id: client.toLowerCase(), name: client, groups: '["from-our-table"]' },
        ...{ description: '', is_enabled: enabled, created_at: '', updated_at: '', created_by: '' },
      } as never)
      .execute();

  test('a person is who signs in, by the same id, with the groups of the token', async () => {
    const who = await isAsked(bearer.person(groups));
    expect(who).toMatchObject({
      identity: { kind: 'person', provider: name, subject: alice.subject, groups },
    });
  });

  test.each<[string, JWTPayload, RegExp]>([
    ['of another issuer', { iss: 'https://elsewhere.example.com' }, /Invalid issuer/],
    ['that has expired', { exp: start / 1000 - 120 }, /credential_expired/],
    ['for another audience', { aud: 'api://somebody-else', client_id: 'x' }, bearer.remedy],
    ...Object.entries(bearer.wrong).map(([what, change]): [string, JWTPayload, RegExp] => [
      what,
      change,
      /credential_invalid/,
    ]),
  ])('refused: a token %s', async (_, change, expected) => {
    expect(await saidOf({ ...bearer.person(groups), ...change })).toMatch(expected);
  });

  test('refused: an ID token of a sign-in', async () => {
    expect(await saidOf(shape.idToken(groups))).toMatch(/credential_invalid/);
  });

  test('refused: an unknown key, no signature, a shared secret, no JWT', async () => {
    const claims = { ...bearer.person(groups), exp: start / 1000 + 600 };
    const unsigned = new UnsecuredJWT(claims).encode();
    const shared = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: 'k' })
      .sign(new TextEncoder().encode(shape.client.secret));
    expect(codeOf(await isAsked(claims, { kid: 'made-up' }))).toBe('credential_invalid');
    for (const token of [unsigned, shared, 'ya29.opaque'])
      expect(codeOf(await room.ask(token))).toBe('credential_invalid');
  });

  test('whatever is in a token, the answer is about the token and never a fault of the gateway', async () => {
    const good = { ...bearer.person(groups), ...bearer.agent(groups), typ: 'Bearer', exp: 0, nbf: 0, iat: 0 };
    const names = [
      ...Object.keys(good),
      'groups',
      'roles',
      'nonce',
      'kid',
      '_claim_names',
      'realm_access',
      'scp',
    ];
    const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(...Object.values(good)));
    const changes = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 3 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('person', 'agent'), changes, changes, async (kind, change, head) => {
        const claims = { ...bearer[kind as 'person' | 'agent'](groups), ...change } as JWTPayload;
        const unsigned = [{ alg: 'RS256', kid: 'k', ...head }, claims].map((part) =>
          Buffer.from(JSON.stringify(part)).toString('base64url'),
        );
        const tokens = [`${unsigned.join('.')}.c2ln`, `${unsigned.join('.')}.`];
        const signed = await issuer.sign(claims).catch(() => undefined);
        for (const token of [...tokens, ...(signed ? [signed] : [])]) {
          const who = await room.ask(token);
          expect(who.is === 'unknown' ? who.failure : who.is).toMatch(/^(nobody|identity)$/);
        }
      }),
      { numRuns: 150 },
    );
  });

  test.each(['', '.', '..', '...', 'a.b.c', 'bnVsbA.bnVsbA.bnVsbA', 'W10.W10.', 'e30.IjEi.e30', 'MQ.MQ.MQ'])(
    'no fault of the gateway either: the token "%s"',
    async (token) => {
      expect((await room.ask(token)).is).toBe('nobody');
    },
  );

  test('new keys of the issuer are found', async () => {
    expect(codeOf(await isAsked(bearer.person(groups)))).toBe('identity');
    issuer.rotateKeys();
    expect(codeOf(await isAsked(bearer.person(groups)))).toBe('identity');
  });

  test('an agent is told apart from a person and goes by its client', async () => {
    await addRow(bearer.agentClient);
    const who = await isAsked(bearer.agent(groups));
    expect(who).toMatchObject({
      identity: { kind: 'agent', clientId: bearer.agentClient, username: bearer.agentClient },
    });
    expect(groupsOf(who)).toEqual(bearer.agentHasGroups ? groups : ['from-our-table']);
  });

  test('an agent that nobody gave groups is told so, and one that is switched off is refused', async () => {
    expect(await saidOf(bearer.agent([]))).toMatch(/^groups_/);
    await addRow(bearer.agentClient, 0);
    expect(await saidOf({ ...bearer.agent(groups), jti: 'another' })).toMatch(/^client_refused/);
  });

  describe('after something has ended', () => {
    const at = (): string => new Date(now).toISOString();
    const [owner, agent] = [
      { provider: name, subject: alice.subject },
      { provider: name, subject: String(bearer.agent([]).oid ?? bearer.agent([]).sub) },
    ];
    /** What comes of a token, when the feed has said what ended. */
    const askAnew = async (token: string): Promise<string> => {
      await room.feed.caughtUp();
      return codeOf(await room.ask(token));
    };

    test.each([
      ['person', owner],
      ['agent', agent],
    ] as const)('tokens of a %s issued before count no more, later ones do', async (kind, whose) => {
      const { db } = room.database;
      const token = await issuer.sign(bearer[kind](groups));
      if (kind === 'agent') await addRow(bearer.agentClient);
      expect(await askAnew(token)).toBe('identity');
      now += 900;
      await endProviderTokens(db, whose, at(), 'It was ended.');
      expect(await askAnew(token)).toBe('credential_revoked');
      for (const iat of [undefined, 'tomorrow', null, '9999999999'])
        expect(await askAnew(await issuer.sign({ ...bearer[kind](groups), iat } as JWTPayload))).not.toBe(
          'identity',
        );
      now += 1000;
      expect(await askAnew(await issuer.sign(bearer[kind](groups)))).toBe('identity');
      expect(await askAnew(token)).toBe('credential_revoked');
    });

    test('no token of a deleted account counts, until its owner signs in again', async () => {
      const { db } = room.database;
      const before = await issuer.sign(bearer.person(groups));
      await endForGood(db, owner, at(), 'Your account was deleted.');
      now += 5000;
      const after = await issuer.sign(bearer.person(groups));
      expect([await askAnew(before), await askAnew(after)]).toEqual([
        'credential_revoked',
        'credential_revoked',
      ]);
      await open(name);
      expect([await askAnew(before), await askAnew(after)]).toEqual(['credential_revoked', 'identity']);
    });

    test('the groups of tokens from before a change of groups are not believed', async () => {
      const token = await issuer.sign(bearer.person(groups));
      expect(await askAnew(token)).toBe('identity');
      now += 900;
      await distrustGroups(room.database.db, owner, at());
      await room.feed.caughtUp();
      const who = await room.ask(token);
      expect(groupsOf(who) ?? []).toEqual([]);
      now += 1000;
      expect(groupsOf(await room.ask(await issuer.sign(bearer.person(groups))))).toEqual(groups);
    });

    test('a refusal by the provider ends its access tokens too', async () => {
      const session = await open(name);
      const token = await issuer.sign(bearer.person(groups));
      issuer.script.refusal = 'invalid_grant';
      now += ages.maxAge + 1;
      expect(await failureOf(room.sessions.resume(session))).toBe('credential_revoked');
      expect(await askAnew(token)).toBe('credential_revoked');
    });
  });

  test('our own table never gives groups to a person who uses that client', async () => {
    const person = bearer.person([]);
    for (const client of [person.client_id, person.azp]) if (typeof client === 'string') await addRow(client);
    expect(groupsOf(await isAsked(person))).toEqual([]);
  });
});

describe('what only some providers do', () => {
  afterEach(async () => {
    await room.database.close();
    await issuer.close();
  });
  const shapeOf = (name: string) => shapes.find((one) => one.name === name)!;

  test('ES256 is verified where a provider may use it', async () => {
    const shape = shapeOf('oidc');
    await build(shape);
    issuer.script.algorithm = 'ES256';
    expect((await signIn('oidc')).person.groups).toEqual(shape.groups);
    expect(codeOf(await room.ask(await issuer.sign(shape.bearer!.person([]))))).toBe('identity');
  });

  test('groups that the ID token lacks are read from userinfo, and a refresh may do without ID tokens', async () => {
    await build(shapeOf('oidc'));
    issuer.script.idToken = () => ({ ...shapeOf('oidc').idToken([]), realm_access: undefined });
    issuer.script.userInfo = () => ({ sub: 'alice-1', realm_access: { roles: ['from-userinfo'] } });
    issuer.script.refreshGivesIdToken = false;
    const session = await open('oidc');
    expect((await room.sessions.resume(session))?.groups).toEqual(['from-userinfo']);
    issuer.script.userInfo = () => ({ sub: 'alice-1', realm_access: { roles: ['moved'] } });
    now += ages.maxAge + 1;
    expect((await room.sessions.resume(session))?.groups).toEqual(['moved']);
  });

  test('userinfo about somebody else is refused', async () => {
    await build(shapeOf('oidc'));
    issuer.script.idToken = () => ({ ...shapeOf('oidc').idToken([]), realm_access: undefined });
    issuer.script.userInfo = () => ({ sub: 'mallory', realm_access: { roles: ['admins'] } });
    expect(await failureOf(signIn('oidc'))).toBe('sign_in_refused');
  });

  test('a provider that calls itself otherwise than the settings is not believed', async () => {
    await build(shapeOf('oidc'), { OIDC_ISSUER: 'https://id.example.com/tenant' });
    const error = await signIn('oidc').catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'identity_unavailable' });
    expect((error as Failure).message).toContain('https://id.example.com/tenant/');
  });

  test('a Keycloak user who is called like a service account is a person', async () => {
    const shape = shapeOf('keycloak');
    await build(shape);
    const { client_id: _, ...person } = shape.bearer!.agent(['admins']);
    expect(await room.ask(await issuer.sign(person))).toMatchObject({ identity: { kind: 'person' } });
  });

  test.each([
    ['of no Workspace', { hd: undefined }],
    ['of another Workspace', { hd: 'evil.example' }],
    ['with an unverified address', { email_verified: false }],
  ])('a Google account %s does not sign in', async (_, change) => {
    const shape = shapeOf('google');
    await build(shape);
    issuer.script.idToken = () => ({ ...shape.idToken([]), ...change });
    expect(await failureOf(signIn('google'))).toBe('sign_in_refused');
  });

  test('a Google ID token is no key to the gateway', async () => {
    const shape = shapeOf('google');
    await build(shape);
    const who = await room.ask(await issuer.sign(shape.idToken([])));
    expect(who).toMatchObject({ is: 'nobody', failure: { code: 'credential_invalid' } });
    expect(JSON.stringify(who.is === 'nobody' && who.failure.message)).toMatch(/personal token/);
  });

  test('an application of Auth0 is an agent in either profile of its tokens', async () => {
    const shape = shapeOf('auth0');
    await build(shape);
    const { gty: _, azp, ...claims } = shape.bearer!.agent([]);
    const token = await issuer.sign({ ...claims, client_id: azp, 'https://mcp-gateway/groups': ['agents'] });
    expect(await room.ask(token)).toMatchObject({ identity: { kind: 'agent', clientId: azp } });
  });

  test('Auth0 without an audience accepts no access token and says what to set', async () => {
    const shape = shapeOf('auth0');
    await build(shape, { AUTH0_AUDIENCE: '' });
    const who = await room.ask(await issuer.sign({ ...shape.bearer!.person([]), aud: '' }));
    expect(who.is === 'nobody' && who.failure.message).toMatch(/AUTH0_AUDIENCE/);
  });
});
