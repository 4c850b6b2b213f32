import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Call, Decision } from '../access/call.ts';
import type { AuditEvent } from '../audit/event.ts';
import { Failure } from '../failure/errors.ts';
import type { Identity, Who } from '../identity/identity.ts';
import { holderOf } from '../identity/shares.ts';
import { guardedConnector } from '../net/connector.ts';
import type { Route } from '../registry/servers/route.ts';
import { type ClientLimits, httpOptionsFor } from '../start/serve.ts';
import { createGateway } from './handle.ts';
import { createSessions } from './sessions/sessions.ts';
import type { Gateway, GatewayWorld } from './world.ts';

/** A request as the scripted upstream got it. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Resolves when the gateway ended the connection's request, with whether that was before the answer was complete. */
  readonly closed: Promise<boolean>;
}

/** What the upstream does with a request. */
export type Script = (received: Received, res: ServerResponse, req: IncomingMessage) => void;

/** An MCP server that does what a test says, over real HTTP on loopback. */
export interface ScriptedUpstream {
  readonly url: URL;
  readonly server: Server;
  readonly received: Received[];
  script: Script;
  close(): Promise<void>;
}

/** Starts an upstream that answers every request with an empty JSON-RPC result until it is given another script. */
export async function startUpstream(script?: Script, port = 0): Promise<ScriptedUpstream> {
  const received: Received[] = [];
  const upstream = {
    received,
    script:
      script ?? ((_: Received, res: ServerResponse) => sendJson(res, { jsonrpc: '2.0', id: 1, result: {} })),
  };
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    const closed = new Promise<boolean>((resolve) => {
      res.once('close', () => resolve(!res.writableFinished));
    });
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const one = { method: req.method ?? '', url: req.url ?? '', headers: req.headers, body, closed };
      received.push(one);
      upstream.script(one, res, req);
    });
  });
  const origin = await listen(server, port);
  return Object.assign(upstream, { server, url: new URL(`${origin}/mcp`), close: () => stop(server) });
}

/** Answers with JSON. */
export function sendJson(res: ServerResponse, value: unknown, status = 200): void {
  const text = JSON.stringify(value);
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  res.end(text);
}

/** Rules of a test: what a person may do, as `server method` or `server tools/call tool`, or another
 * method and what it is about; `*` stands for anything. */
export type Rules = Record<string, readonly string[]>;

/** A gateway in front of scripted upstreams, on a port of its own. */
export interface TestGateway {
  readonly origin: string;
  readonly gateway: Gateway;
  readonly server: Server;
  readonly routes: Map<string, Route>;
  readonly events: AuditEvent[];
  readonly rules: Rules;
  /** Waits until there are `count` audit records. */
  audited(count: number): Promise<AuditEvent[]>;
  close(): Promise<void>;
}

const testKey = Buffer.alloc(32, 7);

/** The id that a person has for a session that the server `name` at `url` calls `id`. */
export function sessionOf(as: string, name: string, url: URL, id: string): string {
  const holder = holderOf({ provider: 'test', subject: as });
  return createSessions([testKey]).seal({ serverId: name, origin: url.origin, holder }, id);
}

const patient: ClientLimits = { headersMs: 20_000, requestMs: 120_000, headerBytes: 32_768 };

/** Starts a gateway whose callers prove their name with `Authorization: Bearer <name>`. */
export async function startGateway(
  rules: Rules,
  world: Partial<GatewayWorld> = {},
  clients: Partial<ClientLimits> = {},
): Promise<TestGateway> {
  const events: AuditEvent[] = [];
  const routes = new Map<string, Route>();
  const identities = new Map<string, Identity>();
  let wake: (() => void) | undefined;
  const allowedHosts = new Set<string>();
  let ids = 0;
  const headersMs = world.limits?.headersMs;
  const gateway = createGateway({
    identify: (headers) => identify(headers.authorization, rules, identities),
    decide: (identity, call) => decide(rules[identity.subject] ?? [], call),
    rightsOf: (identity) => rightsFor(rules[identity.subject] ?? []),
    findRoute: (name) => routes.get(name),
    connect: guardedConnector({ policy: { allowPrivate: true }, timeoutMs: 5_000 }),
    trail: {
      record(event) {
        events.push(event);
        wake?.();
      },
    },
    toolsChanged: () => undefined,
    isForGateway: () => false,
    allowedHosts,
    allowedOrigins: new Set(['https://allowed.example']),
    clientIp: (req) => req.socket.remoteAddress ?? null,
    resourceMetadataUrl: (path) => `https://gateway.example/.well-known/oauth-protected-resource${path}`,
    log: { warn: () => undefined },
    now: () => 1_000,
    newId: () => `id-${++ids}`,
    keys: { ticket: [testKey], session: [testKey], task: [testKey] },
    ...world,
    // Most tests do not tell calls from the rest.
    limits: { ...(headersMs === undefined ? {} : { callMs: headersMs }), ...world.limits },
  });
  const server = createServer(httpOptionsFor({ ...patient, ...clients }), (req, res) =>
    gateway.handle(req, res),
  );
  const origin = await listen(server);
  allowedHosts.add(new URL(origin).host);
  return {
    ...{ origin, gateway, server, routes, events, rules },
    async audited(count) {
      while (events.length < count)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      return events;
    },
    async close() {
      await gateway.close();
      await stop(server);
    },
  };
}

