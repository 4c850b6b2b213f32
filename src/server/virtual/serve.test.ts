import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { VirtualServerDefinition } from '../../contract/servers/virtual-servers.ts';
import { virtualServerDefinition } from '../../contract/servers/virtual-servers.ts';
import type { Access } from '../access/caller.ts';
import { type OpenDatabase, openMemory } from '../db/open.ts';
import {
  open,
  routeOf,
  type ScriptedUpstream,
  sendJson,
  startGateway,
  startUpstream,
  type TestGateway,
} from '../gateway/gateway.test-support.ts';
import type { Route } from '../registry/servers/route.ts';
import { resolve } from '../registry/virtual-servers/resolve.ts';
import type { DecideCall } from '../registry/virtual-servers/shown.ts';
import { ownerOf, type VirtualServerRow } from '../registry/virtual-servers/store.ts';
import type { Virtual } from '../registry/virtual-servers/table.ts';
import { decideThrough } from './locate.ts';
import { createVirtualServing } from './serve.ts';

const tools = ['now', 'secret'].map((name) => ({ name, inputSchema: { type: 'object' } }));
const rules: Record<'bob' | 'dora' | 'eve' | 'narrow', string[]> = {
  bob: ['virtual/both * *', 'time * now', 'docs * *'],
  dora: ['virtual/both * *', 'docs * *'],
  eve: ['time * *', 'docs * *'],
  narrow: ['virtual/both * time__now', 'time * *', 'docs * *'],
};
const rows: VirtualServerRow[] = [];
const changed = new Set<() => void>();
let database: OpenDatabase;
let upstream: ScriptedUpstream;
let house: TestGateway;
const routes = new Map<string, Route>();

beforeEach(async () => {
  database = await openMemory();
  rows.splice(0);
  rules.bob = ['virtual/both * *', 'time * now', 'docs * *'];
  upstream = await startUpstream(legacyServer);
  for (const name of ['time', 'docs']) routes.set(name, routeOf(name, upstream.url, { tools: [...tools] }));
  const table = {
    find(name: string, who: { provider: string; subject: string }): Virtual | undefined {
      const owner = name.startsWith('virtual/me/') ? ownerOf(who) : '';
      const row = rows.find((one) => one.path === `/${name}` && one.owner === owner);
      const findRoute = (server: string) => routes.get(server);
      return row && { name, row, isPersonal: owner !== '', resolved: resolve(row.definition, findRoute) };
    },
  };
  const accessOf = () => ({ scopes: ['s'], may: () => true }) as unknown as Access;
  const decide: DecideCall = (identity, call) => ruled(identity.subject, call);
  house = await startGateway(rules, {
    decide: decideThrough(table, decide, accessOf),
    rightsOf: (identity) => identity,
    findRoute: (name) => routes.get(name),
    terminal: createVirtualServing({
      ...{ table, db: database.db, key: Buffer.alloc(32, 3), now: () => 1_000, accessOf },
      findRoute: (name) => routes.get(name),
      decide,
      rightsOf: (identity) => identity,
      toolsChanged: () => undefined,
      onChange: (listener) => {
        changed.add(listener);
        return () => changed.delete(listener);
      },
      findTools: async () => ({ tools: [], total: 0 }),
      findAll: () => Promise.reject(new Error('not here')),
    }),
  });
  add('/virtual/both', { members: [{ backend_server_path: '/time' }, { backend_server_path: '/docs' }] });
});
afterEach(async () => {
  changed.clear();
  await house.close();
  await upstream.close();
  await database.close();
});

/** What somebody may do: by `server method item`, with `*` for anything; sessions are open to who has any rule there. */
function ruled(subject: string, { server, method, tool, prompt, resource }: Parameters<DecideCall>[1]) {
  const item = tool ?? prompt ?? resource;
  const own = (rules[subject as keyof typeof rules] ?? []).map((rule) => rule.split(' '));
  const fits = own.some(
    ([name, methods, items]) =>
      name === server &&
      (methods === '*' || methods === method) &&
      (item === undefined || items === '*' || items === item),
  );
  return fits ? ({ allow: true, scope: 's' } as const) : ({ allow: false, reason: 'tool' } as const);
}

function add(path: string, definition: object, owner = ''): void {
  const said: VirtualServerDefinition = virtualServerDefinition.parse({
    server_name: path,
    path,
    ...definition,
  });
  rows.push({
    ...{ id: path + owner, path, owner, definition: said, isEnabled: true, revision: 1 },
    ...{ createdBy: 'x', createdAt: '', updatedAt: '' },
  });
}

