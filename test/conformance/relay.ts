import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A relay that listens. */
export interface Relay {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Starts an HTTP server on loopback that hands on what it gets, as it comes, to the address in the header `x-scenario`:
 * so a gateway that knows one server reaches the many that scenarios start. What lacks the header is answered with 404.
 */
export async function startRelay(): Promise<Relay> {
  const agent = new Agent({ keepAlive: true });
  const http = createServer((req, res) => {
    const to = req.headers['x-scenario'];
    if (typeof to !== 'string') return void res.writeHead(404).end();
    const headers = withHost(req.rawHeaders, new URL(to).host);
    const passed = request(to, { agent, method: req.method, headers }, (answer) => passBack(answer, res));
    passed.on('error', () => res.destroy());
    res.on('close', () => passed.destroy());
    req.pipe(passed);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    async close() {
      agent.destroy();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** The headers without the one that only the relay reads, and with the host that the request goes to. */
function withHost(raw: readonly string[], host: string): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [name = '', value = ''] = raw.slice(at, at + 2);
    if (!/^x-scenario$/i.test(name)) kept.push(name, /^host$/i.test(name) ? host : value);
  }
  return kept;
}

function passBack(answer: IncomingMessage, res: ServerResponse): void {
  res.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
  res.flushHeaders();
  answer.pipe(res);
  answer.on('error', () => res.destroy());
}