/** A route to an upstream. */
export function routeOf(name: string, mcp: URL | null, more: Partial<Route> = {}): Route {
  const credentials = {
    ...{ headers: [], names: new Set<string>(), passes: new Set<string>(), forwardAuthorization: false },
  };
  const always = {
    enabled: true,
    callMs: null,
    sse: null,
    tools: [],
    health: 'healthy',
    credentials,
  } as const;
  return { ...always, id: name, name, mcp, ...more };
}

function identify(
  header: string | string[] | undefined,
  rules: Rules,
  identities: Map<string, Identity>,
): Who {
  const name = /^Bearer (.+)$/.exec(String(header ?? ''))?.[1];
  if (name === undefined)
    return { is: 'nobody', failure: new Failure('credential_missing', 'Send a token.') };
  if (name === 'outage') return { is: 'unknown', failure: new Failure('identity_unavailable', 'No keys.') };
  if (!(name in rules)) return { is: 'nobody', failure: new Failure('credential_invalid', 'Not a token.') };
  const identity: Identity = identities.get(name) ?? {
    ...{ kind: 'person', provider: 'test', subject: name, username: `${name}@example`, name, email: null },
    ...{ clientId: 'app', groups: [], method: 'bearer', credentialId: null, expiresAt: 1e15 },
  };
  identities.set(name, identity);
  return { is: 'identity', identity };
}

const rights = new Map<string, object>();

function rightsFor(rules: readonly string[]): object {
  const key = rules.join('\n');
  const known = rights.get(key) ?? {};
  rights.set(key, known);
  return known;
}

function decide(rules: readonly string[], { server, method, tool, prompt, resource }: Call): Decision {
  const item = tool ?? prompt ?? resource;
  if (rules.length === 0) return { allow: false, reason: 'no-scopes' };
  const matches = (rule: string | undefined, value: string): boolean => rule === '*' || rule === value;
  const own = rules.map((rule) => rule.split(' ')).filter(([name]) => matches(name, server));
  if (own.length === 0) return { allow: false, reason: 'server' };
  if (method.startsWith('$')) return { allow: true, scope: own[0]?.join(' ') ?? '' };
  const methods = own.filter(([, name]) => matches(name, method));
  if (methods.length === 0) return { allow: false, reason: 'method' };
  const rule = methods.find(([, , name]) => item === undefined || name === '*' || name === item);
  return rule ? { allow: true, scope: rule.join(' ') } : { allow: false, reason: 'tool' };
}

async function listen(server: Server, port = 0): Promise<string> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

/** What a client asks for. */
export interface Ask {
  readonly method?: string;
  readonly as?: string;
  readonly headers?: Record<string, string | string[]>;
  /** A JSON-RPC message, or the bytes themselves. */
  readonly body?: object | string | Buffer;
  readonly signal?: AbortSignal;
}

/** An answer whose body comes piece by piece. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly res: IncomingMessage;
  /** The next piece of the body; undefined at a clean end; fails when the connection broke. */
  next(): Promise<string | undefined>;
  /** The next bytes up to an empty line: an event. */
  event(): Promise<string>;
  /** All of the body that is left. */
  rest(): Promise<string>;
  leave(): void;
}

/** Sends a request and answers as soon as the headers of the answer are here. */
export async function open(url: string, { method, as, headers = {}, body, signal }: Ask): Promise<Answer> {
  const sent =
    body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const req = request(url, {
    method: method ?? (sent === undefined ? 'GET' : 'POST'),
    agent: false,
    signal,
    headers: {
      ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
      accept: 'application/json, text/event-stream',
      ...(as === undefined ? {} : { authorization: `Bearer ${as}` }),
      ...headers,
    },
  });
  req.end(sent);
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  const pieces = res[Symbol.asyncIterator]();
  const next = async (): Promise<string | undefined> => {
    const { value, done } = await pieces.next();
    return done ? undefined : String(value);
  };
  return {
    ...{ status: res.statusCode ?? 0, headers: res.headers, res, next },
    async event() {
      let text = '';
      while (!/(?:\n\n|\r\n\r\n)$/.test(text)) {
        const piece = await next();
        if (piece === undefined) throw new Error(`the stream ended after '${text}'`);
        text += piece;
      }
      return text;
    },
    async rest() {
      let text = '';
      for (let piece = await next(); piece !== undefined; piece = await next()) text += piece;
      return text;
    },
    leave: () => void req.destroy(),
  };
}

/** Sends a request and answers with the whole answer. */
export async function send(
  url: string,
  ask: Ask,
): Promise<Answer & { readonly text: string; json(): unknown }> {
  const answer = await open(url, ask);
  const text = await answer.rest();
  return { ...answer, text, json: () => JSON.parse(text) };
}

/** A JSON-RPC request of MCP. */
export function rpc(method: string, params?: object, id: string | number = 1): object {
  return { jsonrpc: '2.0', id, method, ...(params ? { params } : {}) };
}
