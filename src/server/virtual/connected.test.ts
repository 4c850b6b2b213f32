import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { OpenDatabase } from '../db/open.ts';
import {
  type Clock,
  openMemory,
  personOf,
  type ScriptedAuthority,
  settingsOf,
  startAuthority,
  startProcess,
} from '../egress/egress.test-support.ts';
import type { EgressServer } from '../egress/renew.ts';
import {
  type Received,
  routeOf,
  type ScriptedUpstream,
  send,
  sendJson,
  startGateway,
  startUpstream,
  type TestGateway,
} from '../gateway/gateway.test-support.ts';
import type { Route } from '../registry/servers/route.ts';
import { openToAll } from './virtual.test-support.ts';

const clock: Clock = { now: 0 };
const tools = [{ name: 'read', inputSchema: { type: 'object' } }];
const ann = personOf('ann');
const modern = '2026-07-28';
let database: OpenDatabase;
let authority: ScriptedAuthority;
let upstream: ScriptedUpstream;
let world: Awaited<ReturnType<typeof startProcess>>;
let gateway: TestGateway;
let server: EgressServer;
/** Which access token the member takes; any for none. */
let taken: string | undefined;

beforeEach(async () => {
  clock.now = Date.parse('2026-11-29T12:00:00Z');
  taken = undefined;
  database = await openMemory();
  [authority, upstream] = [await startAuthority(), await startUpstream(member)];
  world = await startProcess(database, clock);
});
afterEach(async () => {
  await gateway.close();
  await world.close();
  await Promise.all([upstream.close(), authority.close(), database.close()]);
});

/** A member of either era that takes one token and says which tool was called. */
function member({ body, headers, method }: Received, res: ServerResponse) {
  if (taken !== undefined && headers.authorization !== `Bearer ${taken}`) return sendJson(res, {}, 401);
  if (method !== 'POST') return void res.writeHead(405).end();
  const { id, method: asked, params } = JSON.parse(body);
  if (id === undefined) return void res.writeHead(202).end();
  if (asked === 'initialize') {
    res.setHeader('mcp-session-id', 'member');
    return sendJson(res, { jsonrpc: '2.0', id, result: { protocolVersion: '2025-11-25' } });
  }
  return sendJson(res, { jsonrpc: '2.0', id, result: { resultType: 'complete', called: params?.name } });
}

/** A gateway whose virtual server, and whose registry tools, call that member, which speaks a version. */
async function serve(protocolVersion: string): Promise<void> {
  const settings = settingsOf({
    custom_token_url: `${authority.origin}/token`,
    custom_authorize_url: 'https://a.example',
  });
  server = { id: 'files', name: 'files', settings, url: upstream.url };
  const routes = new Map<string, Route>([
    ['files', routeOf('files', upstream.url, { tools: [...tools], egress: settings, protocolVersion })],
  ]);
  gateway = await startGateway(
    { ann: ['files * *'], bob: ['files * *'] },
    {
      ...openToAll(routes, database.db, () => clock.now),
      connections: world.credentials,
    },
  );
}

/** A connection whose access token the member no longer takes, though it has not ended. */
async function connectStale(): Promise<void> {
  const accessExpiresAt = clock.now + 3_600_000;
  await world.connect(ann, server, { access: 'old', refresh: 'refresh-0', accessExpiresAt });
  clock.now += 60_000;
  taken = 'access-1';
}

const ways = { virtual: '/virtual/v/mcp', registry: '/airegistry-tools/mcp' } as const;
const params = {
  virtual: { name: 'files__read', arguments: {} },
  registry: {
    name: 'call_tool',
    arguments: { server: 'files', tool: 'read', arguments: {} },
  },
} as const;

/** A call through a virtual server or the registry's own tools, by a client of an era that shows addresses or not. */
async function call(
  through: keyof typeof ways,
  era: 'legacy' | 'modern',
  { shows = false, input = {} }: { shows?: boolean; input?: object } = {},
) {
  const url = `${gateway.origin}${ways[through]}`;
  const capabilities = shows ? { elicitation: { url: {} } } : {};
  const post = (method: string, said: object, headers = {}, more: object = { id: 1 }) =>
    send(url, {
      as: 'ann',
      headers,
      body: JSON.stringify({ jsonrpc: '2.0', method, params: said, ...more }),
    });
  if (era === 'modern') {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': modern,
      'io.modelcontextprotocol/clientCapabilities': capabilities,
      'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' },
    };
    const { name } = params[through];
    const headers = { 'mcp-protocol-version': modern, 'mcp-method': 'tools/call', 'mcp-name': name };
    return (await post('tools/call', { ...params[through], ...input, _meta }, headers)).json() as Answer;
  }
  const clientInfo = { name: 't', version: '1' };
  const begun = await post('initialize', { protocolVersion: '2025-11-25', capabilities, clientInfo });
  const headers = {
    'mcp-session-id': String(begun.headers['mcp-session-id']),
    'mcp-protocol-version': '2025-11-25',
  };
  return (await post('tools/call', params[through], headers)).json() as Answer;
}
type Answer = { result?: Record<string, unknown>; error?: { code: number; data: Record<string, unknown> } };

const all = (['virtual', 'registry'] as const).flatMap((through) =>
  (['legacy', 'modern'] as const).flatMap((era) =>
    ['2025-11-25', modern].map((version) => [through, era, version] as const),
  ),
);

test.each(all)(
  'through %s a %s client calls a member of %s whose token has to be refreshed',
  async (through, era, version) => {
    await serve(version);
    await connectStale();
    expect(JSON.stringify(await call(through, era))).toContain('"called":"read"');
    expect(authority.requests.map((one) => one.refresh_token)).toEqual(['refresh-0']);
    // One that is new is not refreshed again.
    taken = 'another';
    expect(await call(through, era)).toMatchObject({ error: { data: { code: 'connection_refused' } } });
    expect(authority.requests.length).toBe(1);
    expect(gateway.events.some(({ detail }) => detail?.connection !== undefined)).toBe(true);
  },
);

test.each(all)(
  'through %s a %s client is asked to connect to a member of %s as it can show',
  async (through, era, version) => {
    await serve(version);
    const link = 'http://gateway.example/oauth2/egress/connect?server=%2Ffiles';
    const plain = await call(through, era);
    expect(plain).toMatchObject({ error: { data: { code: 'connection_needed' } } });
    expect(JSON.stringify(plain)).toContain(link);
    const shown = await call(through, era, { shows: true });
    if (era === 'legacy')
      expect(shown).toMatchObject({
        error: { code: -32042, data: { elicitations: [{ mode: 'url', url: link }] } },
      });
    else
      expect(shown).toMatchObject({
        result: {
          resultType: 'input_required',
          inputRequests: { 'mcp-gateway.connect': { method: 'elicitation/create', params: { url: link } } },
        },
      });
    expect(upstream.received).toEqual([]);
  },
);

test('who says that they are connecting is waited for, and who says no is told in words', async () => {
  await serve(modern);
  const reply = (action: string) => ({
    input: { inputResponses: { 'mcp-gateway.connect': { action } } },
    shows: true,
  });
  expect(await call('virtual', 'modern', reply('decline'))).toMatchObject({
    error: { data: { code: 'connection_needed' } },
  });
  const waiting = call('virtual', 'modern', reply('accept'));
  await world.connect(ann, server, { access: 'mine' });
  expect(JSON.stringify(await waiting)).toContain('"called":"read"');
  expect(upstream.received[0]?.body).not.toContain('mcp-gateway.connect');
});
