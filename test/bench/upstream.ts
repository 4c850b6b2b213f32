import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/*
 * A process of its own: an MCP server that costs as little as it can. It answers by path and never reads what is asked.
 */

const json = { 'Content-Type': 'application/json' };
const result = (value: object): Buffer =>
  Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, result: value }));

const small = result({ content: [{ type: 'text', text: 'sixty-four degrees and a light wind' }] });
const tools = Array.from({ length: 40 }, (_, at) => ({
  name: `tool_${at}`,
  description: `Does the thing with the number ${at}, and says how it went when it is done.`,
  inputSchema: {
    type: 'object',
    properties: { where: { type: 'string', description: 'A place' }, many: { type: 'integer' } },
    required: ['where'],
  },
}));
const list = result({ tools });
const thousand = result({
  tools: Array.from({ length: 1000 }, (_, at) => ({ ...tools[0], name: `tool_${at}` })),
});
/** Does for `initialize` too, so that the gateway opens no session. */
const member = result({
  protocolVersion: '2025-11-25',
  content: [{ type: 'text', text: 'sixty-four degrees and a light wind' }],
});
const events = Array.from({ length: 20 }, (_, at) =>
  Buffer.from(
    `event: message\nid: ${at}\ndata: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress: at } })}\n\n`,
  ),
);

function sendWhole(res: ServerResponse, body: Buffer): void {
  res.writeHead(200, { ...json, 'Content-Length': body.length }).end(body);
}

/** Each event in a write of its own, as servers do that have something to say now and then. */
function sendEvents(res: ServerResponse, at = 0): void {
  const event = events[at];
  if (!event) return void res.end();
  res.write(event);
  setImmediate(sendEvents, res, at + 1);
}

/** What a health check asks: the one path here where the request is read. */
function sendChecked(res: ServerResponse, text: string): void {
  const { id, method } = JSON.parse(text || '{}') as { id?: number; method?: string };
  if (id === undefined) return void res.writeHead(202).end();
  const known: Record<string, object> = {
    initialize: {
      protocolVersion: '2025-11-25',
      ...{ capabilities: { tools: {} }, serverInfo: { name: 'checked', version: '1' } },
    },
    ping: {},
    'tools/list': { tools: tools.slice(0, 3) },
  };
  const found = known[method ?? ''];
  const answer = found ? { result: found } : { error: { code: -32601, message: 'Method not found' } };
  sendWhole(res, Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, ...answer })));
}

const answers: Record<string, (res: ServerResponse, text: string) => void> = {
  '/json/mcp': (res) => sendWhole(res, small),
  '/operated/mcp': (res) => sendWhole(res, small),
  '/connected/mcp': (res) => sendWhole(res, small),
  '/list/mcp': (res) => sendWhole(res, list),
  '/member/mcp': (res) => sendWhole(res, member),
  '/thousand/mcp': (res) => sendWhole(res, thousand),
  '/checked/mcp': sendChecked,
  '/slow/mcp': (res) => void setTimeout(sendWhole, 50, res, small),
  '/ticks/mcp': (res) => sendEvents(res.writeHead(200, { 'Content-Type': 'text/event-stream' })),
  '/idle/mcp': (res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
    res.write(': here\n\n');
  },
};

const server = createServer({ requestTimeout: 0 }, (req, res) => {
  const answer = answers[req.url ?? ''] ?? ((to: ServerResponse) => void to.writeHead(404).end());
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => req.url === '/checked/mcp' && chunks.push(chunk));
  req.on('end', () => answer(res, chunks.join('')));
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', 8192, () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit(0));
