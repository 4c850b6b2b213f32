import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { shippedTenant } from '../../src/entra-emulator/shipped.ts';
import { freePort, startGateway, type TestGateway } from '../harness.ts';
import { agentToken, cookiesOf, mintToken, signIn, submitSignIn } from '../sign-in.ts';

/*
 * Attacks of docs/security.md as an outsider, an insider and a server carry them out: over sockets, against a gateway that
 * runs as a process, by nothing that is not public. So they can be run against any version; the numbers are those of the
 * table.
 */

let gateway: TestGateway;
let admin: string;
/** Accounts that may do everything, something, and nothing on the server `/hostile`. */
let boss: string;
let bob: string;
let stray: string;
let upstream: Server;
let received: { readonly headers: IncomingHttpHeaders; readonly body: string }[];
let script: (res: ServerResponse, body: string) => void;

const json = { 'content-type': 'application/json' };
const rpc = (method: string, params?: object, id = 1): object => ({ jsonrpc: '2.0', id, method, params });
const usual = (res: ServerResponse, body: string): void => {
  const { id } = JSON.parse(body || '{}') as { id?: number };
  res.writeHead(200, json).end(JSON.stringify({ jsonrpc: '2.0', id: id ?? 1, result: {} }));
};

beforeAll(async () => {
  upstream = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      received.push({ headers: req.headers, body });
      script(res, body);
    });
  }).listen(0, '127.0.0.1');
  received = [];
  script = usual;
  await once(upstream, 'listening');
  gateway = await startGateway({
    environment: {
      ...{ TRUSTED_PROXY_HOPS: '1', LOG_FORMAT: 'text', UPSTREAM_ALLOWED_NETWORKS: 'private' },
      HEALTH_CHECK_INTERVAL_SECONDS: '0',
    },
  });
  const { agents } = shippedTenant;
  [admin, boss, bob, stray] = (await Promise.all(
    [agents.admin, agents.operator, agents.user, agents.stray].map((one) =>
      agentToken(gateway.emulatorUrl, one),
    ),
  )) as [string, string, string, string];
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/mcp`;
  const server = { server_name: 'hostile', path: '/hostile', proxy_pass_url: url, is_enabled: true };
  expect((await as(admin, 'POST', '/api/servers', server)).status).toBe(201);
  const rule = (tools: string[]) => ({ server: 'hostile', methods: ['all'], tools });
  for (const [name, group, tools] of [
    ['hostile-boss', shippedTenant.groups.operators, ['all']],
    ['hostile-some', shippedTenant.groups.users, ['now']],
  ] as const)
    await made({ scope_name: name, group_mappings: [group], server_access: [rule([...tools])] });
  // A server that everybody is forbidden but the administrator.
  await as(admin, 'POST', '/api/servers', { ...server, server_name: 'other', path: '/other' });
});
beforeEach(() => {
  received = [];
  script = usual;
});
afterAll(async () => {
  await gateway?.close();
  upstream?.closeAllConnections();
  upstream?.close();
});

async function made(scope: object): Promise<void> {
  expect((await as(admin, 'POST', '/api/servers/groups/import', scope)).status).toBe(200);
}

function as(token: string, method: string, path: string, body?: unknown): Promise<Response> {
  return fetch(`${gateway.url}${path}`, {
    ...{ method, redirect: 'manual', headers: { authorization: `Bearer ${token}`, ...json } },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

interface Told {
  readonly id: string;
  readonly action: string;
  readonly client_ip: string | null;
  readonly [more: string]: unknown;
}

async function audit(search: string): Promise<Told[]> {
  return ((await (await as(admin, 'GET', `/api/audit/events?${search}`)).json()) as { events: Told[] })
    .events;
}

function call(token: string, message: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${gateway.url}/hostile/mcp`, {
    ...{ method: 'POST', redirect: 'manual', body: JSON.stringify(message) },
    headers: {
      ...{ authorization: `Bearer ${token}`, ...json, accept: 'application/json, text/event-stream' },
      ...headers,
    },
  });
}

