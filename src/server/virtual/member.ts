import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { isObject } from '../../contract/values/json.ts';
import { asFailure, Failure } from '../failure/errors.ts';
import type { Exchange } from '../gateway/exchange.ts';
import { EventFilter } from '../gateway/lists/sse.ts';
import { headerValue } from '../gateway/read/agree.ts';
import { newTraceparent } from '../gateway/read/trace.ts';
import { correlationHeader } from '../gateway/refuse.ts';
import type { Target } from '../gateway/route.ts';
import type { SettledHandler } from '../gateway/upstream/upstream.ts';
import { upstreamFailure } from '../gateway/upstream/upstream-failure.ts';
import type { TerminalKit } from '../gateway/world.ts';
import { type JsonObject, modern } from './wire.ts';

/** What requests to members are sent with. */
export type MemberWorld = TerminalKit;

/** What a member says to one call. */
export interface Emits {
  notification(message: JsonObject): void;
  /** It asks the client; `key` names the question for the reply. */
  request(key: string, method: string, params: JsonObject): void;
  /** The end: `{result}` or `{error}`. */
  response(message: JsonObject): void;
  failed(failure: Failure): void;
}

/** What comes of a request to a member. */
export interface Answered {
  /** The head of the answer: its status, and the session that the member gave or repeats. */
  onHead?(status: number, session: string | undefined): void;
  /** Each message of the answer, in order; `type` is that of the event, empty for JSON. */
  onMessage(message: JsonObject, type: string): void;
  /** Each event that is no message. */
  onEvent?(type: string, data: string): void;
  /** The answer is over; with the failure when it did not come to its end. Called once. */
  onEnd(failure: Failure | undefined): void;
}

/** A request to a member. */
export interface MemberRequest {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly headers: readonly string[];
  readonly body?: Buffer | string | undefined;
  /** The answer goes on until somebody ends it. */
  readonly longLived?: boolean;
  /** How long its head is waited for, and what sets that; the limit of the gateway unless given. */
  readonly wait?: Wait;
}

/** How long a member may take to start to respond, and what sets that. */
export interface Wait {
  readonly ms: number;
  readonly setting?: string | undefined;
}

/** Why a call ended at a member that did not start to respond in time. */
export function lateFailure({ ms, setting }: Wait): Failure {
  const how = setting === undefined ? '' : `; ${setting} sets how long it may take`;
  return new Failure('upstream_timeout', `The server did not start to respond within ${ms / 1000} s${how}.`);
}

class Aborted extends Error {}

/**
 * Sends a request to a member and gives its answer message by message; returns how to end it before its time. A credential of
 * the caller's that the member refuses is replaced, once, and the request sent anew.
 */
export function askMember(
  world: MemberWorld,
  target: Target,
  request: MemberRequest,
  answered: Answered,
): () => void {
  const { anew } = target;
  if (!anew) return askOnce(world, target, request, answered);
  let isOver = false;
  let abort = askOnce(world, target, request, {
    ...answered,
    onHead(status, session) {
      if (status !== 401) return answered.onHead?.(status, session);
      abort();
      anew().then(
        (fresh = target) => {
          if (isOver) return;
          const headers = withCredentials(request.headers, target, fresh);
          abort = askOnce(world, fresh, { ...request, headers }, answered);
        },
        (error: unknown) => {
          if (!isOver) answered.onEnd(asFailure(error));
        },
      );
    },
  });
  return () => {
    isOver = true;
    abort();
  };
}

/** Headers with the credentials of one target in the place of those of another. */
function withCredentials(headers: readonly string[], before: Target, { credentials }: Target): string[] {
  const isKept = (name = ''): boolean => !before.credentials.names.has(name.toLowerCase());
  return [...headers.filter((_, at) => isKept(headers[at - (at % 2)])), ...credentials.headers];
}

function askOnce(
  { upstreams, limits }: MemberWorld,
  target: Target,
  request: MemberRequest,
  answered: Answered,
): () => void {
  const asking = new Asking(answered, request.wait ?? { ms: limits.headersMs }, limits.filterBytes);
  const { method, body = null, headers, longLived = false } = request;
  try {
    const options = { path: target.path, method, body, headers: headers as string[] };
    upstreams.send(target, longLived, options, asking);
  } catch (error) {
    asking.onResponseError(null, error as Error);
  }
  return () => asking.abort();
}

/** One answer of a member, read here. */
class Asking implements SettledHandler {
  settled: (() => void) | undefined;
  readonly #answered: Answered;
  readonly #limit: number;
  readonly #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #events: EventFilter | undefined;
  #status = 0;
  #chunks: Buffer[] = [];
  #size = 0;
  #over = false;

