import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import { asFailure, type Failure } from '../failure/errors.ts';
import { type RegisterWorld, registerClient } from './clients/register.ts';
import { type MetadataWorld, metadataOf } from './metadata.ts';
import { errorPage, pageHeaders } from './pages.ts';
import { routes } from './provider.ts';

/** The largest registration that is read, in bytes. */
const maxRegistration = 16 << 10;
const registration = '/oauth/register';
const metadataPrefix = '/.well-known/oauth-authorization-server';

/** What the protocol endpoints are served from. */
export interface HandleWorld extends MetadataWorld, RegisterWorld {
  readonly provider: () => Promise<Provider>;
  /** `host` or `host:port`, in lower case, as clients may address the gateway. */
  readonly allowedHosts: ReadonlySet<string>;
  readonly secure: boolean;
  clientIp(req: IncomingMessage): string | null;
  /** Counts a sign-in that a program starts from an address; fails with `too_many_requests`. */
  mayStart(address: string | null): Promise<void>;
  readonly log: { error(facts: object, text: string): void };
}

/** The endpoints that programs talk to, in front of the rest of the control plane. */
export interface OauthEndpoints {
  /** Whether a request target is one of them. */
  owns(url: string): boolean;
  readonly handle: RequestListener;
}

/** Serves metadata, registration and the protocol endpoints; pages for people are elsewhere. */
export function oauthEndpoints(world: HandleWorld): OauthEndpoints {
  // People enter the codes of devices on a page of ours.
  const { code_verification, ...forPrograms } = routes;
  const own = new Set<string>([registration, ...Object.values(forPrograms)]);
  const document = JSON.stringify(metadataOf(world));
  return {
    owns(url) {
      const path = pathOf(url);
      return own.has(path) || path.startsWith(`${routes.authorization}/`) || isMetadata(path);
    },
    handle(req, res) {
      serve(world, document, req, res).catch((error: unknown) => {
        // Who leaves while sending is no fault of ours, and writes nothing into our log.
        if (req.destroyed && !req.complete) return void res.destroy();
        world.log.error({ err: error }, 'a request to the authorization server failed');
        if (!res.headersSent) sendJson(res, 500, { error: 'server_error' });
        else res.destroy();
      });
    },
  };
}

function pathOf(url: string): string {
  return url.split(/[?#]/, 1)[0] ?? '';
}

/** At the root, and where clients of older revisions look for it: with the path of the server at the end. */
function isMetadata(path: string): boolean {
  return path === metadataPrefix || path.startsWith(`${metadataPrefix}/`);
}

async function serve(
  world: HandleWorld,
  document: string,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  if (!world.allowedHosts.has(req.headers.host?.toLowerCase() ?? ''))
    return sendJson(res, 421, {
      error: 'invalid_request',
      error_description: 'This host name is not served here.',
    });
  if (world.secure) res.setHeader('strict-transport-security', 'max-age=31536000');
  const path = pathOf(req.url ?? '');
  if (path === registration || isMetadata(path)) {
    // Pages of any origin may be clients: no cookie counts here.
    res.setHeader('access-control-allow-origin', '*');
    if (req.method === 'OPTIONS') return preflight(req, res);
    return path === registration ? register(world, req, res) : describe(document, req, res);
  }
  for (const [name, value] of Object.entries(pageHeaders))
    if (name !== 'content-type') res.setHeader(name, value);
  // Behind a proxy the connection says nothing about what the browser uses; the public address does.
  const { protocol, host } = new URL(world.issuer);
  req.headers['x-forwarded-proto'] = protocol.slice(0, -1);
  req.headers['x-forwarded-host'] = host;
  // No session of the protocol core: who the person is, the consent page finds out each time.
  req.headers.cookie = withoutCoreSession(req.headers.cookie);
  if (starts.has(path)) {
    const refused = await world.mayStart(world.clientIp(req)).then(() => undefined, asFailure);
    if (refused) return tooMany(res, path, refused);
  }
  (await world.provider()).callback()(req, res);
}

/** Where something is stored for anybody who asks, until they have signed in or it is over. */
const starts: ReadonlySet<string> = new Set([routes.authorization, routes.device_authorization]);

function tooMany(res: ServerResponse, path: string, { status, message, retryAfter = 60 }: Failure): void {
  const retry = { 'retry-after': String(retryAfter) };
  if (path !== routes.authorization) {
    sendJson(res, status, { error: 'temporarily_unavailable', error_description: message }, retry);
    return;
  }
  res.writeHead(status, { ...pageHeaders, ...retry });
  res.end(errorPage('temporarily_unavailable', message));
}

function withoutCoreSession(cookie: string | undefined): string {
  const parts = (cookie ?? '').split(';').filter((part) => !part.trim().startsWith('mcp_oauth_session'));
  return parts.join(';');
}

function describe(document: string, req: IncomingMessage, res: ServerResponse): void {
  if (req.method === 'GET' || req.method === 'HEAD') {
    res.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'public, max-age=300' });
    res.end(req.method === 'HEAD' ? undefined : document);
  } else sendJson(res, 405, { error: 'invalid_request' }, { allow: 'GET' });
}

async function register(world: HandleWorld, req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (req.method !== 'POST') return sendJson(res, 405, { error: 'invalid_request' }, { allow: 'POST' });
  const body = await readJson(req);
  if (body === undefined)
    return sendJson(res, 400, {
      error: 'invalid_client_metadata',
      error_description: `Send the metadata as a JSON object of ${maxRegistration} bytes at most.`,
    });
  const answer = await registerClient(world, body, world.clientIp(req));
  if (!('status' in answer)) return sendJson(res, 201, answer);
  const { status, ...error } = answer as { status: number };
  return sendJson(res, status, error, status === 429 ? { 'retry-after': '600' } : {});
}

async function readJson(req: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxRegistration) return undefined;
    chunks.push(chunk);
  }
  try {
    const value = JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function preflight(req: IncomingMessage, res: ServerResponse): void {
  res.writeHead(204, {
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': req.headers['access-control-request-headers'] ?? '*',
    'access-control-max-age': '3600',
  });
  res.end();
}

function sendJson(
  res: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers });
  res.end(JSON.stringify(body));
}

/** The protocol core rebuilt with each period's keys; one build at a time. */
export function rebuilding(
  current: () => Promise<{ readonly period: number }>,
  build: () => Promise<Provider>,
): () => Promise<Provider> {
  let built: { period: number; provider: Promise<Provider> } | undefined;
  return async () => {
    const { period } = await current();
    if (built?.period !== period) built = { period, provider: build() };
    return built.provider;
  };
}