/** Says lines on a connection and gives what comes back, until `done` or the end of the connection. */
async function raw(lines: readonly string[], body = '', done = /\r\n\r\n/): Promise<string> {
  const { hostname, port, host } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  const [first = '', ...more] = lines;
  const own = more.some((line) => /^host:/i.test(line)) ? [] : [`Host: ${host}`];
  socket.write(`${[first, ...own, ...more].join('\r\n')}\r\n\r\n${body}`);
  let said = '';
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
    socket.on('data', (chunk) => {
      said += String(chunk);
      if (done.test(said)) resolve();
    });
  });
  socket.destroy();
  return said;
}

const post = (token: string, more: readonly string[] = []): string[] => [
  ...[
    'POST /hostile/mcp HTTP/1.1',
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    ...more,
  ],
];

test.each(['/all', 'all', '/All/', '/%61ll', '/a\u200bll', '/\uff41ll'])(
  '1: nothing is registered as %j',
  async (path) => {
    const server = { server_name: 'x', path, proxy_pass_url: 'http://127.0.0.1:9/mcp' };
    const answer = await as(admin, 'POST', '/api/servers', server);
    if (answer.status < 300) await as(admin, 'DELETE', `/api/servers${path}`);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
  },
);

test.each([
  ['announced', ['Content-Length: 4000000'], 'stray'],
  ['in chunks', ['Transfer-Encoding: chunked'], 'stray'],
  ['asked for', ['Content-Length: 4000000', 'Expect: 100-continue'], 'stray'],
  ['of nobody', ['Content-Length: 4000000'], 'nobody'],
])('2: a body %s is refused before a byte of it came', async (_, lines, who) => {
  const said = await raw(post(who === 'stray' ? stray : 'nobody', lines), '', /HTTP\/1\.1 4\d\d/);
  expect(said).toMatch(/HTTP\/1\.1 (?:401|403) /);
});

