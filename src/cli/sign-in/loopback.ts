import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A listener on this machine that a browser comes back to after a sign-in (RFC 8252, section 7.3). */
export interface Loopback {
  readonly redirectUri: string;
  /** Resolves with what came back with the right state; everything else is turned away and waited past. */
  readonly answer: Promise<URLSearchParams>;
  close(): void;
}

/** Listens on a free port; only an answer with this state counts. */
export async function openLoopback(state: string): Promise<Loopback> {
  let resolve: (answer: URLSearchParams) => void = () => undefined;
  const answer = new Promise<URLSearchParams>((given) => {
    resolve = given;
  });
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const isAnswer =
      request.method === 'GET' && url.pathname === '/' && url.searchParams.get('state') === state;
    if (!isAnswer) return page(response, 404, 'Nothing is here.');
    const failed = url.searchParams.has('error');
    // Only when the page is on its way: what follows closes the connection.
    response.once('finish', () => resolve(url.searchParams));
    page(response, 200, failed ? 'You are not signed in. The terminal says why.' : 'You are signed in.');
  });
  await new Promise<void>((listening, fail) => {
    server.once('error', fail);
    server.listen(0, '127.0.0.1', listening);
  });
  // Entra ID passes over the port of `localhost` only, so that is its name here.
  const redirectUri = `http://localhost:${(server.address() as AddressInfo).port}`;
  return {
    redirectUri,
    answer,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function page(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    ...{ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', connection: 'close' },
    ...{ 'content-security-policy': "default-src 'none'", 'referrer-policy': 'no-referrer' },
  });
  response.end(`<!doctype html><title>mcp-gateway</title><h1>${text}</h1><p>You may close this page.</p>`);
}
