import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An MCP server (2025-11-25) of which a test says when a stream has its events; it keeps them, and resumes by Last-Event-ID. */
export interface StreamServer {
  readonly url: string;
  /** How often it was asked what servers are asked at a check of their health. */
  checks(): number;
  close(): Promise<void>;
}

/** Each stream has the events that follow the one that it names, up to the next even number, and stays open. */
export async function startStreamServer(): Promise<StreamServer> {
  let checks = 0;
  const stream = (req: IncomingMessage, res: ServerResponse): void => {
    const seen = Number(req.headers['last-event-id'] ?? 0);
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let id = seen + 1; id <= seen + 2; id += 1) {
      const message = {
        jsonrpc: '2.0',
        method: 'notifications/message',
        params: { level: 'info', data: id },
      };
      res.write(`id: ${id}\ndata: ${JSON.stringify(message)}\n\n`);
    }
  };
  const server = createServer(async (req, res) => {
    if (req.method === 'GET') return stream(req, res);
    let body = '';
    for await (const chunk of req) body += chunk;
    const { id, method } = JSON.parse(body || '{}') as { id?: number; method?: string };
    if (id === undefined) return void res.writeHead(202).end();
    if (method === 'initialize') checks += 1;
    const serverInfo = { name: 'streams', version: '1' };
    const result =
      method === 'initialize'
        ? { protocolVersion: '2025-11-25', capabilities: { logging: {}, tools: {} }, serverInfo }
        : { tools: [] };
    res.setHeader('mcp-session-id', 'one');
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    checks: () => checks,
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}
