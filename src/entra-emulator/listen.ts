import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Ask, Reply } from './exchange.ts';
import type { TlsIdentity } from './keys/tls.ts';

/** A listener that runs. */
export type Listener = { port: number; close(): Promise<void> };

/** How to listen: `hosts` are the names it answers to besides the loopback ones. */
export type Listening = {
  host: string;
  port: number;
  hosts: readonly string[];
  tls?: TlsIdentity | undefined;
  version: string;
  /** The time for the Date header, in milliseconds. */
  now(): number;
  answer(ask: Ask): Promise<Reply>;
};

const longestBody = 4 * 1024 * 1024;

/** Listens for requests, turns each into an Ask and its Reply into bytes; a fault in a handler is a 500, never a crash. */
export async function listen(options: Listening): Promise<Listener> {
  const handler = (request: IncomingMessage, response: ServerResponse) =>
    void serve(options, request, response);
  const limits = { maxHeaderSize: 65_536, requestTimeout: 30_000 };
  const { tls } = options;
  const server = tls
    ? createTlsServer({ ...limits, key: tls.key, cert: tls.cert + tls.ca }, handler)
    : createServer(limits, handler);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(
              `the port ${options.port} on ${options.host}, for the Entra ID emulator, is in use; choose another with ENTRA_EMULATOR_PORT (or --port of entra-emulator)`,
              { cause: error },
            )
          : error,
      ),
    );
    server.listen(options.port, options.host, resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}

async function serve(options: Listening, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let reply: Reply;
  try {
    const body = await read(request);
    if (body === undefined)
      reply = { status: 413, headers: { connection: 'close' }, body: { error: 'request_too_large' } };
    else if (!isOurs(options, request.headers.host)) reply = misdirected(request.headers.host);
    else reply = await options.answer(toAsk(request, body));
  } catch (error) {
    reply =
      error instanceof URIError ||
      (error instanceof TypeError && 'code' in error && error.code === 'ERR_INVALID_URL')
        ? {
            status: 400,
            body: { error: 'invalid_request', error_description: 'The request target is malformed.' },
          }
        : failed(error);
  }
  send(response, reply, options);
}

function failed(error: unknown): Reply {
  console.error('entra-emulator: a request failed', error);
  return {
    status: 500,
    body: { error: 'server_error', error_description: 'The emulator failed; see its log.' },
  };
}

/** Names that lead here on purpose; any other Host header is DNS rebinding or a wrong proxy. */
function isOurs({ hosts }: Listening, host = ''): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return ['localhost', '127.0.0.1', '[::1]', ...hosts].includes(name) || name.endsWith('.localhost');
}

function misdirected(host = ''): Reply {
  return { status: 421, body: { error: 'misdirected_request', error_description: `This is not '${host}'.` } };
}

function toAsk(request: IncomingMessage, body: string): Ask {
  const headers: Ask['headers'] = {};
  for (const [name, value] of Object.entries(request.headers))
    headers[name] = Array.isArray(value) ? value.join(', ') : value;
  // A target that begins with two slashes would otherwise be read as another host.
  const target = (request.url ?? '/').replace(/^\/{2,}/, '/');
  return { method: request.method ?? 'GET', url: new URL(target, 'http://emulator'), headers, body };
}

/** The body as text, undefined when it is longer than the limit. */
async function read(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > longestBody) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function send(response: ServerResponse, reply: Reply, { version, now }: Listening): void {
  const isText = typeof reply.body === 'string' || reply.body === undefined;
  response.writeHead(reply.status, {
    ...(isText ? {} : { 'content-type': 'application/json; charset=utf-8' }),
    date: new Date(now()).toUTCString(),
    'x-entra-emulator': version,
    'x-ms-request-id': crypto.randomUUID(),
    'x-content-type-options': 'nosniff',
    ...reply.headers,
  });
  response.end(isText ? reply.body : JSON.stringify(reply.body));
}
