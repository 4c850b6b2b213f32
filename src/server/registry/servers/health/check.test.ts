import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { type CheckOptions, createCheck, type Finding } from './check.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
}

async function look(url: URL, options: Partial<CheckOptions> = {}): Promise<Finding> {
  return createCheck({ policy: { allowPrivate: true }, version: '1', ...options })({ mcp: url, sse: null });
}

function modern(names: readonly string[]): RequestListener {
  const handle = toNodeHandler(
    createMcpHandler(() => {
      const server = new McpServer({ name: 'modern', version: '2.3.4' });
      for (const name of names)
        server.registerTool(name, { description: `does ${name}`, inputSchema: z.object({}) }, () => ({
          content: [],
        }));
      return server;
    }),
  );
  return (req, res) => void handle(req, res);
}

/** A server on the older SDK, with sessions that it keeps until they are deleted. */
function legacy(): {
  listener: RequestListener;
  sessions: Map<string, StreamableHTTPServerTransport>;
  asked: string[];
} {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const asked: string[] = [];
  let made = 0;
  const listener: RequestListener = async (req, res) => {
    asked.push(`${req.method}`);
    const known = sessions.get(String(req.headers['mcp-session-id']));
    if (known) return known.handleRequest(req, res);
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => `session-${++made}`,
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    const server = new McpServerV1({ name: 'legacy', version: '0.9.0' });
    server.registerTool('old', { description: 'an old tool' }, () => ({ content: [] }));
    await server.connect(transport);
    await transport.handleRequest(req, res);
  };
  return { listener, sessions, asked };
}

test('a modern server is healthy, with its versions and tools', async () => {
  const found = await look(await serve(modern(['one', 'two'])));
  expect(found).toMatchObject({
    status: 'healthy',
    detail: null,
    serverVersion: '2.3.4',
    protocolVersion: '2026-07-28',
  });
  expect(found.tools?.map((tool) => [tool.name, tool.description])).toEqual([
    ['one', 'does one'],
    ['two', 'does two'],
  ]);
  expect(found.tools?.[0]?.inputSchema).toMatchObject({ type: 'object' });
});

test('a legacy server is healthy, and its session is ended and no stream was opened', async () => {
  const { listener, sessions, asked } = legacy();
  const found = await look(await serve(listener));
  expect(found).toMatchObject({
    status: 'healthy',
    serverVersion: '0.9.0',
    protocolVersion: '2025-11-25',
    tools: [{ name: 'old' }],
  });
  expect(sessions.size).toBe(0);
  expect(asked).not.toContain('GET');
  expect(asked.at(-1)).toBe('DELETE');
});

test('a session is ended too when the check fails after the handshake', async () => {
  const { listener, sessions } = legacy();
  let posts = 0;
  const url = await serve((req, res) => {
    if (req.method === 'POST' && req.headers['mcp-session-id'] && ++posts > 1) res.writeHead(500).end();
    else listener(req, res);
  });
  expect(await look(url)).toMatchObject({ status: 'unhealthy', tools: null, serverVersion: '0.9.0' });
  expect(sessions.size).toBe(0);
});

test('a server that speaks only HTTP+SSE of 2024-11-05 is healthy', async () => {
  const open = new Map<string, SSEServerTransport>();
  const url = await serve(async (req, res) => {
    const session = new URL(req.url ?? '', 'http://h').searchParams.get('sessionId');
    if (session) return open.get(session)?.handlePostMessage(req, res);
    const transport = new SSEServerTransport('/messages', res);
    open.set(transport.sessionId, transport);
    const server = new McpServerV1({ name: 'sse', version: '0.1.0' });
    server.registerTool('older', {}, () => ({ content: [] }));
    await server.connect(transport);
  });
  const check = createCheck({ policy: { allowPrivate: true }, version: '1' });
  expect(await check({ mcp: null, sse: url })).toMatchObject({
    status: 'healthy',
    serverVersion: '0.1.0',
    tools: [{ name: 'older' }],
  });
});

const answers = (status: number, headers: Record<string, string> = {}, body = ''): RequestListener => {
  return (req, res) => {
    req.resume();
    req.on('end', () => res.writeHead(status, headers).end(body));
  };
};

test.each([
  [
    'a website',
    answers(200, { 'content-type': 'text/html' }, '<h1>hello</h1>'),
    'not-mcp',
    'It answers, but not as an MCP server (HTTP 200, text/html).',
  ],
  [
    'JSON that is no MCP',
    answers(200, { 'content-type': 'application/json' }, '{"status":"ok"}'),
    'not-mcp',
    'It answers, but not as an MCP server (HTTP 200, application/json).',
  ],
  ['a wrong path', answers(404), 'not-mcp', /^There is no MCP endpoint at its address \(HTTP 404\)/],
  ['an error of its own', answers(503), 'failing', 'It reports an error of its own (HTTP 503).'],
  ['a redirect', answers(307, { location: '/mcp/' }), 'not-mcp', /^It answers with a redirect \(HTTP 307\)/],
  [
    'a demand for a credential',
    answers(401, { 'www-authenticate': 'Bearer' }),
    null,
    'It responds, but rejects the gateway (HTTP 401): it wants a credential.',
  ],
  ['a refusal', answers(403), null, /HTTP 403/],
  ['silence', () => {}, 'unreachable', 'It did not answer within 0.2 s.'],
] as [string, RequestListener, string | null, string | RegExp][])(
  '%s is told apart',
  async (_, listener, reason, detail) => {
    const isSilent = detail.toString().includes('0.2 s');
    const found = await look(await serve(listener), { headersMs: isSilent ? 200 : 60_000 });
    expect(found).toMatchObject({ status: reason ? 'unhealthy' : 'auth-failing', reason, tools: null });
    expect(found.detail).toMatch(detail);
  },
);

