import cluster from 'node:cluster';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Dispatcher, Pool } from 'undici';

/**
 * The floor for a proxy made of `node:http` and undici: it passes requests on and responses back, and does nothing else. No
 * identity, no decision, no limits, no record. `node bare-proxy.ts PORT UPSTREAM_PORT [AUTHORIZATION]`: with the third, who
 * sends another is refused by the head and cut off, which is the least that a refusal costs. With WORKERS in the environment
 * so many processes share the port, as the workers of the gateway do.
 */
const [port = 0, upstreamPort = 0] = process.argv.slice(2, 4).map(Number);
const known = process.argv[4];
const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, {
  connections: 256,
  pipelining: 1,
  bodyTimeout: 0,
});
const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'host']);

const workers = Number(process.env.WORKERS ?? 0);
if (workers > 0 && cluster.isPrimary) for (let at = 0; at < workers; at += 1) cluster.fork();
else createServer({ maxHeaderSize: 32 * 1024 }, pass).listen(port, '127.0.0.1');

function pass(req: IncomingMessage, res: ServerResponse): void {
  if (known !== undefined && req.headers.authorization !== known) {
    res.writeHead(403, { connection: 'close' }).end('{}');
    return;
  }
  const headers: string[] = [];
  for (let at = 0; at + 1 < req.rawHeaders.length; at += 2) {
    const name = req.rawHeaders[at] ?? '';
    if (!hopByHop.has(name.toLowerCase())) headers.push(name, req.rawHeaders[at + 1] ?? '');
  }
  const { method = 'GET', url: path = '/' } = req;
  const send = (body: Buffer | null): void =>
    void pool.dispatch({ method: method as Dispatcher.HttpMethod, path, headers, body }, passTo(res));
  if (method === 'GET' || method === 'DELETE') {
    send(null);
    return;
  }
  // A stream as a body costs several times what it costs to take a small message whole.
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => chunks.push(chunk));
  req.on('end', () => send(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
}

function passTo(res: ServerResponse): Dispatcher.DispatchHandler {
  return {
    onRequestStart() {},
    onResponseStart(controller, status) {
      const raw = (controller.rawHeaders ?? []) as Buffer[];
      const headers: string[] = [];
      for (let at = 0; at + 1 < raw.length; at += 2) {
        const name = String(raw[at]);
        if (!hopByHop.has(name.toLowerCase())) headers.push(name, String(raw[at + 1]));
      }
      res.writeHead(status, headers);
    },
    onResponseData(controller, chunk) {
      if (res.write(chunk)) return;
      controller.pause();
      res.once('drain', () => controller.resume());
    },
    onResponseEnd() {
      res.end();
    },
    onResponseError() {
      res.destroy();
    },
  };
}
