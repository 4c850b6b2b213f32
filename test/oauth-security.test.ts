import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { decodeJwt, exportJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway, type TestGateway } from './harness.ts';
import {
  authorizeUrl,
  callServer,
  consent,
  openBrowser,
  pkce,
  redirectUri,
  register,
  signInFromClient,
  token,
} from './oauth-client.ts';
import { signIn } from './sign-in.ts';

/** The attacks of RFC 9700 ("Best Current Practice for OAuth 2.0 Security") and of the MCP authorization specification. */
let gateway: TestGateway;
let clock: string;
let client: Record<string, string>;

beforeAll(async () => {
  gateway = await startGateway();
  clock = `${gateway.url}/currenttime/mcp`;
  client = await register(gateway.url);
});
afterAll(() => gateway?.close());

const initialize = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
};

function ask(parameters: Record<string, string> = {}): URL {
  const { challenge } = pkce();
  return authorizeUrl(gateway.url, {
    client_id: client.client_id ?? '',
    resource: clock,
    code_challenge: challenge,
    ...parameters,
  });
}

describe('codes (sections 2.1.1 and 4.5)', () => {
  test.each([
    ['with another verifier', { code_verifier: pkce().verifier }],
    ['without a verifier', { code_verifier: '' }],
    ['with another redirect URI', { redirect_uri: 'http://127.0.0.1:1/other' }],
    ['for another server', { resource: 'http://localhost:1/everything/mcp' }],
  ])('a code is worth nothing %s', async (_, change) => {
    const { redeem } = await freshCode();
    const given = Object.entries({ ...redeem, ...change }).filter(([, value]) => value !== '');
    const { status, body } = await token(gateway.url, Object.fromEntries(given));
    expect([
      status,
      ['invalid_grant', 'invalid_target', 'invalid_request'].includes(body.error ?? ''),
    ]).toEqual([400, true]);
  });

  test('a code is worth nothing to another client', async () => {
    const { redeem } = await freshCode();
    const other = await register(gateway.url);
    const stolen = await token(gateway.url, { ...redeem, client_id: other.client_id ?? '' });
    expect(stolen).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('a code that comes twice ends the tokens of the first time', async () => {
    const { redeem } = await freshCode();
    const first = await token(gateway.url, redeem);
    expect((await callServer(clock, first.body.access_token, 'initialize', initialize)).status).toBe(200);
    expect(await token(gateway.url, redeem)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    await expect
      .poll(async () => (await callServer(clock, first.body.access_token, 'initialize', initialize)).status)
      .toBe(401);
  });

  async function freshCode() {
    const { verifier, challenge } = pkce();
    const answer = await consent(openBrowser(), ask({ code_challenge: challenge }));
    const code = answer.searchParams.get('code') ?? '';
    expect(code).not.toBe('');
    const redeem = {
      ...{ grant_type: 'authorization_code', code, redirect_uri: redirectUri },
      ...{ client_id: client.client_id ?? '', code_verifier: verifier },
    };
    return { redeem };
  }
});

describe('requests that the client hears about, with iss (RFC 9207)', () => {
  test.each([
    ['no PKCE', { code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
    ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['the implicit flow', { response_type: 'token' }, 'unsupported_response_type'],
    ['a resource elsewhere', { resource: 'https://elsewhere.example/mcp' }, 'invalid_target'],
    ['a resource that is no endpoint', { resource: 'RESOURCE/api/servers' }, 'invalid_target'],
    ['a resource with a query', { resource: 'RESOURCE/currenttime/mcp?x=1' }, 'invalid_target'],
    ['a resource with dot segments', { resource: 'RESOURCE/x/../currenttime/mcp' }, 'invalid_target'],
    ['no question to the person', { prompt: 'none' }, 'consent_required'],
  ])('%s', async (_, change, error) => {
    const given = Object.entries(change).map(([name, value]) => [
      name,
      value.replace('RESOURCE', gateway.url),
    ]);
    const response = await openBrowser().go(ask(Object.fromEntries(given)));
    const to = new URL(response.headers.get('location') ?? '');
    expect(to.origin + to.pathname).toBe(redirectUri);
    const said = new URLSearchParams(to.hash ? to.hash.slice(1) : to.search);
    expect([said.get('error'), said.get('iss'), said.get('state')]).toEqual([error, gateway.url, 'state-1']);
  });

  test('a person who says no', async () => {
    const answer = await consent(openBrowser(), ask(), { decision: 'deny' });
    expect([answer.searchParams.get('error'), answer.searchParams.get('iss')]).toEqual([
      'access_denied',
      gateway.url,
    ]);
  });
});

describe('redirect URIs (sections 2.1 and 4.1)', () => {
  test.each([
    'http://127.0.0.1:51234/other',
    'http://127.0.0.1:51234/callback/',
    'http://127.0.0.1:51234/callback?x=1',
    'http://127.0.0.1.evil.example/callback',
    'http://evil.example/callback',
    'http://evil@127.0.0.1:51234/callback',
    'https://127.0.0.1:51234/callback',
    'http://localhost:51234/callback',
    'javascript:alert(1)',
    '//127.0.0.1:51234/callback',
  ])('%s was not registered: a page says so, and nothing is sent there', async (redirect_uri) => {
    const response = await openBrowser().go(ask({ redirect_uri }));
    expect(response.status).toBe(400);
    expect(response.headers.get('location')).toBeNull();
    expect(await response.text()).toContain('did not register');
  });

  test('the port of a loopback address makes no difference (RFC 8252, section 7.3)', async () => {
    const answer = await consent(openBrowser(), ask({ redirect_uri: 'http://127.0.0.1:7/callback' }));
    expect(answer.host).toBe('127.0.0.1:7');
    expect(answer.searchParams.get('code')).toBeTruthy();
  });
});

describe('registration', () => {
  test.each([
    [
      [
        'https://example.com/cb',
        'cursor://anysphere.cursor-mcp/oauth/callback',
        'http://localhost:8787/callback',
      ],
      true,
    ],
    [['http://127.0.0.1:33418/', 'https://vscode.dev/redirect'], true],
    [['http://[::1]/callback'], true],
    [['com.example.app:/callback'], true],
    [['http://example.com/callback'], false],
    [['https://localhost/callback'], false],
    [['javascript:alert(1)'], false],
    [['data:text/html,x'], false],
    [['https://example.com/cb#fragment'], false],
    [['https://user@example.com/cb'], false],
    [['https://*.example.com/cb'], false],
    [[], false],
  ])('%j', async (redirect_uris, taken) => {
    const answer = await register(gateway.url, { redirect_uris });
    expect(taken ? typeof answer.client_id : answer.error).toBe(taken ? 'string' : 'invalid_redirect_uri');
  });

  test('what is more than a client may ask for is left out, and a secret is shown once', async () => {
    const wanted = ['authorization_code', 'client_credentials', 'implicit'];
    const answer = await register(gateway.url, {
      grant_types: wanted,
      token_endpoint_auth_method: 'client_secret_post',
    });
    expect(answer.grant_types).toEqual(['authorization_code', 'refresh_token']);
    expect(answer.client_secret).toBeTruthy();
    const asked = {
      grant_type: 'client_credentials',
      client_id: answer.client_id ?? '',
      client_secret: answer.client_secret ?? '',
    };
    expect(await token(gateway.url, asked)).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' },
    });
  });
});

describe('client metadata documents', () => {
  test.each([
    'https://127.0.0.1/client.json',
    'https://localhost/client.json',
    'https://[::1]/client.json',
    'https://10.0.0.1/client.json',
    'https://169.254.169.254/latest/meta-data',
    'https://[::ffff:127.0.0.1]/client.json',
    'https://2130706433/client.json',
    'http://example.com/client.json',
    'https://example.com/',
    'https://user:pass@example.com/client.json',
    'https://example.com/a/../client.json',
  ])('%s is never asked', async (client_id) => {
    const response = await openBrowser().go(ask({ client_id }));
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('invalid_client');
  });
});

describe('consent (confused deputy)', () => {
  test('the page is asked for before the provider, is not framed and is not kept', async () => {
    const browser = openBrowser();
    const begun = await browser.go(ask());
    const page = await browser.go(new URL(begun.headers.get('location') ?? '', gateway.url));
    expect(page.status).toBe(200);
    expect(page.headers.get('x-frame-options')).toBe('DENY');
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(page.headers.get('cache-control')).toBe('no-store');
    const text = await page.text();
    expect(text).toContain('this computer');
    expect(text).toContain(clock);
    expect(text).not.toContain('<script');
  });

  test('names of clients are text, whatever they hold', async () => {
    const { client_id = '' } = await register(gateway.url, {
      client_name: '<img src=x onerror=alert(1)>"\'',
    });
    const browser = openBrowser();
    const begun = await browser.go(ask({ client_id }));
    const page = await (await browser.go(new URL(begun.headers.get('location') ?? '', gateway.url))).text();
    expect(page).not.toContain('<img');
    expect(page).toContain('&lt;img');
  });

  test('a link to the page of one browser is nothing in another', async () => {
    const begun = await openBrowser().go(ask());
    const page = await openBrowser().go(new URL(begun.headers.get('location') ?? '', gateway.url));
    expect(page.status).toBe(400);
  });

  test.each([
    ['no CSRF token', {}],
    ['a wrong one', { csrf: 'x'.repeat(43) }],
  ])('with %s nothing is allowed', async (_, csrf) => {
    const browser = openBrowser();
    const begun = await browser.go(ask());
    const url = new URL(begun.headers.get('location') ?? '', gateway.url);
    const body = new URLSearchParams({ decision: 'allow:entra', ...csrf });
    const answer = await browser.go(url, { method: 'POST', body, headers: { origin: gateway.url } });
    expect(answer.status).toBe(403);
    const again = await browser.go(url, {
      method: 'POST',
      body,
      headers: { origin: 'https://evil.example' },
    });
    expect(again.status).toBe(403);
  });

  test('continuing without a choice asks again', async () => {
    const browser = openBrowser();
    const begun = await browser.go(ask());
    const uid = begun.headers.get('location')?.split('/').at(-1);
    const onward = await browser.go(`${gateway.url}/oauth/authorize/${uid}`);
    expect(onward.headers.get('location')).toContain('/oauth/consent/');
  });
});

describe('tokens', () => {
  test('a refresh token is worth nothing to another client', async () => {
    const { body } = await signInFromClient(gateway.url, clock);
    const asked = {
      grant_type: 'refresh_token',
      refresh_token: body.refresh_token ?? '',
      client_id: client.client_id ?? '',
    };
    expect(await token(gateway.url, asked)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('two refreshes at once: one at most succeeds, and the family ends', async () => {
    const { body, clientId } = await signInFromClient(gateway.url, clock);
    const asked = {
      grant_type: 'refresh_token',
      refresh_token: body.refresh_token ?? '',
      client_id: clientId,
    };
    const both = await Promise.all([token(gateway.url, asked), token(gateway.url, asked)]);
    const good = both.filter(({ status }) => status === 200);
    expect(good.length).toBeLessThanOrEqual(1);
    const next = { ...asked, refresh_token: good[0]?.body.refresh_token ?? asked.refresh_token };
    expect(await token(gateway.url, next)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('an access token that its client gives back ends, and introspection says so', async () => {
    const { body, clientId } = await signInFromClient(gateway.url, clock);
    const form = (path: string) =>
      fetch(`${gateway.url}/oauth/${path}`, {
        method: 'POST',
        body: new URLSearchParams({ token: body.access_token ?? '', client_id: clientId }),
      });
    expect(await (await form('introspect')).json()).toMatchObject({
      active: true,
      aud: clock,
      client_id: clientId,
    });
    expect((await form('revoke')).status).toBe(200);
    await expect
      .poll(async () => (await callServer(clock, body.access_token, 'initialize', initialize)).status)
      .toBe(401);
    expect(await (await form('introspect')).json()).toEqual({ active: false });
  });

  test.each(['none', 'HS256'])('a token that says alg %s is nobody', async (alg) => {
    const { body } = await signInFromClient(gateway.url, clock);
    const claims = body.access_token?.split('.')[1];
    const header = Buffer.from(JSON.stringify({ alg, typ: 'at+jwt', kid: 'x' })).toString('base64url');
    expect((await callServer(clock, `${header}.${claims}.`, 'initialize', initialize)).status).toBe(401);
  });
});

describe('agents (client credentials)', () => {
  test('by secret: right, wrong, and without groups', async () => {
    const agent = await setUp({ token_endpoint_auth_method: 'client_secret_post', groups: [] });
    const asked = { grant_type: 'client_credentials', client_id: agent.client_id ?? '', resource: clock };
    expect(await token(gateway.url, { ...asked, client_secret: 'wrong' })).toMatchObject({ status: 401 });
    const { body } = await token(gateway.url, { ...asked, client_secret: agent.client_secret ?? '' });
    expect(decodeJwt(body.access_token ?? '')).toMatchObject({ sub: agent.client_id, aud: clock });
    expect((await callServer(clock, body.access_token, 'initialize', initialize)).status).toBe(403);
  });

  test('by private_key_jwt: right, replayed, of another key, for another audience', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
    const bobs = 'b86acc2f-0000-4000-8000-000000000000';
    const agent = await setUp({
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jwk] },
      groups: [bobs],
    });
    const proof = (key = privateKey, audience = `${gateway.url}/oauth/token`) =>
      new SignJWT({ jti: randomUUID() })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .setIssuer(agent.client_id ?? '')
        .setSubject(agent.client_id ?? '')
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime('1 min')
        .sign(key);
    const send = (client_assertion: string) =>
      token(gateway.url, {
        ...{ grant_type: 'client_credentials', resource: clock, client_assertion },
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      });
    const good = await proof();
    expect(await send(good)).toMatchObject({ status: 200 });
    expect(await send(good)).toMatchObject({ status: 401 });
    expect(
      await send(await proof(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)),
    ).toMatchObject({ status: 401 });
    expect(await send(await proof(privateKey, 'https://elsewhere.example/token'))).toMatchObject({
      status: 401,
    });
  });

  async function setUp(body: object): Promise<Record<string, string>> {
    const alice = await signIn(gateway.url, 'alice@contoso.example');
    const headers = { cookie: alice.cookie, 'x-csrf-token': alice.csrf, 'content-type': 'application/json' };
    const given = { client_name: 'Robot', client_credentials: true, ...body };
    const response = await fetch(`${gateway.url}/api/oauth-clients`, {
      method: 'POST',
      headers,
      body: JSON.stringify(given),
    });
    expect(response.status).toBe(201);
    return (await response.json()) as Record<string, string>;
  }
});

test('a flood of registrations is refused', async () => {
  let refused: Record<string, string> = {};
  for (let attempt = 0; attempt < 80 && !refused.error; attempt += 1) refused = await register(gateway.url);
  expect(refused.error).toBe('temporarily_unavailable');
});
