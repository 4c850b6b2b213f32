import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Endpoint, type Handlers, type Input, Reply } from '../../../contract/endpoint.ts';
import type { UiPermission } from '../../../contract/permissions.ts';
import { serverEgressEndpoints } from '../../../contract/servers/server-egress.ts';
import { type Server, serverEndpoints, server as serverSchema } from '../../../contract/servers/servers.ts';
import { type RunningSample, startCurrentTime } from '../../../samples/currenttime.ts';
import type { Access, Caller } from '../../access/caller.ts';
import { followed } from '../../changes/feed.test-support.ts';
import type { Feed } from '../../changes/feed.ts';
import { type OpenDatabase, openMemory } from '../../db/open.ts';
import { listConnections, storeConnection } from '../../egress/store.ts';
import { createConnectionVault } from '../../egress/vault.ts';
import { Failure, type FailureCode } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import { keyringOf } from '../../identity/keys.ts';
import { createSealer } from '../../identity/sealer.ts';
import { credentialsFrom } from './credential.ts';
import { serverHandlers } from './handlers.ts';
import { createCheck } from './health/check.ts';
import { createLookAfter } from './health/look-after.ts';
import { type Routes, startRoutes } from './routes.ts';
import { find } from './store.ts';

type Grants = Partial<Record<UiPermission, 'all' | string[]>>;
type Who = Caller<Identity> & { notes: Record<string, unknown>[] };

const vault = createSealer(keyringOf('a secret of a test').of('upstream-credential'));
const policy = { allowPrivate: true };
let database: OpenDatabase;
let sample: RunningSample;
let routes: Routes;
let feed: Feed;
const table = { ...serverEgressEndpoints, ...serverEndpoints };
let handlers: Handlers<typeof table, Caller<Identity>>;
let time = 0;
let serversPerPerson = 100;
const ends: (() => unknown)[] = [];