test('a dead port is unreachable', async () => {
  const url = await serve(() => {});
  await ends.pop()?.();
  expect(await look(url)).toEqual({
    status: 'unhealthy',
    reason: 'unreachable',
    detail: 'The connection was refused; nothing listens there.',
    serverName: null,
    serverVersion: null,
    protocolVersion: null,
    tools: null,
  });
});

test('a server that was restarted between two checks is healthy in both', async () => {
  const server = createServer(modern(['one']));
  const check = createCheck({ policy: { allowPrivate: true }, version: '1' });
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const endpoints = { mcp: new URL(`http://127.0.0.1:${port}/mcp`), sse: null };
  expect((await check(endpoints)).status).toBe('healthy');
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await listen(port);
  ends.push(() => server.close());
  expect((await check(endpoints)).status).toBe('healthy');
});

test('an address that the policy forbids is not contacted', async () => {
  let contacted = false;
  const url = await serve((_, res) => {
    contacted = true;
    res.end();
  });
  const found = await look(url, { policy: { allowPrivate: false } });
  expect([found.status, contacted]).toEqual(['unhealthy', false]);
  expect(found.detail).toContain('private or loopback');
});

test('a server that begins an answer and never ends it runs into the limit of the whole', async () => {
  const url = await serve((_, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(': hello\n\n');
  });
  const found = await look(url, { totalMs: 150 });
  expect(found.status).toBe('unhealthy');
  expect(found.detail).toMatch(/within 0.15 s/);
});

/** Answers `tools/list` of the older protocol as `list` says. */
function scripted(list: (cursor: string | undefined) => unknown): RequestListener {
  return async (req, res) => {
    if (req.method !== 'POST') return res.writeHead(405).end();
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString());
    if (method === 'server/discover') return res.writeHead(400).end('{}');
    if (id === undefined) return res.writeHead(202).end();
    const initialized = {
      protocolVersion: '2025-06-18',
      capabilities: { tools: {} },
      serverInfo: { name: 's', version: '1' },
    };
    const result = method === 'initialize' ? initialized : list(params?.cursor);
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
  };
}

const inputSchema = { type: 'object' };

test('tools are read page by page, whole, and entries that are none are left out', async () => {
  const found = await look(
    await serve(
      scripted((cursor) =>
        cursor
          ? { tools: [{ name: 'c', inputSchema, extra: { kept: true } }] }
          : { tools: [{ name: 'a', inputSchema }, { title: 'nameless' }, 7], nextCursor: 'next' },
      ),
    ),
  );
  expect(found).toMatchObject({
    status: 'healthy',
    detail: '2 of its tools are not valid and were left out.',
    tools: [{ name: 'a' }, { name: 'c', extra: { kept: true } }],
    invalid: [],
  });
});

test('what clients would refuse the whole list for is left out by name', async () => {
  const tools = [
    { name: 'ok', description: 'fine', inputSchema },
    { name: 'null_description', description: null, inputSchema },
    { name: 'schema_true', inputSchema: true },
    { name: 'no_schema', description: 'x' },
    { name: 'schema_of_text', inputSchema: { type: 'string' } },
  ];
  const found = await look(await serve(scripted(() => ({ tools }))));
  const invalid = ['null_description', 'schema_true', 'no_schema', 'schema_of_text'];
  expect(found).toMatchObject({ status: 'healthy', tools: [{ name: 'ok' }], invalid });
  expect(found.detail).toBe(`4 of its tools are not valid and were left out (${invalid.join(', ')}).`);
});

test('a list without end is cut at the bound', async () => {
  let page = 0;
  const found = await look(
    await serve(
      scripted(() => ({
        tools: [`t${++page}`, `u${page}`].map((name) => ({ name, inputSchema })),
        nextCursor: 'more',
      })),
    ),
    { maxTools: 5 },
  );
  expect(found.tools).toHaveLength(5);
  expect(found.detail).toBe('It has more tools than the 5 that are shown here.');
});

test('a list whose pages together are too large is cut', async () => {
  const list = () => ({
    tools: [{ name: 'a', description: 'x'.repeat(900), inputSchema }],
    nextCursor: 'more',
  });
  const found = await look(await serve(scripted(list)), { maxBytes: 2000 });
  expect(found.tools).toHaveLength(3);
  expect(found.detail).toContain('more tools');
});

test('an MCP server whose tools cannot be read is told apart from what is no MCP server', async () => {
  const found = await look(await serve(scripted(() => ({ tools: 'none' }))));
  expect(found).toMatchObject({
    status: 'unhealthy',
    detail: 'It speaks MCP, but its list of tools could not be read.',
  });
});

test('a list that is too large is refused', async () => {
  const url = await serve(scripted(() => ({ tools: [{ name: 'a', description: 'x'.repeat(5000) }] })));
  const found = await look(url, { maxBytes: 2000 });
  expect(found).toMatchObject({ status: 'unhealthy', detail: 'Its answer is longer than 2000 bytes.' });
});