/** A member of the eras before: opens a session and says which tool was called. */
function legacyServer(
  { body, headers, method }: { body: string; headers: object; method: string },
  res: ServerResponse,
) {
  if (method !== 'POST') return void res.writeHead(405).end();
  const message = JSON.parse(body);
  if (message.id === undefined) return void res.writeHead(202).end();
  if (message.method === 'initialize') {
    res.setHeader('mcp-session-id', `member-${upstream.received.length}`);
    return sendJson(res, { jsonrpc: '2.0', id: message.id, result: { protocolVersion: '2025-11-25' } });
  }
  const session = (headers as Record<string, string>)['mcp-session-id'] ?? null;
  if (message.params?.arguments?.stream) {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    return void res.write(
      `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress' })}\n\n`,
    );
  }
  sendJson(res, { jsonrpc: '2.0', id: message.id, result: { called: message.params?.name, session } });
}

const at = (path = '/virtual/both/mcp') => `${house.origin}${path}`;
const message = (method: string, params: object = {}) => ({ jsonrpc: '2.0', id: 1, method, params });
const call = (name: string, args: object = {}) => message('tools/call', { name, arguments: args });
const json = async (as: string, body: object, headers = {}, path?: string) => {
  const { status, text, headers: back } = await post(as, body, headers, path);
  return { status, body: JSON.parse(text), session: back['mcp-session-id'] as string | undefined };
};
async function post(as: string, body: object, headers = {}, path?: string) {
  const answer = await open(at(path), {
    method: 'POST',
    as,
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
  return { status: answer.status, headers: answer.headers, text: await answer.rest() };
}
const initialize = (as: string) =>
  json(
    as,
    message('initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'c', version: '1' },
    }),
  );
const names = async (as: string, path?: string): Promise<string[]> =>
  (await json(as, message('tools/list'), {}, path)).body.result.tools.map(
    (tool: { name: string }) => tool.name,
  );

test('each sees and calls what both the virtual and the real server allow', async () => {
  expect(await names('bob')).toEqual(['time__now', 'docs__now', 'docs__secret']);
  expect(await names('dora')).toEqual(['docs__now', 'docs__secret']);
  expect(await names('narrow')).toEqual(['time__now']);
  expect((await json('bob', call('time__now'))).body.result).toMatchObject({ called: 'now' });
  expect(upstream.received.filter(({ body }) => body.includes('tools/call'))).toHaveLength(1);
});

test('a tool that is forbidden at its server stays forbidden behind an alias, and is never sent', async () => {
  add('/virtual/alias', {
    tool_mappings: [{ tool_name: 'secret', alias: 'harmless', backend_server_path: '/time' }],
  });
  rules.bob.push('virtual/alias * *');
  expect(await names('bob', '/virtual/alias/mcp')).toEqual([]);
  const answer = await json('bob', call('harmless'), {}, '/virtual/alias/mcp');
  expect(answer.body.error).toBeDefined();
  expect(await json('bob', call('time__secret'))).toMatchObject({ body: { error: {} } });
  expect(await json('narrow', call('docs__now'))).toMatchObject({ body: { error: {} } });
  expect(await json('eve', call('time__now'))).toMatchObject({ body: { error: {} } });
  expect(upstream.received).toEqual([]);
  const events = await house.audited(5);
  expect(events.map(({ decision }) => decision).filter((one) => one !== 'deny')).toEqual(['allow']);
});

test.each(['2025-11-25', '2026-07-28'])(
  'who used what through which virtual server is on record, for a client of %s',
  async (era) => {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': era,
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const headers = { 'mcp-protocol-version': era, 'mcp-method': 'tools/call', 'mcp-name': 'time__now' };
    const isModern = era === '2026-07-28';
    const asked = message('tools/call', { name: 'time__now', arguments: {}, ...(isModern ? { _meta } : {}) });
    const answer = await json('bob', asked, isModern ? headers : {});
    expect(answer.body.result).toMatchObject({ called: 'now' });
    expect((await house.audited(1))[0]).toMatchObject({
      ...{ who: { subject: 'bob' }, action: 'tools/call', resource: 'time', tool: 'now', decision: 'allow' },
      detail: { virtual_server: 'virtual/both', alias: 'time__now' },
    });
  },
);

test('a session is its identity’s and its virtual server’s alone', async () => {
  add('/virtual/other', { members: [{ backend_server_path: '/docs' }] });
  rules.bob.push('virtual/other * *');
  const { session = '' } = await initialize('bob');
  const own = { 'mcp-session-id': session };
  const first = await json('bob', call('docs__now'), own);
  expect(first.body.result.session).toMatch(/^member-/);
  expect((await json('bob', call('docs__now'), own)).body.result.session).toBe(first.body.result.session);
  for (const [as, headers, path] of [
    ['dora', own, undefined],
    ['bob', own, '/virtual/other/mcp'],
    ['bob', { 'mcp-session-id': `${session}A` }, undefined],
    ['bob', { 'mcp-session-id': first.body.result.session }, undefined],
    ['bob', { 'mcp-session-id': session.toLowerCase() }, undefined],
  ] as const)
    expect(await json(as, call('docs__now'), headers, path)).toMatchObject({ status: 404 });
  const ended = await open(at(), { method: 'DELETE', as: 'bob', headers: own });
  expect([ended.status, (await json('bob', call('docs__now'), own)).status]).toEqual([200, 404]);
});

test('the session at a member is not shown to the client, and a member that forgot it gets another', async () => {
  const { session = '' } = await initialize('bob');
  const own = { 'mcp-session-id': session };
  const before = await post('bob', call('docs__now'), own);
  expect(before.headers['mcp-session-id']).toBeUndefined();
  const usual = upstream.script;
  let forgotten = true;
  upstream.script = (received, res, req) => {
    const isCall = received.body.includes('tools/call');
    if (!isCall || !forgotten) return usual(received, res, req);
    forgotten = false;
    sendJson(res, { jsonrpc: '2.0', id: 1, error: { code: -32001, message: 'Session not found' } }, 404);
  };
  const after = await json('bob', call('docs__now'), own);
  expect(after.body.result.session).not.toBe(JSON.parse(before.text).result.session);
});

test('a personal one is found by its owner alone, without a rule for it', async () => {
  add(
    '/virtual/me/mine',
    { members: [{ backend_server_path: '/time' }] },
    ownerOf({ provider: 'test', subject: 'eve' }),
  );
  expect(await names('eve', '/virtual/me/mine/mcp')).toEqual(['time__now', 'time__secret']);
  const answer = await post('bob', call('time__now'), {}, '/virtual/me/mine/mcp');
  expect(answer.text).not.toContain('called');
  expect(upstream.received).toEqual([]);
});

test.each(['the rule', 'the virtual server', 'the mapping'])(
  'a stream ends when %s is gone',
  async (what) => {
    const before = [...rules.bob];
    const answer = await open(at(), {
      ...{ method: 'POST', as: 'bob', body: call('time__now', { stream: true }) },
      headers: { 'content-type': 'application/json' },
    });
    expect(await answer.event()).toContain('progress');
    const [row] = rows;
    if (what === 'the rule') rules.bob = rules.bob.filter((rule) => !rule.startsWith('time'));
    else if (what === 'the virtual server') rows[0] = { ...row!, isEnabled: false };
    else rows[0] = { ...row!, definition: { ...row!.definition, members: [] }, id: 'another' };
    for (const listener of changed) listener();
    await expect(answer.next()).rejects.toThrow();
    rules.bob = before;
    expect((await house.audited(1))[0]).toMatchObject({
      ...{ resource: 'time', tool: 'now', decision: 'allow' },
      detail: { virtual_server: 'virtual/both', alias: 'time__now' },
    });
  },
);

test('requests of 2026-07-28 say what that version asks for, or are refused as it says', async () => {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' };
  const list = await json('bob', message('tools/list', { _meta: meta }), headers);
  expect(list.body.result).toMatchObject({ resultType: 'complete', cacheScope: 'private' });
  const { 'io.modelcontextprotocol/clientCapabilities': _, ...less } = meta;
  expect(await json('bob', message('tools/list', { _meta: less }), headers)).toMatchObject({
    status: 400,
    body: { error: { code: -32602 } },
  });
  const named = { ...headers, 'mcp-method': 'tools/call', 'mcp-name': 'docs__now' };
  expect(await json('bob', message('tools/call', { name: 'time__now', _meta: meta }), named)).toMatchObject({
    status: 400,
    body: { error: { code: -32020 } },
  });
  const future = { ...meta, 'io.modelcontextprotocol/protocolVersion': '2027-01-01' };
  expect(
    await json('bob', message('tools/list', { _meta: future }), {
      ...headers,
      'mcp-protocol-version': '2027-01-01',
    }),
  ).toMatchObject({ status: 400, body: { error: { code: -32022, data: { supported: ['2026-07-28'] } } } });
  const modernCall = await json(
    'bob',
    message('tools/call', { name: 'docs__now', arguments: {}, _meta: meta }),
    named,
  );
  expect(modernCall.body.result).toMatchObject({ resultType: 'complete', called: 'now' });
});

test('a call does not become a task at a member, since nobody could ask for it here', async () => {
  const asking = message('tools/call', { task: { ttl: 1 }, name: 'docs__now', arguments: { task: 1 } });
  expect((await json('bob', asking)).body.result).toMatchObject({ called: 'now' });
  const sent = upstream.received.find(({ body }) => body.includes('tools/call'));
  expect(JSON.parse(sent?.body ?? '').params).toEqual({ name: 'now', arguments: { task: 1 } });
});

const listen = (notifications: object) => ({
  ...{ method: 'POST', as: 'bob' },
  body: message('subscriptions/listen', {
    notifications,
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  }),
  headers: {
    'content-type': 'application/json',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'subscriptions/listen',
  },
});

test('listening at a member that is switched off harms nobody', async () => {
  const off = routes.get('docs');
  routes.set('docs', { ...off!, enabled: false });
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  const answer = await open(at(), listen({ toolsListChanged: true }));
  expect(await answer.event()).toContain('acknowledged');
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  answer.leave();
  expect(unhandled).toEqual([]);
});

test('a stream says nothing more of a member that was taken out, or whose rule is gone', async () => {
  const streams = new Map<string, ServerResponse>();
  const usual = upstream.script;
  upstream.script = (received, res, req) => {
    if (received.method !== 'GET') return usual(received, res, req);
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(': here\n\n');
    streams.set(String(received.headers['mcp-session-id']), res);
  };
  const { session = '' } = await initialize('bob');
  const own = { 'mcp-session-id': session };
  const { session: atDocs } = (await json('bob', call('docs__now'), own)).body.result;
  const { session: atTime } = (await json('bob', call('time__now'), own)).body.result;
  const answer = await open(at(), {
    method: 'GET',
    as: 'bob',
    headers: { accept: 'text/event-stream', ...own },
  });
  const say = (to: string, text: string): void => {
    const params = { level: 'info', data: text };
    const body = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params });
    streams.get(to)?.write(`data: ${body}\n\n`);
  };
  await expect.poll(() => streams.size).toBe(2);
  say(atTime, 'one');
  expect(await answer.event()).toContain('one');
  const [row] = rows;
  const members = row!.definition.members.filter((one) => one.backend_server_path === '/docs');
  rows[0] = { ...row!, definition: { ...row!.definition, members } };
  for (const listener of changed) listener();
  await expect.poll(() => streams.get(atTime)?.destroyed).toBe(true);
  say(atTime, 'two');
  say(atDocs, 'three');
  let event = await answer.event();
  while (event.includes('list_changed')) event = await answer.event();
  expect(event).toContain('three');
  rules.bob = rules.bob.filter((rule) => !rule.startsWith('docs'));
  for (const listener of changed) listener();
  await expect.poll(() => streams.get(atDocs)?.destroyed).toBe(true);
  answer.leave();
});

