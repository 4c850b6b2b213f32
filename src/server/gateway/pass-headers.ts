import type { IncomingMessage } from 'node:http';
import { Failure } from '../failure/errors.ts';
import type { Credentials } from '../registry/servers/route.ts';
import type { Exchange } from './exchange.ts';
import { headerValue } from './read/agree.ts';
import { newTraceparent } from './read/trace.ts';
import { correlationHeader } from './refuse.ts';

/**
 * What goes from a client to a server: the protocol, the content and tracing; besides these, what the operator names for
 * that server. All else stays here, because servers and what stands in front of them believe headers that name a person or a
 * way; a name with `_` is to many of them the same as one with `-` (CGI, WSGI).
 */
const toServers: ReadonlySet<string> = new Set([
  ...['accept', 'accept-language', 'content-type', 'content-language', 'user-agent', 'last-event-id'],
  ...['traceparent', 'tracestate', 'baggage'],
]);

/** What goes from a server to a client. Where to sign in, where else to go, and what to do with our origin, it does not say. */
const toClients: ReadonlySet<string> = new Set([
  ...['content-type', 'content-length', 'content-encoding', 'content-language', 'etag', 'last-modified'],
  ...['content-md5', 'digest', 'content-digest', 'repr-digest'],
  ...['date', 'allow', 'retry-after', 'deprecation', 'sunset', 'server-timing', 'x-accel-buffering'],
  ...['traceresponse', 'ratelimit', 'ratelimit-policy', 'ratelimit-limit', 'ratelimit-remaining'],
  ...['ratelimit-reset', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'x-request-id'],
]);

const sessionHeader = 'mcp-session-id';
const versionHeader = 'mcp-protocol-version';
const nameHeader = 'mcp-name';

/** Headers that a changed body makes untrue. */
const ofTheBody: ReadonlySet<string> = new Set([
  ...['content-length', 'content-encoding', 'etag', 'content-md5', 'digest', 'content-digest', 'repr-digest'],
]);

/** A page shown by a browser would run as part of the gateway's own origin, next to its session cookie. */
const ours: readonly string[] = [
  ...['content-security-policy', "sandbox; default-src 'none'", 'x-content-type-options', 'nosniff'],
];

function isProtocol(name: string): boolean {
  return name.startsWith('mcp-') && !name.includes('_');
}

/** Headers that `Connection` names are of one connection only (RFC 9110 section 7.6.1). */
function nominated(connection: string | undefined): readonly string[] {
  if (!connection || /^\s*(?:keep-alive|close)\s*$/i.test(connection)) return [];
  return connection.split(',').map((name) => name.trim().toLowerCase());
}

/** What of a request is known only once it is known where it goes. */
export interface Outward {
  /** The server is asked not to compress, because its answer has to be read here. */
  readonly readable: boolean;
  readonly credentials: Credentials;
  /** The server's own id of the session, in place of the one that the client has. */
  readonly session: string | undefined;
  /** What `Mcp-Name` says, in place of what the client calls it. */
  readonly name?: string | undefined;
  /** The protocol version of a session that the gateway has opened, in place of the client's. */
  readonly version?: string | undefined;
  /** The client's own `Authorization` for the server, where the setting of the server passes it on. */
  readonly authorization: string | undefined;
}

/**
 * The headers of a client's request that go to the server, as name, value, name, value, each on one line, and the gateway's
 * own. The operator's credentials take the place of what the client sent under their names.
 */
export function requestHeaders({ req: { headers }, id, trace }: Exchange, to: Outward): string[] {
  const { names, passes } = to.credentials;
  const dropped = nominated(headers.connection);
  // What comes with a broken `traceparent` belongs to no trace (W3C Trace Context, section 4.3).
  const traced = trace !== undefined && trace.parent === headers.traceparent;
  const kept: string[] = [];
  for (const name in headers) {
    if (!toServers.has(name) && !isProtocol(name) && !passes.has(name)) continue;
    if (name === sessionHeader || (to.version && name === versionHeader)) continue;
    if ((names.size > 0 && names.has(name)) || dropped.includes(name)) continue;
    if (!traced && (name === 'traceparent' || name === 'tracestate')) continue;
    const value = to.name !== undefined && name === nameHeader ? headerValue(to.name) : headers[name];
    if (value !== undefined) kept.push(name, typeof value === 'string' ? value : value.join(', '));
  }
  const encoding = to.readable ? 'identity' : headers['accept-encoding'];
  if (encoding !== undefined) kept.push('accept-encoding', String(encoding));
  if (to.session !== undefined) kept.push(sessionHeader, to.session);
  if (to.version !== undefined) kept.push(versionHeader, to.version);
  kept.push(correlationHeader, id);
  if (!traced) kept.push('traceparent', trace?.parent ?? newTraceparent(id));
  if (!traced && trace?.state) kept.push('tracestate', trace.state);
  if (to.authorization !== undefined) kept.push('authorization', to.authorization);
  if (names.size > 0) kept.push(...to.credentials.headers);
  return kept;
}

