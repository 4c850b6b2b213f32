import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endpoints } from '../src/contract/index.ts';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { startGateway, type TestGateway } from './harness.ts';
import { agentToken, type BrowserSession, signIn } from './sign-in.ts';

const roles = ['admin', 'developer', 'operator', 'user', 'none'] as const;
type Role = (typeof roles)[number];

let gateway: TestGateway;
const tokens = {} as Record<Role, string>;
const sessions = {} as Record<Role, BrowserSession>;

beforeAll(async () => {
  gateway = await startGateway();
  const { accounts, agents } = shippedTenant;
  const of = {
    admin: [accounts.admin, agents.admin],
    developer: [accounts.developer, agents.developer],
    operator: [accounts.operator, agents.operator],
    user: [accounts.user, agents.user],
    none: [accounts.noGroup, agents.stray],
  } as const;
  for (const role of roles) {
    sessions[role] = await signIn(gateway.url, of[role][0].userPrincipalName);
    tokens[role] = await agentToken(gateway.emulatorUrl, of[role][1]);
  }
});
afterAll(() => gateway?.close());

const newServer = (path: string) => ({
  server_name: 'Another',
  path,
  proxy_pass_url: 'http://127.0.0.1:9/mcp',
});

async function api(
  role: Role,
  method: string,
  path: string,
  body?: object,
  by: 'token' | 'session' = 'token',
): Promise<number> {
  const credential: Record<string, string> =
    by === 'token'
      ? { authorization: `Bearer ${tokens[role]}` }
      : { cookie: sessions[role].cookie, 'x-csrf-token': sessions[role].csrf };
  const answer = await fetch(`${gateway.url}${path}`, {
    method,
    headers: { ...credential, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  await answer.arrayBuffer();
  return answer.status;
}

/** What each role may do in the registry: the guide's "Understanding Scope Mappings". 404: it may not even see it. */
const registry: [
  operation: string,
  run: (role: Role, by: 'token' | 'session') => Promise<number>,
  ...expected: number[],
][] = [
  ['list servers', (role, by) => api(role, 'GET', '/api/servers', undefined, by), 200, 200, 200, 200, 200],
  [
    'see the restricted server',
    (role, by) => api(role, 'GET', '/api/servers/currenttime', undefined, by),
    200,
    200,
    200,
    200,
    404,
  ],
  [
    'see another server',
    (role, by) => api(role, 'GET', '/api/servers/everything', undefined, by),
    200,
    200,
    200,
    404,
    404,
  ],
  [
    'list its tools',
    (role, by) => api(role, 'GET', '/api/servers/everything/tools', undefined, by),
    200,
    200,
    200,
    404,
    404,
  ],
  [
    'check health',
    (role, by) => api(role, 'POST', '/api/servers/currenttime/health', undefined, by),
    200,
    200,
    200,
    200,
    404,
  ],
  [
    'switch on',
    (role, by) => api(role, 'POST', '/api/servers/currenttime/toggle', { enabled: true }, by),
    200,
    403,
    200,
    403,
    404,
  ],
  [
    'change',
    (role, by) => api(role, 'PATCH', '/api/servers/currenttime', { description: 'changed' }, by),
    200,
    403,
    403,
    403,
    404,
  ],
  [
    'register',
    (role, by) => api(role, 'POST', '/api/servers', newServer(`/new-${role}-${by}`), by),
    201,
    201,
    403,
    403,
    403,
  ],
  [
    'remove',
    (role, by) => api(role, 'DELETE', `/api/servers/new-developer-${by}`, undefined, by),
    204,
    403,
    403,
    404,
    404,
  ],
  [
    'see the sample agent',
    (role, by) => api(role, 'GET', '/api/agents/flight-booking', undefined, by),
    200,
    404,
    404,
    404,
    404,
  ],
  [
    'switch the sample agent on',
    (role, by) => api(role, 'POST', '/api/agents/flight-booking/toggle', { enabled: true }, by),
    200,
    404,
    404,
    404,
    404,
  ],
  [
    'see a server that is not there',
    (role, by) => api(role, 'GET', '/api/servers/nowhere', undefined, by),
    404,
    404,
    404,
    404,
    404,
  ],
];

describe.each(['token', 'session'] as const)('the registry by %s', (by) => {
  test.each(registry)('%s', async (_, run, ...expected) => {
    // One after the other and in the order of the roles: some operations change what the next one finds.
    const statuses: Record<string, number> = {};
    for (const role of roles) statuses[role] = await run(role, by);
    expect(statuses).toEqual(Object.fromEntries(roles.map((role, index) => [role, expected[index]])));
  });
});

/** JSON-RPC calls through the gateway: the status for each role. */
async function call(role: Role, server: string, method: string, params: object = {}): Promise<number> {
  const answer = await fetch(`${gateway.url}/${server}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${tokens[role]}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  // A refused call is a JSON-RPC error with status 200; its code says what it amounts to.
  const refused = /"error":\{"code":403,/.test(await answer.text());
  return refused ? 403 : answer.status;
}

const initialize = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
};
const now = { name: 'current_time_by_timezone', arguments: { tz_name: 'UTC' } };
const allowed = 'allowed';

/** What each role may ask of MCP servers; `allowed`: the server itself has answered. */
const calls: [
  operation: string,
  server: string,
  method: string,
  params: object,
  ...expected: (number | string)[],
][] = [
  ['initialize', 'currenttime', 'initialize', initialize, allowed, allowed, allowed, allowed, 403],
  ['list tools', 'currenttime', 'tools/list', {}, allowed, allowed, allowed, allowed, 403],
  ['call a tool', 'currenttime', 'tools/call', now, allowed, allowed, allowed, 403, 403],
  ['list prompts', 'currenttime', 'prompts/list', {}, allowed, allowed, allowed, allowed, 403],
  ['initialize elsewhere', 'everything', 'initialize', initialize, allowed, 403, 403, 403, 403],
  [
    'call a tool elsewhere',
    'everything',
    'tools/call',
    { name: 'echo', arguments: {} },
    allowed,
    403,
    403,
    403,
    403,
  ],
  ['a server that is not there', 'nowhere', 'tools/list', {}, 404, 403, 403, 403, 403],
];

test.each(calls)('MCP: %s', async (_, server, method, params, ...expected) => {
  const statuses: Record<string, number | string> = {};
  for (const role of roles) {
    const status = await call(role, server, method, params);
    statuses[role] =
      [401, 403, 413, 502, 503, 504].includes(status) || (status === 404 && server === 'nowhere')
        ? status
        : allowed;
  }
  expect(statuses).toEqual(Object.fromEntries(roles.map((role, index) => [role, expected[index]])));
});

test('nobody gets anything but public endpoints without a credential', async () => {
  for (const [id, endpoint] of Object.entries(endpoints)) {
    const path = endpoint.path.replace(/\{\w+\}/g, 'currenttime');
    const answer = await fetch(`${gateway.url}${path}`, { method: endpoint.method });
    await answer.arrayBuffer();
    // What the well-known documents show is a setting, and nothing unless it is set.
    const isOff = id.startsWith('wellKnown.') && answer.status === 404;
    expect([id, answer.status]).toEqual([id, endpoint.permission !== 'public' ? 401 : isOff ? 404 : 200]);
  }
});

test('a session changes nothing without its CSRF token', async () => {
  const answer = await fetch(`${gateway.url}/api/servers/currenttime/toggle`, {
    method: 'POST',
    headers: { cookie: sessions.admin.cookie, 'content-type': 'application/json' },
    body: '{"enabled":false}',
  });
  expect(answer.status).toBe(403);
  expect(await answer.json()).toMatchObject({ code: 'csrf_failed' });
});

test('personal tokens are minted in a session only', async () => {
  expect(await api('admin', 'POST', '/api/tokens/generate', {})).toBe(403);
});
