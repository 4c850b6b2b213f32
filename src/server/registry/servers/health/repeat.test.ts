import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CheckServer, createCheck } from './check.ts';

/** What the server was asked: the method of MCP or of HTTP. */
let asked: string[];
let tools: object[];
let answer: (req: IncomingMessage, said: { id?: number; method?: string }) => Said;
let server: Server;
/** Whether every character is written by itself. */
let inPieces: boolean;
let check: CheckServer;
let mcp: URL;

interface Said {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

const tool = (name: string, description = 'does it') => ({
  name,
  description,
  inputSchema: { type: 'object' },
});
const results = (method = ''): object | undefined =>
  ({
    initialize: {
      protocolVersion: '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: 's', version: '1.2.3' },
    },
    'tools/list': { tools },
  })[method];
const inJson: typeof answer = (_, { id, method }) => {
  if (id === undefined) return { status: 202 };
  const result = results(method);
  return {
    headers: {
      'content-type': 'application/json',
      ...(method === 'initialize' ? { 'mcp-session-id': 'one' } : {}),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id,
      ...(result ? { result } : { error: { code: -32601, message: 'no' } }),
    }),
  };
};
const listener: RequestListener = async (req, res) => {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  const said = JSON.parse(Buffer.concat(chunks).toString() || '{}') as { id?: number; method?: string };
  asked.push(said.method ?? String(req.method));
  const { status = 200, headers = {}, body } = answer(req, said);
  res.writeHead(status, headers);
  if (inPieces) for (const piece of body ?? '') res.write(piece);
  res.end(inPieces ? undefined : body);
};

beforeEach(async () => {
  [asked, tools, answer, inPieces] = [[], [tool('a')], inJson, false];
  server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  mcp = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
  check = createCheck({ policy: { allowPrivate: true }, version: '1', headersMs: 60_000, totalMs: 60_000 });
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const look = (mark?: string, headers: string[] = []) => check({ mcp, sse: null }, headers, mark);
const all = ['server/discover', 'initialize', 'notifications/initialized', 'tools/list', 'DELETE'];

test('a server that says the same is asked the same and found as it was, and its session is ended', async () => {
  const first = await look();
  expect(first).toMatchObject({ status: 'healthy', tools: [{ name: 'a' }] });
  expect(asked).toEqual(all);
  asked = [];
  const { mark, tools: _, invalid: __, offers: ___, ...rest } = first;
  expect(await look(mark)).toEqual({ ...rest, tools: null, isAsMarked: true });
  expect(asked).toEqual(all);
});

test('the session of the second time is its own', async () => {
  let made = 0;
  const used: unknown[] = [];
  answer = (req, said) => {
    if (req.headers['mcp-session-id'])
      used.push(`${said.method ?? req.method} ${req.headers['mcp-session-id']}`);
    const given = inJson(req, said);
    return said.method === 'initialize'
      ? { ...given, headers: { ...given.headers, 'mcp-session-id': `session-${++made}` } }
      : given;
  };
  const { mark } = await look();
  used.length = 0;
  expect(await look(mark)).toMatchObject({ isAsMarked: true });
  expect(used).toEqual(
    ['notifications/initialized', 'tools/list', 'DELETE'].map((what) => `${what} session-2`),
  );
});

test.each<[string, () => void, object]>([
  ['another description', () => (tools = [tool('a', 'does something else')]), { status: 'healthy' }],
  ['one more tool', () => (tools = [tool('a'), tool('b')]), { status: 'healthy', tools: [{}, {}] }],
  ['a demand for a credential', () => (answer = () => ({ status: 401 })), { status: 'auth-failing' }],
  ['an error', () => (answer = () => ({ status: 503 })), { status: 'unhealthy', reason: 'failing' }],
  ['a redirect', () => (answer = () => ({ status: 307, headers: { location: '/' } })), { reason: 'not-mcp' }],
])('%s is found as a check in full finds it', async (_, change, found) => {
  const { mark } = await look();
  change();
  const second = await look(mark);
  expect(second).toMatchObject(found);
  expect(second.isAsMarked).toBeUndefined();
});

test('another mark or another credential is another question', async () => {
  const { mark } = await look();
  expect((await look('of something else')).isAsMarked).toBeUndefined();
  expect((await look(mark, ['authorization', 'Bearer x'])).isAsMarked).toBeUndefined();
  expect((await look(mark)).isAsMarked).toBe(true);
});

test('the credential is sent again as well', async () => {
  answer = (req, said) => (req.headers.authorization === 'Bearer x' ? inJson(req, said) : { status: 401 });
  const { mark } = await look(undefined, ['Authorization', 'Bearer x']);
  expect(await look(mark, ['Authorization', 'Bearer x'])).toMatchObject({
    status: 'healthy',
    isAsMarked: true,
  });
});

test.each([
  ['\n', false],
  ['\r\n', true],
])(
  'what comes as events is compared by its data, whatever their ids: lines end with %j, in pieces: %s',
  async (end, cut) => {
    let event = 0;
    inPieces = cut;
    answer = (req, said) => {
      const { headers = {}, body, ...rest } = inJson(req, said);
      if (body === undefined) return { headers, ...rest };
      const text = `id: ${++event}\ndata: \n\nid: ${++event}\nevent: message\ndata: ${body}\n\n`;
      return {
        ...rest,
        headers: { ...headers, 'content-type': 'text/event-stream' },
        body: text.replaceAll('\n', end),
      };
    };
    const { mark } = await look();
    expect((await look(mark)).isAsMarked).toBe(true);
    tools = [tool('b')];
    expect(await look(mark)).toMatchObject({ tools: [{ name: 'b' }] });
  },
);

test('a server that never says the same twice is soon asked in full at once', async () => {
  answer = (req, said) => {
    const given = inJson(req, said);
    return {
      ...given,
      ...(given.body ? { body: given.body.replace('"result":{', `"result":{"at":"${Math.random()}",`) } : {}),
    };
  };
  let mark: string | undefined;
  for (let round = 0; round < 6; round += 1) {
    asked = [];
    const found = await look(mark);
    expect(found).toMatchObject({ status: 'healthy', tools: [{ name: 'a' }] });
    mark = found.mark;
    expect(asked.filter((method) => method === 'server/discover').length).toBeLessThanOrEqual(2);
  }
  expect(asked).toEqual(all);
});

test('a list that could not be read does not stay unread', async () => {
  const withPrompts = { ...(results('initialize') as object), capabilities: { tools: {}, prompts: {} } };
  let cut = true;
  answer = (req, said) => {
    if (said.method === 'prompts/list' && cut) {
      req.socket.destroy();
      return {};
    }
    const result =
      said.method === 'initialize'
        ? withPrompts
        : said.method === 'prompts/list'
          ? { prompts: [{ name: 'p' }] }
          : null;
    if (!result) return inJson(req, said);
    return {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: said.id, result }),
    };
  };
  const first = await look();
  expect(first).toMatchObject({ status: 'healthy', offers: { prompts: [] } });
  expect(first.mark).toBeUndefined();
  cut = false;
  expect(await look(first.mark)).toMatchObject({ offers: { prompts: [{ name: 'p' }] } });
});

test('an address that the policy forbids by then is not contacted', async () => {
  const { mark } = await look();
  asked = [];
  const forbids = createCheck({ policy: { allowPrivate: false }, version: '1' });
  expect(await forbids({ mcp, sse: null }, [], mark)).toMatchObject({ reason: 'unreachable' });
  expect(asked).toEqual([]);
});