/** The client's `Authorization` where it is for the server: the setting passes it on, and it is not the gateway's. */
export function ownAuthorization(
  { headers }: IncomingMessage,
  { forwardAuthorization, names }: Credentials,
  isForGateway: (token: string) => boolean,
): string | undefined {
  const { authorization, 'x-authorization': ours } = headers;
  if (!forwardAuthorization || names.has('authorization')) return undefined;
  if (authorization === undefined || ours === undefined) return undefined;
  const token = tokenIn(authorization);
  return token === tokenIn(String(ours)) || isForGateway(token) ? undefined : authorization;
}

function tokenIn(value: string): string {
  const text = value.trim();
  const space = text.indexOf(' ');
  return space === -1 ? text : text.slice(space + 1).trim();
}

/** The headers of a server's answer that go to the client, and what the body's handling needs to know of them. */
export interface AnswerHeaders {
  readonly headers: string[];
  /** The media type, in lower case, without parameters; empty when there is none, or more than one. */
  readonly type: string;
  /** Whether the text is UTF-8 as far as the media type says. */
  readonly isUtf8: boolean;
  readonly encoding: string;
  readonly length: number | undefined;
  /** The session id that the server gives. */
  readonly session: string | undefined;
}

/** Sorts the raw headers of an answer; `more` are let through besides the usual ones. */
export function answerHeaders(
  raw: readonly (string | Buffer)[],
  status: number,
  id: string,
  more: ReadonlySet<string> = none,
): AnswerHeaders {
  const headers: string[] = [];
  let [type, encoding, connection, types, isUtf8] = ['', '', '', 0, true];
  let [length, session]: [number | undefined, string | undefined] = [undefined, undefined];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = latin1(raw[at]).toLowerCase();
    const value = latin1(raw[at + 1]);
    if (name === sessionHeader) {
      if (session !== undefined)
        throw new Failure('upstream_invalid', 'The server returned two session ids.');
      session = value;
      continue;
    }
    if (name === 'content-type') {
      types += 1;
      type = types === 1 && !value.includes(',') ? mediaType(value) : '';
      isUtf8 = isInUtf8(value);
    } else if (name === 'content-encoding') encoding = value.trim().toLowerCase();
    else if (name === 'connection') connection = value;
    else if (name === 'content-length') {
      if (status === 204 || status === 304) continue;
      length = Number(value);
    }
    if (toClients.has(name) || isProtocol(name) || more.has(name) || isPrivateCaching(name, value))
      headers.push(name, value);
  }
  const kept = without(headers, nominated(connection));
  // Ours come last: nothing that a server says of its connection takes them away.
  kept.push(correlationHeader, id, ...ours);
  return { headers: kept, type, isUtf8, encoding, length, session };
}

const none: ReadonlySet<string> = new Set();

/** No cache on the way may be told to keep for others what one identity got. */
function isPrivateCaching(name: string, value: string): boolean {
  return name === 'cache-control' && !/public|s-maxage/i.test(value);
}

function mediaType(value: string): string {
  const end = value.indexOf(';');
  return (end === -1 ? value : value.slice(0, end)).trim().toLowerCase();
}

function isInUtf8(value: string): boolean {
  const charset = /charset\s*=\s*"?([\w.:-]*)/i.exec(value)?.[1]?.toLowerCase();
  return charset === undefined || charset === 'utf-8' || charset === 'utf8' || charset === 'us-ascii';
}

/** The headers of an answer whose body is changed on the way: those that would be untrue of it are left out. */
export function headersOfChanged(headers: string[]): string[] {
  return headers.filter((_, at) => !ofTheBody.has(headers[at - (at % 2)] ?? ''));
}

function without(headers: string[], names: readonly string[]): string[] {
  if (names.length === 0) return headers;
  return headers.filter((_, at) => !names.includes(headers[at - (at % 2)] ?? ''));
}

function latin1(value: string | Buffer | undefined): string {
  return typeof value === 'string' ? value : (value?.toString('latin1') ?? '');
}
