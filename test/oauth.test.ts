import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway, type TestGateway } from './harness.ts';
import {
  authorizeUrl,
  callServer,
  openBrowser,
  openSession,
  pkce,
  signInFromClient,
  token,
} from './oauth-client.ts';
import { signIn } from './sign-in.ts';

let gateway: TestGateway;
let clock: string;

beforeAll(async () => {
  gateway = await startGateway();
  clock = `${gateway.url}/currenttime/mcp`;
});
afterAll(() => gateway?.close());

const initialize = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
};

test('a client with nothing but the URL ends signed in', async () => {
  const refused = await callServer(clock, undefined, 'initialize', initialize);
  expect(refused.status).toBe(401);
  const metadataUrl = /resource_metadata="([^"]+)"/.exec(refused.challenge ?? '')?.[1] ?? '';
  const resource = (await (await fetch(metadataUrl)).json()) as Record<string, unknown>;
  expect(resource).toMatchObject({ resource: clock, authorization_servers: [gateway.url] });
  const metadata = await fetch(`${gateway.url}/.well-known/oauth-authorization-server`);
  expect(await metadata.json()).toMatchObject({
    issuer: gateway.url,
    code_challenge_methods_supported: ['S256'],
  });

  const { answer, body, clientId } = await signInFromClient(gateway.url, clock);
  expect(answer.searchParams.get('iss')).toBe(gateway.url);
  expect(answer.searchParams.get('state')).toBe('state-1');
  const { access_token = '' } = body;
  expect(decodeProtectedHeader(access_token)).toMatchObject({ typ: 'at+jwt', alg: 'ES256' });
  expect(decodeJwt(access_token)).toMatchObject({ iss: gateway.url, aud: clock, client_id: clientId });
  expect((await callServer(clock, access_token, 'initialize', initialize)).status).toBe(200);
});

test('a token of one server is worth nothing at another, and at the API', async () => {
  const { body } = await signInFromClient(gateway.url, clock);
  const other = await callServer(
    `${gateway.url}/everything/mcp`,
    body.access_token,
    'initialize',
    initialize,
  );
  expect(other.status).toBe(401);
  const api = await fetch(`${gateway.url}/api/auth/me`, {
    headers: { authorization: `Bearer ${body.access_token}` },
  });
  expect(api.status).toBe(401);
});

test('a refresh that names more than was granted gets what was granted, and one that names nothing of it is refused', async () => {
  const { body, clientId } = await signInFromClient(gateway.url, clock, { reach: 'read', scope: 'mcp:call' });
  expect(body.scope).toBe('mcp:read');
  const refresh = (refresh_token = '', scope = '') =>
    token(gateway.url, {
      ...{ grant_type: 'refresh_token', refresh_token, client_id: clientId, resource: clock, scope },
    });
  const none = await refresh(body.refresh_token, 'registry');
  expect(none).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
  const more = await refresh(body.refresh_token, 'mcp:read mcp:call registry offline_access');
  expect(more).toMatchObject({ status: 200, body: { scope: 'mcp:read' } });
  const claims = JSON.parse(atob(more.body.access_token?.split('.')[1] ?? '')) as { scope: string };
  expect(claims.scope).toBe('mcp:read');
});

test('refresh tokens rotate; one used twice ends its family, access tokens included', async () => {
  const { body, clientId } = await signInFromClient(gateway.url, clock);
  const refresh = (refresh_token = '') =>
    token(gateway.url, {
      grant_type: 'refresh_token',
      refresh_token,
      client_id: clientId,
      resource: clock,
    });
  const second = await refresh(body.refresh_token);
  expect(second.status).toBe(200);
  expect(second.body.refresh_token).not.toBe(body.refresh_token);
  expect((await callServer(clock, second.body.access_token, 'initialize', initialize)).status).toBe(200);
  const replayed = await refresh(body.refresh_token);
  expect(replayed).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  expect(await refresh(second.body.refresh_token)).toMatchObject({
    status: 400,
    body: { error: 'invalid_grant' },
  });
  await expect
    .poll(async () => (await callServer(clock, second.body.access_token, 'initialize', initialize)).status)
    .toBe(401);
});

