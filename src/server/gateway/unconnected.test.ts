import { afterEach, beforeEach, expect, test } from 'vitest';
import type { OpenDatabase } from '../db/open.ts';
import { openMemory, personOf, settingsOf, startProcess } from '../egress/egress.test-support.ts';
import {
  routeOf,
  rpc,
  type ScriptedUpstream,
  send,
  startGateway,
  startUpstream,
  type TestGateway,
} from './gateway.test-support.ts';

let database: OpenDatabase;
let upstream: ScriptedUpstream;
let world: Awaited<ReturnType<typeof startProcess>>;
let gateway: TestGateway;
const settings = settingsOf({ egress_auth_mode: 'pat' });
const tools = ['read', 'write'].map((name) => ({ name, description: name, inputSchema: { type: 'object' } }));

beforeEach(async () => {
  database = await openMemory();
  upstream = await startUpstream();
  world = await startProcess(database, { now: Date.parse('2026-11-29T12:00:00Z') });
  const opened: (string | null | undefined)[] = [];
  gateway = await startGateway(
    {
      ann: [
        'files initialize',
        'files tools/list',
        'files tools/call read',
        'files notifications/initialized',
        'files ping',
        'files server/discover',
      ],
      bob: [],
    },
    {
      connections: world.credentials,
      terminal: () => ({
        owns: () => false,
        serve: () => Promise.reject(new Error('nothing is served here')),
        sessionAt: async (_exchange, _holder, _target, gone) => {
          opened.push(gone?.id);
          return { id: `own-${opened.length}`, version: '2025-06-18' };
        },
        close() {},
      }),
    },
  );
  gateway.routes.set('files', routeOf('files', upstream.url, { egress: settings, tools: tools as never }));
});

afterEach(async () => {
  await gateway.close();
  await world.close();
  await Promise.all([upstream.close(), database.close()]);
});

const ask = (body: object, headers = {}) => send(`${gateway.origin}/files/mcp`, { as: 'ann', headers, body });
const connect = async () => {
  await world.connect(personOf('ann'), { id: 'files', name: 'files', settings, url: upstream.url });
  await world.feed.caughtUp();
};
const initialize = (elicitation?: object) =>
  rpc('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: elicitation ? { elicitation } : {},
    clientInfo: { name: 'c', version: '1' },
  });
const callRead = rpc('tools/call', { name: 'read' }, 7);
const link = 'http://gateway.example/oauth2/egress/connect?server=%2Ffiles';

test('before there is a connection a client can begin, and sees the tools that it may call', async () => {
  const begun = await ask(initialize());
  expect(begun.json()).toMatchObject({
    result: { protocolVersion: '2025-11-25', serverInfo: { name: 'files' } },
  });
  const session = {
    'mcp-session-id': String(begun.headers['mcp-session-id']),
    'mcp-protocol-version': '2025-11-25',
  };
  expect((await ask({ jsonrpc: '2.0', method: 'notifications/initialized' }, session)).status).toBe(202);
  expect((await ask(rpc('ping'), session)).json()).toMatchObject({ result: {} });
  expect((await ask(rpc('tools/list'), session)).json()).toMatchObject({ result: { tools: [tools[0]] } });
  expect((await send(`${gateway.origin}/files/mcp`, { as: 'bob', body: initialize() })).json()).toMatchObject(
    {
      error: { code: 403 },
    },
  );
  expect(upstream.received).toEqual([]);
});

test.each([
  ['shows addresses', { url: {} }, -32042],
  ['has forms alone', { form: {} }, 403],
  ['has no elicitation', undefined, 403],
])('a client of 2025-11-25 that %s gets what it can show', async (_, elicitation, code) => {
  const begun = await ask(initialize(elicitation));
  const session = { 'mcp-session-id': String(begun.headers['mcp-session-id']) };
  const { error } = (await ask(callRead, session)).json() as {
    error: { code: number; message: string; data: { elicitations?: object[] } };
  };
  expect(error.code).toBe(code);
  expect(error.message).toContain(link);
  expect(error.data.elicitations).toEqual(
    code === -32042
      ? [{ mode: 'url', url: link, message: error.message, elicitationId: expect.any(String) }]
      : undefined,
  );
});

test('a session that began before goes on in one of the server once there is a connection', async () => {
  const begun = await ask(initialize());
  const session = {
    'mcp-session-id': String(begun.headers['mcp-session-id']),
    'mcp-protocol-version': '2025-11-25',
  };
  await connect();
  expect((await ask({ jsonrpc: '2.0', method: 'notifications/initialized' }, session)).status).toBe(202);
  expect((await ask(callRead, session)).status).toBe(200);
  expect(upstream.received[0]?.headers).toMatchObject({
    ...{
      'mcp-session-id': 'own-1',
      'mcp-protocol-version': '2025-06-18',
      authorization: 'Bearer access of ann',
    },
  });
  upstream.script = ({ headers }, res) => {
    res.writeHead(headers['mcp-session-id'] === 'own-3' ? 200 : 404, { 'content-type': 'application/json' });
    res.end('{"jsonrpc":"2.0","id":7,"result":{}}');
  };
  expect((await ask(callRead, session)).status).toBe(200);
  const other = await send(`${gateway.origin}/files/mcp`, { as: 'bob', headers: session, body: callRead });
  expect(other.json()).toMatchObject({ error: { code: 403 } });
});

const modern = (more: object = {}, capabilities: object = { elicitation: { url: {} } }) =>
  rpc(
    'tools/call',
    {
      name: 'read',
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': capabilities,
      },
      ...more,
    },
    9,
  );
const inModern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'read' };
const accept = (action: string) => ({ inputResponses: { 'mcp-gateway.connect': { action } } });

test('a client of 2026-07-28 is told that input is needed, and its call goes on once the person has connected', async () => {
  expect((await ask(modern(), inModern)).json()).toMatchObject({
    id: 9,
    result: {
      resultType: 'input_required',
      inputRequests: {
        'mcp-gateway.connect': { method: 'elicitation/create', params: { mode: 'url', url: link } },
      },
    },
  });
  expect((await ask(modern({}, {}), inModern)).json()).toMatchObject({ error: { code: 403 } });
  expect((await ask(modern(accept('decline')), inModern)).json()).toMatchObject({ error: { code: 403 } });
  // The client goes on at once; the person is still at the page.
  const waiting = ask(modern(accept('accept')), inModern);
  await connect();
  expect((await waiting).json()).toMatchObject({ result: {} });
  expect(JSON.parse(upstream.received[0]?.body ?? '{}')).toEqual(JSON.parse(JSON.stringify(modern())));
});
