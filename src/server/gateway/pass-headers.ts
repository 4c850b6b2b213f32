import type { IncomingMessage } from 'node:http';
import type { Credentials } from '../registry/servers/route.ts';
import type { Exchange } from './exchange.ts';
import { correlationHeader } from './refuse.ts';
import { newTraceparent } from './trace.ts';

/** Of one connection only (RFC 9110 section 7.6.1), or made anew by the HTTP library. */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** The client's credentials are for the gateway; what names a person or a way must not be believed from outside. */
const notToServers = new Set([
  ...hopByHop,
  ...['host', 'content-length', 'expect', 'accept-encoding', 'origin', correlationHeader],
  ...['authorization', 'x-authorization', 'cookie', 'forwarded', 'via', 'x-real-ip', 'remote-user'],
]);
const notToServersPrefix =
  /^(?:x-(?:user|scope|group|role|email|auth|client-id|forwarded|original|remote|internal|identity|principal|tenant|server-name|tool-name)|proxy-)/;

/** Set for the gateway's own origin, which an upstream does not speak for. */
const notToClients = new Set([
  ...hopByHop,
  ...[
    'set-cookie',
    'set-cookie2',
    'clear-site-data',
    'alt-svc',
    'strict-transport-security',
    correlationHeader,
  ],
]);

/** Headers that a changed body makes untrue. */
const ofTheBody = [
  'content-length',
  'content-encoding',
  'etag',
  'content-md5',
  'digest',
  'content-digest',
  'repr-digest',
];

const harmless = /^(?:application\/(?:[a-z.+-]+\+)?json|text\/event-stream)$/;

function nominated(connection: string | undefined): readonly string[] {
  if (!connection || /^\s*(?:keep-alive|close)\s*$/i.test(connection)) return [];
  return connection.split(',').map((name) => name.trim().toLowerCase());
}

/**
 * The headers of a client's request that go to the server, as name, value, name, value, and the gateway's own. With
 * `readable` the server is asked not to compress, because its answer has to be read here. The operator's credentials
 * take the place of what the client sent under their names.
 */
export function requestHeaders(
  { req: { rawHeaders: raw, headers }, id, trace }: Exchange,
  readable: boolean,
  credentials: Credentials,
): string[] {
  const { names } = credentials;
  const dropped = nominated(headers.connection);
  // What comes with a broken `traceparent` belongs to no trace (W3C Trace Context, section 4.3).
  const traced = trace !== undefined && trace.parent === headers.traceparent;
  const kept: string[] = [];
  let encoding = readable ? 'identity' : undefined;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [name = '', value = ''] = [raw[at], raw[at + 1]];
    const lower = name.toLowerCase();
    if (lower === 'accept-encoding') encoding ??= value;
    else if (names.size > 0 && names.has(lower)) continue;
    else if (!traced && (lower === 'traceparent' || lower === 'tracestate')) continue;
    else if (!notToServers.has(lower) && !notToServersPrefix.test(lower) && !dropped.includes(lower))
      kept.push(name, value);
  }
  if (encoding !== undefined) kept.push('accept-encoding', encoding);
  kept.push(correlationHeader, id);
  if (!traced) kept.push('traceparent', trace?.parent ?? newTraceparent(id));
  if (!traced && trace?.state) kept.push('tracestate', trace.state);
  if (credentials.forwardAuthorization && !names.has('authorization'))
    kept.push(...ownAuthorization(headers));
  if (names.size > 0) kept.push(...credentials.headers);
  return kept;
}

/** The client's `Authorization` where it is not what the client proved itself to the gateway with. */
function ownAuthorization(headers: IncomingMessage['headers']): string[] {
  const { authorization, 'x-authorization': ours } = headers;
  if (authorization === undefined || ours === undefined) return [];
  return tokenIn(authorization) === tokenIn(String(ours)) ? [] : ['authorization', authorization];
}

function tokenIn(value: string): string {
  return value.trim().replace(/^\S+\s+/, '');
}

/** The headers of a server's answer that go to the client, and what the body's handling needs to know of them. */
export interface AnswerHeaders {
  readonly headers: string[];
  /** The media type, in lower case, without parameters. */
  readonly type: string;
  readonly encoding: string;
  readonly length: number | undefined;
}

/** Sorts the raw headers of an answer. */
export function answerHeaders(raw: readonly (string | Buffer)[], status: number, id: string): AnswerHeaders {
  const headers: string[] = [correlationHeader, id];
  let [type, encoding, connection] = ['', '', ''];
  let length: number | undefined;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = latin1(raw[at]);
    const value = latin1(raw[at + 1]);
    const lower = name.toLowerCase();
    if (lower === 'content-type') type = (value.split(';', 1)[0] ?? '').trim().toLowerCase();
    else if (lower === 'content-encoding') encoding = value.trim().toLowerCase();
    else if (lower === 'connection') connection = value;
    else if (lower === 'content-length') {
      if (hasNoBody(status)) continue;
      length = Number(value);
    }
    if (!notToClients.has(lower)) headers.push(name, value);
  }
  // A page shown by a browser would run as part of the gateway's own origin, next to its session cookie.
  if (type !== '' && !harmless.test(type))
    headers.push('content-security-policy', 'sandbox', 'x-content-type-options', 'nosniff');
  return { headers: without(headers, nominated(connection)), type, encoding, length };
}

/** The headers of an answer whose body is changed on the way: those that would be untrue of it are left out. */
export function headersOfChanged(headers: string[]): string[] {
  return without(headers, ofTheBody);
}

function hasNoBody(status: number): boolean {
  return status === 204 || status === 304;
}

function without(headers: string[], names: readonly string[]): string[] {
  if (names.length === 0) return headers;
  return headers.filter((_, at) => !names.includes((headers[at - (at % 2)] ?? '').toLowerCase()));
}

function latin1(value: string | Buffer | undefined): string {
  return typeof value === 'string' ? value : (value?.toString('latin1') ?? '');
}