test('a call ends when its name leads elsewhere', async () => {
  add('/virtual/turns', { tool_mappings: [{ tool_name: 'now', alias: 'go', backend_server_path: '/time' }] });
  rules.bob.push('virtual/turns * *');
  const answer = await open(at('/virtual/turns/mcp'), {
    ...{ method: 'POST', as: 'bob', body: call('go', { stream: true }) },
    headers: { 'content-type': 'application/json' },
  });
  expect(await answer.event()).toContain('progress');
  const row = rows.at(-1)!;
  const [mapping] = row.definition.tool_mappings;
  const tool_mappings = [{ ...mapping!, backend_server_path: '/docs' }];
  rows[rows.length - 1] = { ...row, definition: { ...row.definition, tool_mappings } };
  for (const listener of changed) listener();
  await expect(answer.next()).rejects.toThrow();
});

test('a member that is down is named in instructions, in lists, and where its tools are called', async () => {
  const gone = routeOf('docs', new URL('http://127.0.0.1:9/mcp'), { tools, health: 'unhealthy' });
  routes.set('docs', gone);
  const { body } = await initialize('bob');
  expect(body.result.instructions).toBe('Not available now: /docs (it is not healthy).');
  expect((await initialize('narrow')).body.result.instructions).toBeUndefined();
  const { result } = (await json('bob', message('tools/list'))).body;
  expect(result._meta['mcp-gateway/unavailable']).toEqual([{ server: '/docs', reason: 'it is not healthy' }]);
  expect(result.tools.map(({ name }: { name: string }) => name)).toEqual(['time__now']);
  const answers = [];
  for (let calls = 0; calls < 7; calls += 1) answers.push(await json('bob', call('docs__now')));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  const said = answers.map(({ body: { error } }) => error.message);
  expect(said[0]).toBe("The server '/docs' could not be reached, or it closed the connection.");
  expect(said.at(-1)).toContain("connections to the server '/docs' failed");
  expect((await house.audited(4))[3]).toMatchObject({ status: 502, reason: 'upstream_unreachable' });
});
