import { createServer, type ServerResponse } from 'node:http';
import { type Dispatcher, Pool } from 'undici';

/**
 * The floor for a proxy made of `node:http` and undici: it passes requests on and responses back, and does nothing else. No
 * identity, no decision, no limits, no record. `node bare-proxy.ts PORT UPSTREAM_PORT [AUTHORIZATION]`: with the third, who
 * sends another is refused by the head and cut off, which is the least that a refusal costs.
 */
const [port = 0, upstreamPort = 0] = process.argv.slice(2, 4).map(Number);
const known = process.argv[4];
const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, {
  connections: 256,
  pipelining: 1,
  bodyTimeout: 0,
});
const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'host']);

createServer({ maxHeaderSize: 32 * 1024 }, (req, res) => {
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
  if (method === 'GET' || method === 'DELETE') return send(null);
  // A stream as a body costs several times what it costs to take a small message whole.
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => chunks.push(chunk));
  req.on('end', () => send(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
}).listen(port, '127.0.0.1');

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