/** Connections that were deleted, as they are told to who takes them back at their services. */
let ended: string[];
beforeEach(async () => {
  ended = [];
  database = await openMemory();
  sample = await startCurrentTime();
  const credentialsOf = credentialsFrom(vault);
  feed = await followed(database);
  routes = await startRoutes({ db: database.db, feed, credentialsOf });
  time = Date.UTC(2026, 0, 1);
  let ids = 0;
  const check = createCheck({ policy, version: '1', headersMs: 5000 });
  const now = () => (time += 1000);
  handlers = serverHandlers({
    db: database.db,
    lookAfter: createLookAfter({ db: database.db, check, credentialsOf, now }),
    vault,
    check,
    rows: () => routes.rows(),
    events: { open: () => new ReadableStream() },
    publicUrl: 'https://gateway.example/',
    policy,
    takesAccounts: async (url) => (url.pathname === '/files/mcp' ? 'ready' : null),
    now,
    newId: () => `id-${++ids}`,
    get serversPerPerson() {
      return serversPerPerson;
    },
    egress: {
      vault: createConnectionVault(keyringOf('k'.repeat(40))),
      limits: { audiences: ['api://*'], scopes: [] },
    },
    connectionsEndedAt: (row, { connections }) =>
      ended.push(...connections.map(({ owner }) => `${row.path} ${owner.subject}`)),
    decideTool: (identity, _, tool) => identity.groups.includes('execute') || tool === 'countdown',
  });
  ends.push(
    () => sample.close(),
    () => feed.close(),
    () => database.close(),
  );
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

function callerWith(permissions: Grants, groups = ['execute']): Who {
  const access: Access = {
    scopes: [],
    isAdmin: false,
    permissions: new Map(),
    servers: 'all',
    may(permission, resource) {
      const granted = permissions[permission] ?? [];
      return granted === 'all' || (resource === undefined ? granted.length > 0 : granted.includes(resource));
    },
  };
  const identity = { username: 'alice', groups } as unknown as Identity;
  const notes: Record<string, unknown>[] = [];
  return { identity, access, correlationId: 'c', notes, note: (detail) => void notes.push(detail) };
}

const admin = () =>
  callerWith({
    list_service: 'all',
    register_service: 'all',
    modify_service: 'all',
    toggle_service: 'all',
    delete_service: 'all',
    health_check_service: 'all',
  });
const reader = () => callerWith({ list_service: 'all' }, []);

/** Calls a handler as the HTTP room does: input parsed by the schemas of the endpoint, output held to its schema. */
async function call<K extends keyof typeof table>(
  id: K,
  input: { path?: string; query?: unknown; body?: unknown; ifMatch?: string },
  caller: Caller<Identity>,
): Promise<{ body: unknown; etag: string | undefined }> {
  const endpoint: Endpoint = table[id];
  const parsed = {
    params: endpoint.params?.parse({ path: input.path }),
    query: endpoint.query?.parse(input.query ?? {}),
    body: endpoint.body?.parse(input.body),
    ifMatch: input.ifMatch,
  } as Input<(typeof table)[K]>;
  const answer: unknown = await Promise.resolve(handlers[id](parsed, caller)).finally(feed.caughtUp);
  const reply = answer instanceof Reply ? answer : new Reply(answer);
  return { body: endpoint.output.parse(reply.body), etag: reply.headers.etag };
}

async function asServer(promise: Promise<{ body: unknown }>): Promise<Server> {
  return serverSchema.parse((await promise).body);
}

async function codeOf(promise: Promise<unknown>): Promise<FailureCode> {
  const error = await promise.then(
    () => expect.fail('it did not fail'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof Failure)) throw error;
  return error.code;
}

function input(path = '/time', more: Record<string, unknown> = {}): Record<string, unknown> {
  return { server_name: `Server ${path}`, path, proxy_pass_url: sample.url, ...more };
}

async function deadUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/mcp`;
}

test('a registered server starts disabled, was looked at, and can be read back', async () => {
  const caller = admin();
  const made = await call('servers.register', { body: input() }, caller);
  expect(made.etag).toBe('"1"');
  expect(made.body).toMatchObject({
    id: 'id-1',
    path: '/time',
    proxy_pass_url: sample.url,
    endpoint_url: 'https://gateway.example/time/mcp',
    is_enabled: false,
    health_status: 'disabled',
    num_tools: 2,
    mcp_server_version: '1.0.0',
    mcp_protocol_version: '2026-07-28',
    registered_by: 'alice',
    registered_at: '2026-01-01T00:00:01.000Z',
    can: { modify: true, toggle: true, delete: true, health_check: true },
  });
  expect((await call('servers.get', { path: 'time/' }, caller)).body).toEqual(made.body);
  expect(routes.find('time')).toMatchObject({ enabled: false, sse: null });
  expect(caller.notes).toEqual([{ before: null, after: expect.objectContaining({ path: '/time' }) }]);
});

test('one person registers so many servers and no more', async () => {
  serversPerPerson = 1;
  ends.push(() => (serversPerPerson = 100));
  await call('servers.register', { body: input() }, admin());
  const more = call('servers.register', { body: { ...input(), path: '/more' } }, admin());
  await expect(more).rejects.toMatchObject({
    code: 'not_allowed',
    message: expect.stringContaining('MAX_SERVERS_PER_PERSON'),
  });
});

test('switching on checks at once, and the route follows', async () => {
  await call('servers.register', { body: input() }, admin());
  const on = await asServer(call('servers.toggle', { path: '/time', body: { enabled: true } }, admin()));
  expect([on.is_enabled, on.health_status, on.health_detail]).toEqual([true, 'healthy', null]);
  expect(routes.find('time')?.enabled).toBe(true);
  const caller = admin();
  const off = await asServer(call('servers.toggle', { path: '/time', body: { enabled: false } }, caller));
  expect([off.is_enabled, off.health_status]).toEqual([false, 'disabled']);
  expect(routes.find('time')?.enabled).toBe(false);
  expect(caller.notes).toEqual([{ before: { is_enabled: true }, after: { is_enabled: false } }]);
});

test('a server that does not answer is registered all the same and says why it is unhealthy', async () => {
  const body = input('/dead', { proxy_pass_url: await deadUrl(), is_enabled: true });
  const made = await asServer(call('servers.register', { body }, admin()));
  expect(made).toMatchObject({
    health_status: 'unhealthy',
    health_detail: 'The connection was refused; nothing listens there.',
    num_tools: 0,
  });
});

test('a path in use is a conflict that names the remedy', async () => {
  await call('servers.register', { body: input() }, admin());
  const again = call('servers.register', { body: input('time/') }, admin());
  await expect(again).rejects.toThrow(/PUT or PATCH \/api\/servers\/time/);
  expect(await codeOf(call('servers.register', { body: input() }, admin()))).toBe('conflict');
});

test('who may register some paths may not register others', async () => {
  const caller = callerWith({ register_service: ['mine'] });
  expect(await codeOf(call('servers.register', { body: input('/theirs') }, caller))).toBe('not_allowed');
  expect((await asServer(call('servers.register', { body: input('/mine') }, caller))).path).toBe('/mine');
});

test('a URL at a metadata address is refused, each fault by its field', async () => {
  const body = input('/x', {
    proxy_pass_url: 'http://169.254.169.254/',
    sse_endpoint: 'http://[fe80::1]/sse',
  });
  const refused = await call('servers.register', { body }, admin()).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'invalid_input' });
  expect((refused as Failure).faults.map((fault) => fault.at)).toEqual([
    'body.proxy_pass_url',
    'body.sse_endpoint',
  ]);
});

test('those who may not modify a server see neither where it is nor tools that they may not call', async () => {
  await call('servers.register', { body: input('/time', { mcp_endpoint: sample.url }) }, admin());
  await call('servers.toggle', { path: '/time', body: { enabled: true } }, admin());
  const seen = await asServer(call('servers.get', { path: '/time' }, reader()));
  expect(seen).toMatchObject({ proxy_pass_url: null, mcp_endpoint: null, num_tools: 1 });
  expect(seen.can).toEqual({ modify: false, toggle: false, delete: false, health_check: false });
  const listed = await call('servers.list', {}, reader());
  expect(JSON.stringify(listed.body)).not.toContain(sample.url);
  const tools = await call('servers.tools', { path: '/time' }, reader());
  expect(tools.body).toMatchObject({ cached: false, tools: [{ name: 'countdown' }], stale_reason: null });
});

test('a list shows what the caller may see, by name, in pages', async () => {
  for (const path of ['/c', '/a', '/B', '/hidden'])
    await call('servers.register', { body: input(path) }, admin());
  const caller = callerWith({ list_service: ['a', 'B', 'c'] });
  const first = await call('servers.list', { query: { limit: '2' } }, caller);
  expect(first.body).toMatchObject({ total_count: 3, has_next: true, can_register: false, limit: 2 });
  const paths = (body: unknown) => (body as { servers: Server[] }).servers.map(({ path }) => path);
  expect(paths(first.body)).toEqual(['/a', '/B']);
  const second = await call('servers.list', { query: { limit: '2', offset: '2' } }, caller);
  expect(second.body).toMatchObject({ has_next: false });
  expect(paths(second.body)).toEqual(['/c']);
});

test.each([
  ['WEATHER', ['/one']],
  ['two', ['/two']],
  ['rain', ['/one']],
  ['Geo', ['/two']],
  ['snow', []],
  ['  ', ['/one', '/two']],
])('the query %j finds %j', async (query, expected) => {
  const one = input('/one', { server_name: 'Weather', description: 'Rain and sun' });
  const two = input('/two', { server_name: 'Zulu', tags: ['geography'] });
  for (const body of [one, two]) await call('servers.register', { body }, admin());
  const { body } = await call('servers.list', { query: { query } }, admin());
  expect((body as { servers: Server[] }).servers.map(({ path }) => path)).toEqual(expected);
});

test('PUT replaces everything that is said about a server', async () => {
  await call('servers.register', { body: input('/time', { tags: ['old'], description: 'old' }) }, admin());
  const caller = admin();
  const { body, etag } = await call(
    'servers.replace',
    { path: '/time', body: input('/time', { server_name: 'New' }), ifMatch: '"1"' },
    caller,
  );
  expect(body).toMatchObject({ server_name: 'New', tags: [], description: '', revision: 2, num_tools: 2 });
  expect(etag).toBe('"2"');
  expect(caller.notes[0]).toMatchObject({ before: { tags: ['old'] }, after: { tags: [] } });
});

test('PATCH merges, null restores a default, and the whole is held to the schema', async () => {
  const metadata = { team: 'a', cost: { centre: 1, note: 'x' } };
  await call('servers.register', { body: input('/time', { license: 'MIT', metadata }) }, admin());
  const patch = { description: 'new', license: null, metadata: { cost: { note: null } } };
  const changed = await asServer(call('servers.patch', { path: '/time', body: patch }, admin()));
  expect(changed).toMatchObject({
    description: 'new',
    license: 'N/A',
    metadata: { team: 'a', cost: { centre: 1 } },
    server_name: 'Server /time',
  });
  for (const bad of [{ server_name: null }, { tags: 'x' }, { colour: 'red' }, { supported_transports: [] }]) {
    const refused = call('servers.patch', { path: '/time', body: bad }, admin());
    expect(await codeOf(refused)).toBe('invalid_input');
  }
  const refused = await call('servers.patch', { path: '/time', body: { tags: [1] } }, admin()).catch(
    (e) => e,
  );
  expect(refused.faults).toEqual([{ at: 'body.tags.0', message: expect.any(String) }]);
});

test.each(['servers.replace', 'servers.patch'] as const)('%s does not move a server', async (id) => {
  await call('servers.register', { body: input() }, admin());
  const moved = call(id, { path: '/time', body: input('/elsewhere') }, admin());
  expect(await codeOf(moved)).toBe('invalid_input');
  const same = await asServer(call(id, { path: '/time', body: input('time') }, admin()));
  expect(same.path).toBe('/time');
});

test.each(['servers.replace', 'servers.patch', 'servers.remove'] as const)(
  '%s honours If-Match',
  async (id) => {
    await call('servers.register', { body: input() }, admin());
    await call('servers.patch', { path: '/time', body: { description: 'meanwhile' } }, admin());
    const body = input();
    for (const stale of ['"1"', 'W/"1"', '2', '"x", "1"']) {
      const refused = call(id, { path: '/time', body, ifMatch: stale }, admin());
      expect(await codeOf(refused)).toBe('changed_meanwhile');
    }
    await call(id, { path: '/time', body, ifMatch: '"9", W/"2"' }, admin());
  },
);

test('two changes at once: one wins, the other is told', async () => {
  await call('servers.register', { body: input() }, admin());
  const changes = ['x', 'y'].map((description) =>
    call('servers.patch', { path: '/time', body: { description }, ifMatch: '"1"' }, admin()),
  );
  const results = await Promise.allSettled(changes);
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});

test('another address is looked at anew and what was known of the old one is forgotten', async () => {
  await call('servers.register', { body: input('/time', { is_enabled: true }) }, admin());
  const body = { proxy_pass_url: await deadUrl() };
  const moved = await asServer(call('servers.patch', { path: '/time', body }, admin()));
  expect(moved).toMatchObject({ num_tools: 0, health_status: 'unhealthy', mcp_server_version: null });
});

test('tools come live, then from the copy when the server is gone or switched off, with the reason', async () => {
  await call('servers.register', { body: input('/time', { is_enabled: true }) }, admin());
  const live = await call('servers.tools', { path: '/time' }, admin());
  expect(live.body).toMatchObject({ service_path: '/time', cached: false, stale_reason: null });
  const { fetched_at } = live.body as { fetched_at: string };
  await sample.close();
  const copy = await call('servers.tools', { path: '/time' }, admin());
  expect(copy.body).toMatchObject({
    cached: true,
    fetched_at,
    tools: [{ name: 'current_time_by_timezone' }, { name: 'countdown' }],
    stale_reason: 'The connection was refused; nothing listens there.',
  });
  await call('servers.toggle', { path: '/time', body: { enabled: false } }, admin());
  const off = await call('servers.tools', { path: '/time' }, admin());
  expect(off.body).toMatchObject({ cached: true, fetched_at, stale_reason: 'The server is disabled.' });
});

test('tools that were never read are a failure with the reason, not an empty list', async () => {
  const body = input('/dead', { proxy_pass_url: await deadUrl(), is_enabled: true });
  await call('servers.register', { body }, admin());
  await expect(call('servers.tools', { path: '/dead' }, admin())).rejects.toMatchObject({
    code: 'upstream_unreachable',
    message: expect.stringContaining('The connection was refused'),
  });
  await call('servers.toggle', { path: '/dead', body: { enabled: false } }, admin());
  expect(await codeOf(call('servers.tools', { path: '/dead' }, admin()))).toBe('server_disabled');
});

test('a health check of a server that is switched off tells how it is', async () => {
  await call('servers.register', { body: input() }, admin());
  const checked = await asServer(call('servers.health', { path: '/time' }, admin()));
  expect([checked.is_enabled, checked.health_status]).toEqual([false, 'healthy']);
  expect((await asServer(call('servers.get', { path: '/time' }, admin()))).health_status).toBe('disabled');
});

test('a removed server is gone from store and routes', async () => {
  await call('servers.register', { body: input() }, admin());
  const caller = admin();
  await call('servers.remove', { path: '/time' }, caller);
  expect(routes.find('time')).toBeUndefined();
  expect(caller.notes[0]).toMatchObject({ before: { path: '/time' }, after: null });
  expect(await codeOf(call('servers.get', { path: '/time' }, admin()))).toBe('not_found');
});

test.each(['servers.get', 'servers.tools', 'servers.health', 'servers.remove'] as const)(
  '%s of an unknown path is not found',
  async (id) => expect(await codeOf(call(id, { path: '/nowhere' }, admin()))).toBe('not_found'),
);

test.each([
  ['servers.toggle', { enabled: true }],
  ['servers.patch', {}],
] as const)('%s of an unknown path is not found', async (id, body) => {
  expect(await codeOf(call(id, { path: '/nowhere', body }, admin()))).toBe('not_found');
});

test('what goes to the audit trail holds no query of a URL', async () => {
  const caller = admin();
  const body = input('/keyed', { proxy_pass_url: `${sample.url}?api_key=secret` });
  await call('servers.register', { body }, caller);
  expect(JSON.stringify(caller.notes)).not.toContain('secret');
});

test('a credential is used by checks, never shown, and does not follow the server to another host', async () => {
  const asked: (string | undefined)[] = [];
  const server = createServer((req, res) => {
    asked.push(req.headers.authorization);
    res.writeHead(401).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  const body = { server_name: 'Own', path: '/own', proxy_pass_url: url, is_enabled: true };
  await call('servers.register', { body }, admin());
  asked.length = 0;
  const who = admin();
  const set = { auth_scheme: 'bearer', auth_credential: 's3cret-value' };
  const shown = await asServer(call('servers.credential', { path: 'own', body: set }, who));
  expect(shown).toMatchObject({ auth_scheme: 'bearer', auth_header_name: 'Authorization', revision: 2 });
  expect(shown.health_detail).toContain('another credential');
  expect(new Set(asked)).toEqual(new Set(['Bearer s3cret-value']));
  expect(routes.find('own')?.credentials?.headers).toEqual(['Authorization', 'Bearer s3cret-value']);
  const seen = await asServer(call('servers.get', { path: 'own' }, reader()));
  expect(seen).toMatchObject({ auth_scheme: 'bearer', auth_header_name: null });
  expect(JSON.stringify([shown, seen, who.notes])).not.toContain('s3cret-value');
  const moved = { proxy_pass_url: `${sample.url}` };
  expect(await asServer(call('servers.patch', { path: 'own', body: moved }, admin()))).toMatchObject({
    auth_scheme: 'none',
    credential_updated_at: null,
    health_status: 'healthy',
  });
  expect(routes.find('own')?.credentials?.headers).toEqual([]);
});

test('a credential change honours If-Match', async () => {
  const body = { server_name: 'Own', path: '/own', proxy_pass_url: 'http://127.0.0.1:9' };
  await call('servers.register', { body }, admin());
  const set = { auth_scheme: 'bearer', auth_credential: 'a' };
  const stale = call('servers.credential', { path: 'own', body: set, ifMatch: '"7"' }, admin());
  expect(await codeOf(stale)).toBe('changed_meanwhile');
});

test('the history tells when health became another, and when a server was off', async () => {
  await call('servers.register', { body: input('/time', { is_enabled: true }) }, admin());
  await call('servers.health', { path: 'time' }, admin());
  await call('servers.toggle', { path: 'time', body: { enabled: false } }, admin());
  await call('servers.toggle', { path: 'time', body: { enabled: true } }, admin());
  await sample.close();
  await call('servers.health', { path: 'time' }, admin());
  const { body } = await call('servers.history', { path: 'time' }, reader());
  const { changes } = body as { changes: { at: string; status: string; reason: string | null }[] };
  expect(changes.map(({ status, reason }) => [status, reason])).toEqual([
    ['healthy', null],
    ['disabled', null],
    ['healthy', null],
    ['unhealthy', 'unreachable'],
  ]);
  expect(changes.map(({ at }) => at)).toEqual(changes.map(({ at }) => at).toSorted());
  await call('servers.remove', { path: 'time' }, admin());
  expect(await database.db.selectFrom('health_changes').selectAll().execute()).toEqual([]);
});

test('a look at an address finds the server below it and suggests how to register it', async () => {
  const base = sample.url.replace(/\/mcp$/, '');
  const look = async (url: string, who = admin()) =>
    (await call('servers.probe', { body: { url } }, who)).body;
  expect(await look(base)).toMatchObject({
    status: 'healthy',
    transport: 'streamable-http',
    proxy_pass_url: `${base}/mcp`,
    needs_credential: false,
    takes_accounts: null,
    suggested: { server_name: 'currenttime', path: '/currenttime' },
    duplicates: [],
    tools: [{ name: 'current_time_by_timezone' }, { name: 'countdown' }],
  });
  await call('servers.register', { body: input('/currenttime') }, admin());
  expect(await look(base)).toMatchObject({
    suggested: { path: '/currenttime-2' },
    duplicates: [{ path: '/currenttime', server_name: 'Server /currenttime' }],
  });
  const blind = callerWith({ register_service: 'all' });
  expect(await look(base, blind)).toMatchObject({ duplicates: [] });
});

test('an MCP server at its address itself is found there, stored there and asked there', async () => {
  const sampleAt = new URL(sample.url);
  // What `/mcp` answers, at any other path; nothing below it.
  const server = createServer((req, res) => {
    if (req.url !== '/v1/platform/tools') return void res.writeHead(404).end();
    const options = { host: sampleAt.hostname, port: sampleAt.port, path: '/mcp', method: req.method };
    const to = request({ ...options, headers: req.headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(res);
    });
    req.pipe(to);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/platform/tools`;
  const who = admin();
  const body = { ...input('/root'), proxy_pass_url: url, is_enabled: true };
  const registered = await asServer(call('servers.register', { body }, who));
  expect(registered).toMatchObject({ health_status: 'healthy', mcp_endpoint: url, proxy_pass_url: url });
  expect(routes.find('root')?.mcp?.href).toBe(url);
  expect(who.notes.at(-1)).toMatchObject({
    after: { mcp_endpoint: expect.stringContaining('http://127.0.0.1') },
  });
  // What somebody says it is stays, whatever is found.
  const said = { ...body, path: '/said', mcp_endpoint: `${url}/mcp` };
  expect(await asServer(call('servers.register', { body: said }, admin()))).toMatchObject({
    health_status: 'unhealthy',
    mcp_endpoint: `${url}/mcp`,
  });
  // Below its address, and nothing more is looked for where nobody is at all.
  const usual = { ...input('/usual'), proxy_pass_url: sample.url.replace(/\/mcp$/, ''), is_enabled: true };
  expect(await asServer(call('servers.register', { body: usual }, admin()))).toMatchObject({
    health_status: 'healthy',
    mcp_endpoint: null,
  });
});