test('people see and end what their programs may do, and then the next call is 401', async () => {
  const { body, clientId } = await signInFromClient(gateway.url, clock);
  const call = () => callServer(clock, body.access_token, 'initialize', initialize);
  expect((await call()).status).toBe(200);
  const bob = await signIn(gateway.url, 'bob@contoso.example');
  const headers = { cookie: bob.cookie, 'x-csrf-token': bob.csrf };
  const found = async () => {
    const list = await fetch(`${gateway.url}/api/connected-clients`, { headers });
    const { connected_clients } = (await list.json()) as { connected_clients: Record<string, string>[] };
    return connected_clients.find((one) => one.client_id === clientId);
  };
  // The first use is written a second later, further ones with all of a minute.
  await expect.poll(async () => (await found())?.last_used_at).toBeTruthy();
  const mine = await found();
  expect(mine).toMatchObject({
    resource: clock,
    username: 'bob@contoso.example',
    scopes: ['mcp:read', 'mcp:call'],
  });
  const other = await signIn(gateway.url, 'dora@contoso.example');
  const theirs = { cookie: other.cookie, 'x-csrf-token': other.csrf };
  const url = `${gateway.url}/api/connected-clients/${mine?.id}`;
  expect((await fetch(url, { method: 'DELETE', headers: theirs })).status).toBe(404);
  expect((await fetch(url, { method: 'DELETE', headers })).status).toBe(204);
  await expect.poll(async () => (await call()).status).toBe(401);
  const refresh = {
    grant_type: 'refresh_token',
    refresh_token: body.refresh_token ?? '',
    client_id: clientId,
  };
  expect(await token(gateway.url, refresh)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
});

test('an administrator sees who uses a client and blocks it', async () => {
  const { body, clientId } = await signInFromClient(gateway.url, clock);
  const call = () => callServer(clock, body.access_token, 'initialize', initialize);
  expect((await call()).status).toBe(200);
  const alice = await signIn(gateway.url, 'alice@contoso.example');
  const headers = { cookie: alice.cookie, 'x-csrf-token': alice.csrf, 'content-type': 'application/json' };
  const url = `${gateway.url}/api/oauth-clients/${clientId}`;
  expect(await (await fetch(url, { headers })).json()).toMatchObject({
    people: 1,
    status: 'open',
    kind: 'registered',
  });
  const change = { method: 'PATCH', headers, body: JSON.stringify({ status: 'blocked' }) };
  expect((await fetch(url, change)).status).toBe(200);
  await expect.poll(async () => (await call()).status).toBe(401);
  const again = await openBrowser().go(
    authorizeUrl(gateway.url, { client_id: clientId, resource: clock, code_challenge: pkce().challenge }),
  );
  expect(again.status).toBe(400);
  expect(await again.text()).toContain('an administrator blocked it');
});

test('a program that was allowed only reading sees and calls tools that read, and is asked to step up', async () => {
  const everything = `${gateway.url}/everything/mcp`;
  const choice = { as: 'alice@contoso.example', reach: 'read' } as const;
  const { body } = await signInFromClient(gateway.url, everything, choice);
  expect(body.scope?.split(' ')).toContain('mcp:read');
  expect(body.scope?.split(' ')).not.toContain('mcp:call');
  const session = await openSession(everything, body.access_token ?? '');
  const list = await session('tools/list');
  const { tools } = list.result as { tools: { name: string; annotations?: { readOnlyHint?: boolean } }[] };
  expect(tools.length).toBeGreaterThan(0);
  expect(tools.filter(({ annotations }) => annotations?.readOnlyHint !== true)).toEqual([]);
  // What the server does not say of a tool counts as no.
  const refused = await session('tools/call', { name: 'of-which-nothing-is-known', arguments: {} });
  expect(refused.status).toBe(403);
  expect(refused.challenge).toContain('error="insufficient_scope", scope="mcp:read mcp:call"');
  expect(refused.challenge).toContain(
    `resource_metadata="${gateway.url}/.well-known/oauth-protected-resource/everything/mcp"`,
  );
});
