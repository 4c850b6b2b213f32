import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer as OldServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routeOf, startGateway, type TestGateway } from './gateway.test-support.ts';

let house: TestGateway;
const servers: Server[] = [];
const requestInit = { headers: { authorization: 'Bearer alice' } };
const said = { content: [{ type: 'text' as const, text: 'done' }] };

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
}

function withTools<S extends McpServer | OldServer>(server: S): S {
  const register = server.registerTool.bind(server) as (
    name: string,
    options: object,
    run: () => unknown,
  ) => void;
  for (const name of ['now', 'rm']) register(name, { description: name }, () => said);
  return server;
}

/** A server of protocol 2025-11-25 with sessions, one transport for each. */
function sessionful(): RequestListener {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  return (req, res) => {
    const known = sessions.get(String(req.headers['mcp-session-id']));
    const transport =
      known ??
      new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (id) => void sessions.set(id, transport),
      });
    const ready = known
      ? Promise.resolve()
      : withTools(new OldServer({ name: 'o', version: '1' })).connect(transport as Transport);
    void ready.then(() => transport.handleRequest(req, res));
  };
}

/** A server of protocol 2024-11-05. */
function eventStream(): RequestListener {
  const sessions = new Map<string, SSEServerTransport>();
  return (req, res) => {
    const url = new URL(req.url ?? '', 'http://localhost');
    if (req.method === 'POST') {
      void sessions.get(url.searchParams.get('sessionId') ?? '')?.handlePostMessage(req, res);
      return;
    }
    const transport = new SSEServerTransport('/post', res);
    sessions.set(transport.sessionId, transport);
    void withTools(new OldServer({ name: 'e', version: '1' })).connect(transport);
  };
}

beforeAll(async () => {
  const open = [
    'initialize',
    'notifications/initialized',
    'server/discover',
    'subscriptions/listen',
    'ping',
    'tools/list',
  ];
  house = await startGateway({ alice: ['* tools/call now', ...open.map((method) => `* ${method}`)] });
  const modern = createMcpHandler(() => withTools(new McpServer({ name: 'm', version: '1' })));
  house.routes.set('modern', routeOf('modern', await serve(toNodeHandler(modern))));
  house.routes.set('legacy', routeOf('legacy', await serve(sessionful())));
  house.routes.set('older', routeOf('older', null, { sse: await serve(eventStream()) }));
});
afterAll(async () => {
  await house.close();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

const at = (path: string): URL => new URL(path, house.origin);

async function useTools(client: {
  listTools(): Promise<{ tools: { name: string }[] }>;
  callTool(params: { name: string }): Promise<unknown>;
  close(): Promise<void>;
}): Promise<void> {
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['now']);
  expect(await client.callTool({ name: 'now' })).toMatchObject(said);
  await expect(client.callTool({ name: 'rm' })).rejects.toThrow();
  await client.close();
}

describe('real clients list what they may call, call it, and are refused the rest', () => {
  test.each([
    ['modern', 'modern', { pin: '2026-07-28' } as const],
    ['either', 'modern', 'auto'],
    ['either', 'legacy', 'auto'],
    ['legacy', 'modern', 'legacy'],
    ['legacy', 'legacy', 'legacy'],
  ] as const)('a client of the second SDK, %s era, with a %s server', async (_, server, mode) => {
    const client = new Client({ name: 'c', version: '1' }, { versionNegotiation: { mode } });
    await client.connect(new StreamableHTTPClientTransport(at(`/${server}/mcp`), { requestInit }));
    await useTools(client);
  });

  test.each(['modern', 'legacy'])('a client of the first SDK with a %s server', async (server) => {
    const client = new OldClient({ name: 'c', version: '1' });
    await client.connect(new OldTransport(at(`/${server}/mcp`), { requestInit }) as Transport);
    await useTools(client as never);
  });

  test('a client of the oldest transport', async () => {
    const client = new OldClient({ name: 'c', version: '1' });
    await client.connect(new SSEClientTransport(at('/older/sse'), { requestInit }));
    await useTools(client as never);
  });
});