test.each(['its server is removed', 'its server is switched off', 'its scope is gone'])(
  '3: a stream ends when %s',
  async (how) => {
    const server = { server_name: 'short', path: '/short', is_enabled: true };
    const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/mcp`;
    await as(admin, 'POST', '/api/servers', { ...server, proxy_pass_url: url });
    const rule = { server: 'short', methods: ['all'], tools: ['all'] };
    await made({ scope_name: 'short', group_mappings: [shippedTenant.groups.users], server_access: [rule] });
    script = (res) => void res.writeHead(200, { 'content-type': 'text/event-stream' }).write(': on\n\n');
    const stream = await fetch(`${gateway.url}/short/mcp`, {
      headers: { authorization: `Bearer ${bob}`, accept: 'text/event-stream' },
    });
    expect(stream.status).toBe(200);
    if (how === 'its server is removed') await as(admin, 'DELETE', '/api/servers/short');
    else if (how === 'its server is switched off')
      await as(admin, 'POST', '/api/servers/short/toggle', { enabled: false });
    else {
      const form = { method: 'POST', headers: { authorization: `Bearer ${admin}` } };
      const body = new URLSearchParams({ group_name: 'short' });
      expect((await fetch(`${gateway.url}/api/servers/groups/delete`, { ...form, body })).status).toBe(200);
    }
    expect(await stream.text()).toContain(': on');
    await as(admin, 'DELETE', '/api/servers/short');
  },
);

describe('4: a session', () => {
  async function session(token: string): Promise<string> {
    script = (res, body) => {
      res.setHeader('mcp-session-id', 'same');
      usual(res, body);
    };
    const answer = await call(token, rpc('initialize', {}));
    return answer.headers.get('mcp-session-id') ?? '';
  }

  test.each([
    ['twice', (id: string) => [`Mcp-Session-Id: ${id}`, `Mcp-Session-Id: ${id}`]],
    ['and another one', (id: string) => [`mcp-session-id: ${id}`, 'MCP-Session-Id: stolen']],
    ['on one line with another', (id: string) => [`Mcp-Session-Id: ${id}, stolen`]],
  ])('sent %s is refused', async (_, lines) => {
    const text = JSON.stringify(rpc('tools/list'));
    const own = lines(await session(bob));
    const before = received.length;
    const said = await raw(post(bob, [...own, `Content-Length: ${text.length}`]), text);
    expect(said).toMatch(/^HTTP\/1\.1 400 /);
    expect(received).toHaveLength(before);
  });

  test('is unknown to everybody else, and under the server’s own id', async () => {
    const id = await session(boss);
    for (const stolen of [id, 'same'])
      expect((await call(bob, rpc('tools/list'), { 'mcp-session-id': stolen })).status).toBe(404);
  });
});

test.each([
  [401, { 'www-authenticate': 'Bearer resource_metadata="https://evil.example/"' }],
  [407, { 'proxy-authenticate': 'Basic realm="evil"' }],
  [302, { location: 'https://evil.example/' }],
  [200, { 'set-cookie': 'a=evil', refresh: '0;url=https://evil.example/', link: '<https://evil.example/>' }],
  [200, { 'access-control-allow-origin': 'evil', 'alt-svc': 'h3="evil:1"', 'clear-site-data': '"evil"' }],
])('5: a server that answers %i does not speak for the gateway', async (status, headers) => {
  script = (res, body) => {
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    if (status === 200) usual(res, body);
    else res.writeHead(status).end();
  };
  const answer = await call(boss, rpc('tools/list'));
  expect([401, 407, 302]).not.toContain(answer.status);
  expect(JSON.stringify([...answer.headers])).not.toContain('evil');
});

test('6: a flood of anonymous refusals leaves a few rows', async () => {
  for (let round = 0; round < 10; round += 1)
    await Promise.all(Array.from({ length: 20 }, () => call('nobody', rpc('tools/list'))));
  // The trail is written within moments; who asks for it sees what was before.
  const rows = await audit('kind=mcp&decision=deny&limit=500');
  expect(rows.filter(({ username }) => !username).length).toBeLessThan(50);
});

test('7: who keeps a server’s connections busy does not shut it for others', async () => {
  const waiting: ServerResponse[] = [];
  script = (res, body) => {
    if (body.includes('"slow"')) waiting.push(res);
    else usual(res, body);
  };
  const left = new AbortController();
  const slow = JSON.stringify(rpc('tools/call', { name: 'now', arguments: { slow: true } }));
  const calls = Array.from({ length: 300 }, () =>
    fetch(`${gateway.url}/hostile/mcp`, {
      ...{ method: 'POST', body: slow, signal: left.signal },
      headers: { authorization: `Bearer ${bob}`, ...json },
    }).then(
      ({ status }) => status,
      () => 0,
    ),
  );
  expect(await Promise.race(calls)).toBe(429);
  expect((await call(boss, rpc('tools/list'))).status).toBe(200);
  left.abort();
  await Promise.all(calls);
  for (const one of waiting) one.destroy();
});

test('8: what a client says of who it is does not reach a server', async () => {
  const names = [
    ...[
      'X_User',
      'X_Forwarded_For',
      'X-User',
      'X-Forwarded-User',
      'X-Remote-User',
      'Remote-User',
      'X-Real-IP',
    ],
    ...[
      'X-MS-CLIENT-PRINCIPAL',
      'X-MS-CLIENT-PRINCIPAL-NAME',
      'X-Goog-Authenticated-User-Email',
      'Forwarded',
    ],
    ...['Cf-Access-Jwt-Assertion', 'X-Amzn-Oidc-Identity', 'Tailscale-User-Login', 'X-Forwarded-For', 'Via'],
    ...[
      'X-WEBAUTH-USER',
      'X_Scopes',
      'Cookie',
      'X-Scopes',
      'X-Api-Key',
      'MCP_SESSION_ID',
      'Proxy-Authorization',
    ],
  ];
  const text = JSON.stringify(rpc('tools/list'));
  const lines = [...names.map((name) => `${name}: evil`), `Content-Length: ${text.length}`];
  expect(await raw(post(boss, lines), text)).toMatch(/^HTTP\/1\.1 200 /);
  expect(received).not.toEqual([]);
  expect(JSON.stringify(received)).not.toContain('evil');
});

test.each(['%1b]0;evil%07', 'x%0a%0d2026-01-01 info forged', '%c2%9b31mred', '%e2%80%aex', '%00x'])(
  '9: no part of an address controls a terminal or forges a line: %s',
  async (part) => {
    await fetch(`${gateway.url}/oauth2/login/${part}`, { redirect: 'manual' });
    await fetch(`${gateway.url}/oauth2/callback/entra?error=${part}&error_description=${part}&state=x`, {
      redirect: 'manual',
    });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what is looked for
    expect(gateway.output()).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/);
    expect(gateway.output()).not.toMatch(/^.{0,12}info forged/m);
  },
);

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

test.each<[unknown]>([[5], [{}], [[]], [null], [true], [{ toString: 1 }]])(
  '10: a token whose iss is %j is refused as a token',
  async (iss) => {
    for (const claims of [{ iss }, { iss: 'x', aud: iss, sub: iss }, { iss, tid: iss, exp: 'soon' }]) {
      const token = `${part({ alg: 'RS256', kid: 'x' })}.${part(claims)}.c2ln`;
      expect((await call(token, rpc('tools/list'))).status).toBe(401);
      expect((await as(token, 'GET', '/api/servers')).status).toBe(401);
    }
  },
);

test.each([
  'content-security-policy, x-content-type-options',
  'close, X-Content-Type-Options',
  'CONTENT-SECURITY-POLICY',
])('11: a server’s Connection: %s takes away no header of ours', async (connection) => {
  script = (res, body) => {
    res.setHeader('connection', connection);
    res.setHeader('content-security-policy', "default-src 'unsafe-inline'");
    usual(res, body);
  };
  const { headers } = await call(boss, rpc('tools/list'));
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('content-security-policy')).toBe("sandbox; default-src 'none'");
});

test('12: a token limited to reading ends neither tokens nor sessions of its owner', async () => {
  const session = await signIn(gateway.url, shippedTenant.accounts.admin.userPrincipalName);
  const other = await mintToken(gateway.url, session);
  const limited = await mintToken(gateway.url, session, {
    requested_scopes: ['mcp-servers-unrestricted/read'],
  });
  expect((await as(limited.token, 'DELETE', `/api/tokens/${other.id}`)).status).not.toBe(204);
  expect((await as(other.token, 'GET', '/api/tokens')).status).toBe(200);
});

test('13: a link cannot put words into the mouth of the provider', async () => {
  const begun = await fetch(`${gateway.url}/oauth2/login/entra`, { redirect: 'manual' });
  const said = new URLSearchParams({
    ...{ error: 'access_denied', error_description: 'call the support line' },
    state: new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? '',
  });
  const answer = await fetch(`${gateway.url}/oauth2/callback/entra?${said}`, {
    ...{ redirect: 'manual', headers: { cookie: cookiesOf(begun) } },
  });
  const to = decodeURIComponent(answer.headers.get('location') ?? '');
  expect(to + (await answer.text())).not.toMatch(/support.line/);
});

test.each(['0123456789'.repeat(4), 'abcdefgh'.repeat(5), 'a'.repeat(64), 'qwertyuiop'.repeat(4)])(
  '14: production refuses SECRET_KEY=%s',
  async (key) => {
    const environment = {
      ...{ AUTH_PROVIDER: 'entra', ENTRA_TENANT_ID: shippedTenant.tenantId, SECRET_KEY: key },
      ...{ ENTRA_CLIENT_ID: shippedTenant.clientId, ENTRA_CLIENT_SECRET: 'x'.repeat(20) },
      ...{ ENTRA_LOGIN_BASE_URL: 'https://127.0.0.1:9', REGISTRY_URL: 'https://gateway.example' },
    };
    const started = startGateway({ environment, port: await freePort() });
    started.then(
      (one) => one.close(),
      () => undefined,
    );
    await expect(started).rejects.toThrow(/SECRET_KEY/);
  },
);

const tools = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  result: { tools: [{ name: 'now' }, { name: 'secret' }] },
});
const odd = tools.replace('"tools"', '"Tools"');
test.each<[string, Buffer, string | string[]]>([
  ['in UTF-16', Buffer.from(`\ufeff${tools}`, 'utf16le'), 'application/json; charset=utf-16le'],
  ['in UTF-16 without a word', Buffer.from(tools, 'utf16le'), 'application/json'],
  ['as Tools', Buffer.from(odd), 'application/json'],
  ['in a batch of a batch', Buffer.from(`[[${tools}]]`), 'application/json'],
  ['of two types', Buffer.from(`data: ${tools}\n\n`), ['application/json', 'text/event-stream']],
  ['as a page', Buffer.from(tools), 'text/html'],
  ['with tools twice', Buffer.from(tools.replace('"tools"', '"tools":[],"tools"')), 'application/json'],
  ['as events, Tools', Buffer.from(`data: ${odd}\n\n`), 'text/event-stream'],
])('15: a list %s shows nothing that is forbidden', async (_, body, type) => {
  script = (res) => void res.writeHead(200, { 'content-type': type } as IncomingHttpHeaders).end(body);
  const bytes = Buffer.from(await (await call(bob, rpc('tools/list'))).arrayBuffer());
  expect(bytes.toString('utf8').replaceAll('\0', '')).not.toContain('secret');
});

test.each([
  'eyJ'.repeat(2_500),
  'a'.repeat(7_000),
  '..%2f..%2fadmin',
  'entra%00',
  '__proto__',
  'constructor',
])('16: an unknown provider is 404 and leaves no record', async (name) => {
  for (const page of ['login', 'callback']) {
    const answer = await fetch(`${gateway.url}/oauth2/${page}/${name}?code=a&state=b`, {
      redirect: 'manual',
    });
    expect([400, 404]).toContain(answer.status);
  }
  expect(await audit('kind=sign-in&limit=50').then((rows) => JSON.stringify(rows))).not.toContain(
    name.slice(0, 60),
  );
});

test('21: who starts sign-ins without end is told when to try again', async () => {
  const statuses = new Set<number>();
  for (let round = 0; round < 40 && !statuses.has(429); round += 1)
    for (const { status } of await Promise.all(
      Array.from({ length: 10 }, () =>
        fetch(`${gateway.url}/oauth2/login/entra`, {
          ...{ redirect: 'manual', headers: { 'x-forwarded-for': '192.0.2.77' } },
        }),
      ),
    ))
      statuses.add(status);
  expect(statuses).toContain(429);
});

test.each([
  ['metadata 2,100 deep', `{"metadata":${'{"a":'.repeat(2_100)}1${'}'.repeat(2_100)}}`],
  ['a list 2,100 deep', `{"tags":${'['.repeat(2_100)}${']'.repeat(2_100)}}`],
  ['25: 900 kB of metadata', JSON.stringify({ metadata: { text: 'x'.repeat(900_000) } })],
  ['25: 900 kB of description', JSON.stringify({ description: 'x'.repeat(900_000) })],
])('22: a server cannot be given %s', async (_, text) => {
  const answer = await fetch(`${gateway.url}/api/servers/other`, {
    ...{ method: 'PATCH', body: text, headers: { authorization: `Bearer ${admin}`, ...json } },
  });
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.status).toBeLessThan(500);
  expect((await as(admin, 'GET', '/api/servers')).status).toBe(200);
});

const { userPrincipalName: gina, objectId } = shippedTenant.accounts.globalAdmin;

test.each([gina, gina.toUpperCase(), objectId])(
  '23: an account of the tenant is not deleted as %s',
  async (name) => {
    const answer = await as(admin, 'DELETE', `/api/management/iam/users/${encodeURIComponent(name)}`);
    expect(answer.status).toBe(403);
  },
);

test('24: re-pointed, a server does not take the tokens of people along', async () => {
  const server = { server_name: 'moves', path: '/moves', proxy_pass_url: 'http://127.0.0.1:9/a/mcp' };
  await as(admin, 'POST', '/api/servers', { ...server, forward_authorization: true });
  await made({
    ...{ scope_name: 'movers', group_mappings: [shippedTenant.groups.users] },
    ui_permissions: { list_service: ['moves'], modify_service: ['moves'] },
  });
  const answer = await as(bob, 'PATCH', '/api/servers/moves', { proxy_pass_url: 'http://127.0.0.1:9/b/mcp' });
  expect(await answer.json()).toMatchObject({ forward_authorization: false });
  const again = await as(bob, 'PATCH', '/api/servers/moves', { forward_authorization: true });
  expect(again.status).toBe(403);
});

test('26: a scope widened to everything is recorded as power that was given', async () => {
  await made({ scope_name: 'widened', group_mappings: [shippedTenant.groups.developers] });
  const everything = Object.fromEntries(
    ['list_service', 'register_service', 'modify_service', 'toggle_service', 'delete_service'].map((one) => [
      one,
      ['all'],
    ]),
  );
  await made({
    ...{ scope_name: 'widened', group_mappings: [shippedTenant.groups.developers] },
    ui_permissions: everything,
    server_access: [{ server: '*', methods: ['all'], tools: ['all'] }],
  });
  const ids = (await audit('limit=20')).map(({ id }) => id);
  const told = await Promise.all(
    ids.map(async (id) => (await as(admin, 'GET', `/api/audit/events/${id}`)).text()),
  );
  expect(told.join()).toMatch(/"admin_grant":true/);
});

test('27: somebody else’s visit to a callback’s address does not use the attempt up', async () => {
  const begun = await fetch(`${gateway.url}/oauth2/login/entra`, { redirect: 'manual' });
  const cookie = cookiesOf(begun);
  const { userPrincipalName } = shippedTenant.accounts.user;
  const callback = await submitSignIn(begun.headers.get('location') ?? '', userPrincipalName);
  await fetch(callback, { redirect: 'manual' });
  await fetch(callback, { redirect: 'manual', headers: { cookie: 'mcp_gateway_session=x' } });
  const done = await fetch(callback, { redirect: 'manual', headers: { cookie } });
  const me = await fetch(`${gateway.url}/api/auth/me`, { headers: { cookie: cookiesOf(done) } });
  expect(me.status).toBe(200);
});

test.each(['<script>', '127.0.0.1, evil', "x' or 1=1", '1.2.3.4 evil', '::1%evil', 'unknown'])(
  '28: the audit has an address of the client, not %j',
  async (said) => {
    const answer = await call(bob, rpc('tools/call', { name: 'secret' }), { 'x-forwarded-for': said });
    const [row] = await audit(`correlation_id=${answer.headers.get('x-correlation-id')}`);
    expect(row?.client_ip ?? '127.0.0.1').toMatch(/^[\da-f.:]+$/i);
  },
);

test.each(['/oauth2/callback/entra', '/oauth/consent/x', '/'])(
  'no program gets a code sent to %s of the gateway itself',
  async (path) => {
    const redirect = `${gateway.url}${path}`;
    const registered = await fetch(`${gateway.url}/oauth/register`, {
      ...{ method: 'POST', headers: json },
      body: JSON.stringify({
        ...{ client_name: 'Gateway', redirect_uris: [redirect], token_endpoint_auth_method: 'none' },
      }),
    });
    const { client_id } = (await registered.json()) as { client_id: string };
    const query = new URLSearchParams({
      ...{ client_id, redirect_uri: redirect, response_type: 'code', scope: 'mcp:read', state: 'x' },
      ...{ code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' },
    });
    const begun = await fetch(`${gateway.url}/oauth/authorize?${query}`, { redirect: 'manual' });
    const to = new URL(begun.headers.get('location') ?? '/nowhere', gateway.url);
    const page = await fetch(to, { headers: { cookie: cookiesOf(begun) } });
    expect([page.status, await page.text()]).toEqual([400, expect.stringContaining('the gateway itself')]);
  },
);

test('29: nothing that is printed runs a package of somebody else', () => {
  expect(gateway.output()).not.toMatch(/np[mx] (?:exec |-y )?mcp-gateway/);
});