test('a look at an address says that a credential is wanted, or that nobody is there', async () => {
  const server = createServer((_, res) => void res.writeHead(401).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/files/mcp`;
  const who = admin();
  expect((await call('servers.probe', { body: { url: `${url}?key=secret` } }, who)).body).toMatchObject({
    status: 'auth-failing',
    needs_credential: true,
    takes_accounts: 'ready',
    transport: 'streamable-http',
    suggested: { path: '/files' },
  });
  expect(JSON.stringify(who.notes)).not.toContain('secret');
  expect((await call('servers.probe', { body: { url: await deadUrl() } }, admin())).body).toMatchObject({
    status: 'unhealthy',
    transport: null,
  });
});

test('a list parses no tools, and shows what the last check found', async () => {
  await call('servers.register', { body: { ...input(), is_enabled: true } }, admin());
  expect(routes.rows()[0]?.tools?.tools.length).toBeGreaterThan(0);
  const parse = JSON.parse;
  const parsed: string[] = [];
  JSON.parse = ((text: string, ...rest: []) => {
    parsed.push(text);
    return parse(text, ...rest) as unknown;
  }) as typeof JSON.parse;
  try {
    await call('servers.list', { query: { limit: '1' } }, admin());
  } finally {
    JSON.parse = parse;
  }
  expect(parsed.filter((text) => text.includes('inputSchema'))).toEqual([]);
});

const github = {
  egress_auth_mode: 'oauth_user',
  egress_provider: 'github',
  client_id: 'Iv1.test',
  client_secret: 'the-secret-of-the-client',
  scopes: ['repo'],
};
const asAdministrator = (): Who => {
  const who = admin();
  return { ...who, access: { ...who.access, isAdmin: true } };
};

test('only administrators let credentials of people go to a server, or let them do more', async () => {
  await call('servers.register', { body: input() }, admin());
  const configure = (body: object, who: Who) => call('servers.configureEgress', { path: '/time', body }, who);
  expect(await codeOf(configure(github, admin()))).toBe('not_allowed');
  const by = asAdministrator();
  const { body } = await configure(github, by);
  expect(body).toMatchObject({ egress_auth_mode: 'oauth_user', has_client_secret: true, scopes: ['repo'] });
  expect(JSON.stringify([body, by.notes])).not.toContain('the-secret-of-the-client');
  const stored = await database.db.selectFrom('servers').select('egress').executeTakeFirstOrThrow();
  expect(stored.egress).not.toContain('the-secret-of-the-client');
  expect((await asServer(call('servers.get', { path: '/time' }, reader()))).egress_auth_mode).toBe(
    'oauth_user',
  );
  const { client_secret: _, ...same } = github;
  expect(await codeOf(configure({ ...same, scopes: ['repo', 'admin:org'] }, admin()))).toBe('not_allowed');
  expect(await codeOf(configure({ ...same, client_id: 'Iv1.mine' }, admin()))).toBe('not_allowed');
  expect(await codeOf(configure({ ...github, client_secret: 'mine' }, admin()))).toBe('not_allowed');
  expect((await configure({ ...same, scopes: [] }, admin())).body).toMatchObject({
    ...{ scopes: [], has_client_secret: true },
  });
  expect((await configure({ egress_auth_mode: 'none' }, admin())).body).toMatchObject({
    has_client_secret: false,
  });
});

test('an audience beyond the limits of the operator, and parts that are missing, are refused with their place', async () => {
  await call('servers.register', { body: input() }, admin());
  const faults = async (body: object): Promise<string> => {
    const failed = call('servers.configureEgress', { path: '/time', body }, asAdministrator());
    return ((await failed.catch((error: Failure) => error)) as Failure).message;
  };
  const obo = { egress_auth_mode: 'obo_exchange', scopes: ['.default'] };
  expect(await faults({ ...obo, target_audience: 'https://elsewhere.example' })).toContain(
    'EGRESS_ALLOWED_AUDIENCES',
  );
  expect(await faults({ egress_auth_mode: 'obo_exchange' })).toContain('body.scopes');
  expect(await faults({ egress_auth_mode: 'client_credentials', client_id: 'a' })).toContain(
    'body.client_secret',
  );
  expect(await faults({ egress_auth_mode: 'oauth_user', egress_provider: 'slack' })).toContain(
    'body.client_id',
  );
  expect(await faults({ egress_auth_mode: 'operator_credential' })).toContain('no credential is stored');
});

test('a change of the address resets whose credential goes to a server, and drops what people had there', async () => {
  await call('servers.register', { body: input() }, admin());
  await call('servers.configureEgress', { path: '/time', body: github }, asAdministrator());
  const row = await find(database.db, '/time');
  const owner = { provider: 'entra', subject: 'a', serverId: row!.id, purpose: 'call', address: 'http://h' };
  const made = { access: 'x', accessExpiresAt: null, refresh: null, scopes: [], issuer: null, account: null };
  const connection = {
    ...made,
    owner,
    username: 'a',
    mode: 'oauth_user',
    audience: null,
    endsAt: null,
  } as const;
  const connect = () =>
    storeConnection(database.db, createConnectionVault(keyringOf('k'.repeat(40))), connection, 'now');
  await connect();
  await call('servers.patch', { path: '/time', body: { description: 'other' } }, admin());
  expect(await listConnections(database.db, owner)).toHaveLength(1);
  const moved = { proxy_pass_url: 'http://127.0.0.1:1/elsewhere/mcp' };
  await call('servers.patch', { path: '/time', body: moved }, admin());
  expect(await listConnections(database.db, owner)).toEqual([]);
  expect((await asServer(call('servers.get', { path: '/time' }, reader()))).egress_auth_mode).toBe('none');
  await connect();
  await call('servers.remove', { path: '/time' }, admin());
  expect(await listConnections(database.db, owner)).toEqual([]);
  expect(ended).toEqual(['/time a', '/time a']);
});
