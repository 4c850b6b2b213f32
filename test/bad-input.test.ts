import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { startGateway, type TestGateway } from './harness.ts';
import { agentToken, cookiesOf, signIn, submitSignIn } from './sign-in.ts';

let gateway: TestGateway;
let token: string;
const closers: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  // One test waits for the whole limit; the others have to get their answers within it, on a busy machine too.
  gateway = await startGateway({ environment: { MCP_PROXY_TIMEOUT: '5', MCP_CALL_TIMEOUT_SECONDS: '5' } });
  token = await agentToken(gateway.emulatorUrl, shippedTenant.agents.admin);
});
afterAll(async () => {
  for (const close of closers) await close();
  await gateway?.close();
});

interface RpcError {
  jsonrpc: string;
  id: unknown;
  error: { code: number; message: string; data?: { code?: string } };
}

const call = {
  jsonrpc: '2.0',
  id: 7,
  method: 'tools/call',
  params: { name: 'current_time_by_timezone', arguments: {} },
};

function post(
  body: string,
  headers: Record<string, string> = {},
  path = '/currenttime/mcp',
): Promise<Response> {
  return fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body,
  });
}

test('an unknown path is 404 with the id of the request', async () => {
  const answer = await post(JSON.stringify(call), {}, '/nowhere/mcp');
  expect(answer.status).toBe(404);
  expect((await answer.json()) as RpcError).toMatchObject({ id: 7, error: { data: { code: 'not_found' } } });
});

test('a body over the limit is 413', async () => {
  const big = JSON.stringify({ ...call, params: { ...call.params, padding: 'x'.repeat(5_000_000) } });
  expect((await post(big)).status).toBe(413);
});

test.each([['{'], ['not json'], ['']])(
  'a body that is not JSON (%j) is 400 with a JSON-RPC error',
  async (body) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect((await answer.json()) as RpcError).toMatchObject({
      jsonrpc: '2.0',
      id: null,
      error: { code: -32700 },
    });
  },
);

test.each([
  ['Mcp-Method', { 'mcp-method': 'tools/list' }],
  ['Mcp-Name', { 'mcp-name': 'countdown' }],
])('a modern call whose %s header says something else is 400, -32020', async (_, wrong) => {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const right = {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': call.params.name,
  };
  const body = JSON.stringify({ ...call, params: { ...call.params, _meta: meta } });
  const answer = await post(body, { ...right, ...wrong });
  expect(answer.status).toBe(400);
  expect((await answer.json()) as RpcError).toMatchObject({ error: { code: -32020 } });
  expect((await post(body, right)).status).toBe(200);
});

async function withToken(bad: string): Promise<{ status: number; code: unknown; challenge: string | null }> {
  const answer = await post(JSON.stringify(call), { authorization: `Bearer ${bad}` });
  const { code } = (await answer.json()) as { code?: string };
  return { status: answer.status, code, challenge: answer.headers.get('www-authenticate') };
}

const part = (jwt: string, index: number) =>
  JSON.parse(Buffer.from(jwt.split('.')[index]!, 'base64url').toString()) as Record<string, unknown>;
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

test('tokens that prove nothing are 401 with a challenge', async () => {
  const [header, claims] = [part(token, 0), part(token, 1)];
  const signature = token.split('.')[2]!;
  const bad: Record<string, string> = {
    'alg none': new UnsecuredJWT(claims).encode(),
    'unknown kid': [encode({ ...header, kid: 'made-up' }), encode(claims), signature].join('.'),
    'changed claims': [
      encode(header),
      encode({ ...claims, groups: [shippedTenant.groups.admin] }),
      `${signature.slice(0, -4)}AAAA`,
    ].join('.'),
    'wrong tenant': [encode(header), encode({ ...claims, tid: 'other' }), signature].join('.'),
    garbage: 'garbage',
  };
  for (const [name, jwt] of Object.entries(bad)) {
    const { status, code, challenge } = await withToken(jwt);
    expect([name, status, code]).toEqual([name, 401, 'credential_invalid']);
    expect(challenge).toContain('resource_metadata="');
  }
});

test('the challenge leads to the metadata of exactly this resource', async () => {
  const answer = await fetch(`${gateway.url}/currenttime/mcp`, { method: 'POST', body: '{}' });
  expect(answer.status).toBe(401);
  const url = /resource_metadata="([^"]+)"/.exec(answer.headers.get('www-authenticate') ?? '')?.[1];
  const metadata = (await (await fetch(url!)).json()) as {
    resource: string;
    authorization_servers: string[];
  };
  expect(metadata.resource).toBe(`${gateway.url}/currenttime/mcp`);
  expect(metadata.authorization_servers).toEqual([gateway.url]);
});

