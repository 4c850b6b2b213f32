import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditEventShown } from '../../src/contract/audit.ts';
import { shippedTenant } from '../../src/entra-emulator/shipped.ts';
import { startGateway, type TestGateway } from '../harness.ts';
import { agentToken } from '../sign-in.ts';

// What a hosted server gives its customers as an address: the key is in the path, or in the query.
const [inPath, inQuery] = ['kp7Qx81LmZ', 'kq7Qx81LmZ'];
const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

let gateway: TestGateway;
let admin: string;
let caller: string;
/** A server that fails and says where, as many do. */
const talkative = createServer((req, res) => {
  if (req.url?.includes('moved')) res.writeHead(307, { location: `${req.url}/on` }).end();
  else
    res
      .writeHead(404, { 'x-path': req.url ?? '' })
      .end(`no route ${req.url} http://${req.headers.host}${req.url}`);
});

beforeAll(async () => {
  await new Promise<void>((ready) => talkative.listen(0, '127.0.0.1', ready));
  gateway = await startGateway({ environment: { WELL_KNOWN_SERVERS: 'all' } });
  admin = await agentToken(gateway.emulatorUrl, shippedTenant.agents.admin);
  caller = await agentToken(gateway.emulatorUrl, shippedTenant.agents.user);
});
afterAll(async () => {
  await gateway?.close();
  talkative.close();
});

function as(token: string, path: string, method = 'GET', body?: unknown): Promise<Response> {
  return fetch(`${gateway.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...json },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

test('a key in the path or query of an address reaches only those who are allowed to see addresses', async () => {
  const { port } = talkative.address() as AddressInfo;
  const secret = `t/${inPath}/mcp?key=${inQuery}`;
  const addresses = {
    answers: `http://127.0.0.1:${port}/${secret}`,
    moved: `http://127.0.0.1:${port}/moved/${secret}`,
    closed: `http://127.0.0.1:9/${secret}`,
    unknown: `http://no-such-host.invalid/${secret}`,
    tls: `https://127.0.0.1:${port}/${secret}`,
  };
  const names = Object.keys(addresses);
  const scope = {
    scope_name: 'callers-here',
    group_mappings: [shippedTenant.groups.users],
    server_access: names.map((server) => ({ server, methods: ['*'], tools: '*' })),
    ui_permissions: {
      ...{ list_service: names, get_service: names, health_check_service: names, list_tools: names },
      register_service: ['all'],
      read_audit: ['all'],
    },
  };
  expect((await as(admin, '/api/servers/groups/import', 'POST', scope)).status).toBe(200);
  for (const [name, url] of Object.entries(addresses)) {
    const server = { server_name: name, path: `/${name}`, proxy_pass_url: url, is_enabled: true };
    expect((await as(admin, '/api/servers', 'POST', server)).status).toBe(201);
    const elsewhere = { proxy_pass_url: `${url}&again=${inQuery}`, description: 'changed' };
    expect((await as(admin, `/api/servers/${name}`, 'PATCH', elsewhere)).status).toBe(200);
  }
  const call = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };
  const asked: [string, string, unknown?][] = [
    ...['/api/servers', '/api/search?q=mcp', `/api/search?q=${inPath.slice(0, 6)}`, '/v0.1/servers'].map(
      (path): [string, string] => [path, 'GET'],
    ),
    ['/.well-known/mcp-servers', 'GET'],
    ['/.well-known/mcp/catalog.json', 'GET'],
    ['/api/search/semantic', 'POST', { query: 'no route t mcp key' }],
    ['/api/servers/probe', 'POST', { url: `http://127.0.0.1:${port}/t/mcp` }],
    ...names.flatMap((name): [string, string, unknown?][] => [
      [`/api/servers/${name}`, 'GET'],
      [`/api/servers/${name}/health`, 'POST'],
      [`/api/servers/${name}/tools`, 'GET'],
      [`/api/servers/${name}/history`, 'GET'],
      [`/${name}/mcp`, 'POST', call],
      [`/${name}/sse`, 'GET'],
      [`/.well-known/mcp/server-cards/${name}`, 'GET'],
    ]),
  ];
  const told: string[] = [];
  for (const [path, method, body] of asked) {
    const answer = await as(caller, path, method, body);
    told.push(`${path} ${answer.status} ${JSON.stringify([...answer.headers])} ${await answer.text()}`);
  }
  const question = {
    server: 'answers',
    method: 'tools/call',
    tool: 'x',
    groups: [shippedTenant.groups.users],
  };
  told.push(await (await as(admin, '/api/access/explain', 'POST', question)).text());
  told.push(await (await as(admin, '/api/access/servers/answers')).text());
  const { events } = (await (await as(caller, '/api/audit/events?limit=500')).json()) as {
    events: AuditEventShown[];
  };
  expect(events.length).toBeGreaterThan(30);
  for (const { id } of events) told.push(await (await as(caller, `/api/audit/events/${id}`)).text());
  told.push(await (await as(caller, '/api/audit/export?format=csv')).text());
  told.push(await (await as(admin, '/api/metrics')).text(), gateway.output());
  // What a server says itself is the server's to say, and its callers' to hear.
  const ours = told.filter((text) => !text.startsWith('/answers/mcp 404'));
  const leaks = ours.filter((text) => text.includes(inPath) || text.includes(inQuery));
  expect(leaks.map((text) => text.slice(0, 3_000))).toEqual([]);
  expect(told.join()).not.toMatch(/"status":500/);
});
