import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  localhostHostValidation,
  localhostOriginValidation,
  NodeStreamableHTTPServerTransport,
  toNodeHandler,
  toWebRequest,
} from '@modelcontextprotocol/node';
import { createMcpHandler, isLegacyRequest, McpServer } from '@modelcontextprotocol/server';
import { EventLog } from './event-log.ts';
import { registerInputRequired, states } from './input-required.ts';
import { registerPrompts, registerResources } from './resources.ts';
import { registerTools } from './tools.ts';

/** A conformance target that listens. */
export interface Target {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Starts an MCP server on loopback with the fixtures that the official conformance scenarios call: protocol 2026-07-28,
 * and 2025-11-25 with sessions, a GET stream and resumption, at one address. Port 0 takes a free one; `heard` gets the
 * protocol revision of each call of a tool.
 */
export async function startTarget({
  port = 0,
  heard = (_revision: string): void => undefined,
} = {}): Promise<Target> {
  const modern = createMcpHandler(() => makeServer((name) => notify(name)), { legacy: 'reject' });
  const notify = (name: 'tools' | 'prompts'): void =>
    name === 'tools' ? modern.notify.toolsChanged() : modern.notify.promptsChanged();
  const handleModern = toNodeHandler(modern);
  const sessions = new Map<string, NodeStreamableHTTPServerTransport>();
  const guards = [localhostHostValidation(), localhostOriginValidation()];

  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    if (!guards.every((guard) => guard(req, res))) return;
    const body = req.method === 'POST' ? parsed(await text(req)) : undefined;
    if ((body as { method?: unknown } | undefined)?.method === 'tools/call')
      heard(String(req.headers['mcp-protocol-version']));
    if (req.method === 'POST' && !(await isLegacyRequest(await toWebRequest(req, body), body)))
      return handleModern(req, res, body);
    const id = req.headers['mcp-session-id'];
    const known = typeof id === 'string' ? sessions.get(id) : undefined;
    if (known) return known.handleRequest(req, res, body);
    if (id !== undefined) return refuse(res, 404, -32001, 'Session not found');
    return (await openSession(sessions)).handleRequest(req, res, body);
  };
  const http = createServer((req, res) => {
    handle(req, res).catch((error: unknown) => refuse(res, 500, -32603, String(error)));
  });
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${(http.address() as AddressInfo).port}/mcp`,
    async close() {
      await modern.close();
      for (const session of sessions.values()) await session.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

async function openSession(
  sessions: Map<string, NodeStreamableHTTPServerTransport>,
): Promise<NodeStreamableHTTPServerTransport> {
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => void sessions.set(id, transport),
    onsessionclosed: (id) => void sessions.delete(id),
    eventStore: new EventLog(),
    retryInterval: 50,
  });
  await makeServer(() => undefined).connect(transport);
  return transport;
}

function makeServer(notify: (name: 'tools' | 'prompts') => void): McpServer {
  const listChanged = true;
  const server = new McpServer(
    { name: 'conformance-target', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged },
        prompts: { listChanged },
        resources: { subscribe: true, listChanged },
        completions: {},
        logging: {},
      },
      requestState: { verify: states.verify },
    },
  );
  registerTools(server);
  registerInputRequired(server);
  registerResources(server);
  registerPrompts(server);
  for (const name of ['tool', 'prompt'] as const)
    server.registerTool(`test_trigger_${name}_change`, { description: `Says that a ${name} changed` }, () => {
      notify(`${name}s`);
      return { content: [{ type: 'text', text: 'said' }] };
    });
  server.server.setRequestHandler('resources/subscribe', () => ({}));
  server.server.setRequestHandler('resources/unsubscribe', () => ({}));
  return server;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function refuse(res: ServerResponse, status: number, code: number, message: string): void {
  if (res.headersSent) return void res.destroy();
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } }));
}