  constructor(answered: Answered, { ms, setting }: Wait, limit: number) {
    this.#answered = answered;
    this.#limit = limit;
    this.#timer = setTimeout(() => this.#end(lateFailure({ ms, setting })), ms);
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#controller?.abort(new Aborted());
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Aborted());
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200 || this.#over) return;
    clearTimeout(this.#timer);
    this.#status = status;
    const session = headers['mcp-session-id'];
    this.#answered.onHead?.(status, typeof session === 'string' ? session : undefined);
    const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
    if (type !== 'text/event-stream') return;
    this.#events = new EventFilter(this.#limit, (event, data) => {
      if (!this.#over) this.#event(event, data);
      return undefined;
    });
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return;
    try {
      if (this.#events) {
        this.#events.write(chunk);
        return;
      }
    } catch (error) {
      this.#end(upstreamFailure(error as Error));
      return;
    }
    this.#size += chunk.length;
    if (this.#size > this.#limit)
      this.#end(new Failure('upstream_invalid', `The answer is larger than ${this.#limit} bytes.`));
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#settle();
    if (this.#over) return;
    if (this.#events) this.#events.end();
    else if (this.#size > 0) this.#whole(Buffer.concat(this.#chunks).toString('utf8'));
    this.#end(
      this.#status < 300 || this.#status === 404 || this.#status === 405 || this.#size > 0
        ? undefined
        : new Failure('upstream_invalid', `The server refused the request (${this.#status}).`),
    );
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    this.#settle();
    this.#end(upstreamFailure(error));
  }

  #whole(text: string): void {
    const value = parsed(text);
    if (isObject(value)) this.#answered.onMessage(value, '');
    // Some say in words that they have taken a message.
    else if (this.#status !== 202)
      this.#end(
        new Failure('upstream_invalid', `The server returned a response that is not MCP (${this.#status}).`),
      );
  }

  #event(type: string, data: string): void {
    if (type !== '' && type !== 'message') {
      this.#answered.onEvent?.(type, data);
      return;
    }
    const value = data === '' ? undefined : parsed(data);
    if (isObject(value)) this.#answered.onMessage(value, 'message');
  }

  #settle(): void {
    this.settled?.();
    this.settled = undefined;
  }

  #end(failure: Failure | undefined): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    if (failure) this.#controller?.abort(new Aborted());
    this.#answered.onEnd(failure);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What goes along with every request to a member: protocol, trace and credential; nothing else of the client's. */
export function memberHeaders(
  { req: { headers }, id, trace }: Pick<Exchange, 'req' | 'id' | 'trace'>,
  { credentials }: Target,
  mcp: readonly string[],
  passing = false,
): string[] {
  const out = ['content-type', 'application/json'];
  // A client that takes JSON alone must not get events from a member whose answer passes.
  const accept = passing ? headers.accept : undefined;
  out.push('accept', accept ?? 'application/json, text/event-stream');
  if (headers['user-agent'] !== undefined) out.push('user-agent', headers['user-agent']);
  for (const name in headers)
    if (name.startsWith('mcp-param-') && !name.includes('_')) out.push(name, String(headers[name]));
  out.push('accept-encoding', (passing && headers['accept-encoding']) || 'identity', correlationHeader, id);
  out.push('traceparent', trace?.parent ?? newTraceparent(id));
  const state = trace?.state ?? (trace?.parent === headers.traceparent ? headers.tracestate : undefined);
  if (state !== undefined) out.push('tracestate', String(state));
  for (let at = 0; at < mcp.length; at += 2) out.push(mcp[at] ?? '', mcp[at + 1] ?? '');
  if (credentials.names.size === 0) return out;
  const kept = out.filter((_, at) => !credentials.names.has(out[at - (at % 2)] ?? ''));
  return [...kept, ...credentials.headers];
}

/** The same with the client's own `Authorization` where the setting of the server passes it on: for calls of the client. */
export function callHeaders(
  world: MemberWorld,
  exchange: Exchange,
  target: Target,
  mcp: readonly string[],
  passing = false,
): string[] {
  const headers = memberHeaders(exchange, target, mcp, passing);
  const own = world.authorizationOf(exchange, target.credentials);
  if (own !== undefined) headers.push('authorization', own);
  return headers;
}

/** The headers by which a modern request repeats its body. */
export function modernHeaders(method: string, name: string | undefined): string[] {
  const named = name === undefined ? [] : ['mcp-name', headerValue(name)];
  return ['mcp-protocol-version', modern, 'mcp-method', method, ...named];
}

/** The headers of a request in a session of the eras before. */
export function sessionHeaders({ id, version }: { id: string | null; version: string }): string[] {
  return ['mcp-protocol-version', version, ...(id === null ? [] : ['mcp-session-id', id])];
}
