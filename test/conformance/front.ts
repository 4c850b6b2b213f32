import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A front that listens. */
export interface Front {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Starts an HTTP front on loopback that sends everything to `target` as it comes, with a token added: for programs that
 * speak MCP and cannot sign in. Where they name the front as host or origin, `target` is named; other names are kept.
 */
export async function startFront(target: string, token: string): Promise<Front> {
  const agent = new Agent({ keepAlive: true });
  const to = new URL(target);
  const http = createServer((req, res) => {
    const here = `localhost:${(http.address() as AddressInfo).port}`;
    const there = (value: string): string => value.replace(here, to.host);
    const headers = req.rawHeaders.map((value, at) =>
      /^(?:host|origin)$/i.test(req.rawHeaders[at - 1] ?? '') && at % 2 === 1 ? there(value) : value,
    );
    headers.push('Authorization', `Bearer ${token}`);
    const query = new URL(req.url ?? '/', target).search;
    const passed = request(
      { agent, host: to.hostname, port: to.port, path: to.pathname + query, method: req.method, headers },
      (answer) => passBack(answer, res),
    );
    passed.on('error', () => res.destroy());
    res.on('close', () => passed.destroy());
    req.pipe(passed);
  });
  await new Promise<void>((resolve) => http.listen(0, 'localhost', resolve));
  return {
    url: `http://localhost:${(http.address() as AddressInfo).port}/mcp`,
    async close() {
      agent.destroy();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function passBack(answer: IncomingMessage, res: ServerResponse): void {
  res.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
  res.flushHeaders();
  answer.on('error', () => res.destroy());
  answer.pipe(res);
}
