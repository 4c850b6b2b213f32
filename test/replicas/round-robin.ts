import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A load balancer without sticky sessions: each request goes to the next replica. */
export interface RoundRobin {
  readonly url: string;
  /** Sends requests to these ports from now on. */
  use(ports: readonly number[]): void;
  close(): Promise<void>;
}

/** Listens on loopback; a replica that cannot be reached is passed over, as nginx does (`proxy_next_upstream error`). */
export async function startRoundRobin(): Promise<RoundRobin> {
  let ports: readonly number[] = [];
  let turn = 0;
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const body = Buffer.concat(chunks);
      // Its own count from here on: requests that come meanwhile must not make it meet the same one again.
      const first = turn++;
      const attempt = (left: number): void => {
        const port = ports[(first + left) % ports.length];
        const { method, url: path, headers } = req;
        // Each on a connection of its own: one kept from before may lead to a process that is gone.
        const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (answer) => {
          res.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
          answer.pipe(res);
          // A stream whose replica dies ends for the client too.
          answer.on('error', () => res.destroy());
        });
        res.on('close', () => sent.destroy());
        sent.on('error', (error: NodeJS.ErrnoException) => {
          if (error.code === 'ECONNREFUSED' && left > 1) attempt(left - 1);
          else if (!res.headersSent) res.writeHead(502).end();
        });
        sent.end(body);
      };
      attempt(ports.length);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    use(next) {
      ports = next;
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