test('a token of another tenant, and one for Microsoft Graph, are refused with words that help', async () => {
  const { other } = shippedTenant;
  const foreign = await fetch(`${gateway.emulatorUrl}/${other.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: other.agent.clientId,
      client_secret: other.agent.clientSecret,
      scope: 'https://graph.microsoft.com/.default',
    }),
  });
  const { access_token } = (await foreign.json()) as { access_token: string };
  expect((await withToken(access_token)).status).toBe(401);
});

test('another host name and a foreign origin are refused', async () => {
  const foreign = await post(JSON.stringify(call), { origin: 'https://evil.example' });
  expect(foreign.status).toBe(403);
  const { request } = await import('node:http');
  const status = await new Promise<number | undefined>((done, fail) => {
    const req = request(
      `${gateway.url}/currenttime/mcp`,
      { method: 'POST', headers: { host: 'evil.example' } },
      (res) => {
        res.resume();
        done(res.statusCode);
      },
    );
    req.on('error', fail);
    req.end('{}');
  });
  expect(status).toBe(421);
});

/** Registers a server that behaves as `listener` says. */
async function upstream(path: string, listener: RequestListener): Promise<() => Promise<unknown>> {
  const server = createServer(listener);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const close = () =>
    new Promise((done) => {
      server.closeAllConnections();
      server.close(done);
    });
  closers.push(close);
  const answer = await fetch(`${gateway.url}/api/servers`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      server_name: path,
      path,
      proxy_pass_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
      is_enabled: true,
    }),
  });
  expect(answer.status).toBe(201);
  return close;
}

test('a server that is down is 502', async () => {
  const close = await upstream('/down', (_, res) => res.writeHead(404).end());
  await close();
  const answer = await post(JSON.stringify(call), {}, '/down/mcp');
  expect(answer.status).toBe(502);
  expect((await answer.json()) as RpcError).toMatchObject({
    id: 7,
    error: { data: { code: 'upstream_unreachable' } },
  });
});

test('a server without an answer is 504; one that has begun to answer may take its time', async () => {
  let finish = (): void => {};
  await upstream('/slow', async (req, res) => {
    let body = '';
    for await (const chunk of req) body += chunk;
    // Nobody waits for the check of a new server.
    if (!body.includes('tools/call')) return void res.writeHead(404).end();
    if (!body.includes('"id":8')) return;
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(': begun\n\n');
    finish = () => res.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id: 8, result: {} })}\n\n`);
  });
  const begun = await post(JSON.stringify({ ...call, id: 8 }), {}, '/slow/mcp');
  expect(begun.status).toBe(200);
  // This one waits for the whole limit, longer than which the stream above stays open.
  const never = await post(JSON.stringify(call), {}, '/slow/mcp');
  expect(never.status).toBe(504);
  expect((await never.json()) as RpcError).toMatchObject({ error: { data: { code: 'upstream_timeout' } } });
  finish();
  expect(await begun.text()).toContain('"id":8');
});

test('a forged state and a replayed callback do not sign in', async () => {
  const forged = await fetch(`${gateway.url}/oauth2/callback/entra?code=x&state=made-up`, {
    redirect: 'manual',
  });
  expect(forged.headers.get('location')).toMatch(/^\/login\?error=oauth2_state_invalid/);

  const begun = await fetch(`${gateway.url}/oauth2/login/entra`, { redirect: 'manual' });
  const cookie = cookiesOf(begun);
  const callback = await submitSignIn(
    begun.headers.get('location')!,
    shippedTenant.accounts.user.userPrincipalName,
  );
  const first = await fetch(callback, { redirect: 'manual', headers: { cookie } });
  expect(cookiesOf(first)).toContain('mcp_gateway_session=');
  const replayed = await fetch(callback, { redirect: 'manual', headers: { cookie } });
  expect(replayed.headers.get('location')).toMatch(/^\/login\?error=oauth2_state_invalid/);
  expect(cookiesOf(replayed)).not.toContain('mcp_gateway_session=');
});

test('a code that comes to another callback URL than the one the sign-in named is refused', async () => {
  const begun = await fetch(`${gateway.url}/oauth2/login/entra`, { redirect: 'manual' });
  const callback = await submitSignIn(
    begun.headers.get('location')!,
    shippedTenant.accounts.user.userPrincipalName,
  );
  const other = new URL(callback);
  other.pathname = '/auth/callback';
  const done = await fetch(other, { redirect: 'manual', headers: { cookie: cookiesOf(begun) } });
  expect(cookiesOf(done)).not.toContain('mcp_gateway_session=');
  expect(done.headers.get('location')).toMatch(/^\/login/);
});

test.each(['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)'])(
  'after sign-in nobody is sent to %s',
  async (target) => {
    const begun = await fetch(
      `${gateway.url}/oauth2/login/entra?redirect_uri=${encodeURIComponent(target)}`,
      { redirect: 'manual' },
    );
    const callback = await submitSignIn(
      begun.headers.get('location')!,
      shippedTenant.accounts.user.userPrincipalName,
    );
    const done = await fetch(callback, { redirect: 'manual', headers: { cookie: cookiesOf(begun) } });
    expect(new URL(done.headers.get('location')!, gateway.url).origin).toBe(gateway.url);
  },
);

test('signing out ends the session at once', async () => {
  const session = await signIn(gateway.url, shippedTenant.accounts.user.userPrincipalName);
  const without = await fetch(`${gateway.url}/logout`, {
    method: 'POST',
    headers: { cookie: session.cookie },
  });
  expect(without.status).toBe(403);
  const out = await fetch(`${gateway.url}/logout`, {
    method: 'POST',
    headers: { cookie: session.cookie, 'x-csrf-token': session.csrf, accept: 'application/json' },
  });
  expect((await out.json()) as { redirect: string }).toMatchObject({
    redirect: expect.stringContaining('/oauth2/v2.0/logout'),
  });
  expect((await fetch(`${gateway.url}/api/auth/me`, { headers: { cookie: session.cookie } })).status).toBe(
    401,
  );
});

test('no secret has reached the log', () => {
  const printed = gateway.output();
  for (const secret of [token, shippedTenant.clientSecret, shippedTenant.agents.admin.clientSecret])
    expect(printed).not.toContain(secret);
  expect(printed).not.toMatch(/eyJ[\w-]{20,}\.eyJ/);
  expect(printed).toContain('Raw user info from entra:');
  expect(printed).toContain('Mapped user info:');
});
