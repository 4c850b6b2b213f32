import { ConnectionNeeded } from '../egress/credential.ts';
import { Failure, type FailureCode } from '../failure/errors.ts';
import { headersOf, problemOf, rpcErrorOf } from '../failure/problem.ts';
import { endUnread, leavesMuchUnread } from '../http/request/unread.ts';
import type { Exchange } from './exchange.ts';
import { headerMismatch } from './read/agree.ts';
import {
  type AskedCall,
  invalidRequest,
  type Message,
  type MessageId,
  parseError,
} from './read/read-call.ts';

/** The header that names an exchange in every answer. */
export const correlationHeader = 'x-correlation-id';

/** Failures that JSON-RPC or MCP have a code for. */
const rpcCodes: Partial<Record<FailureCode, number>> = {
  invalid_json: parseError,
  bad_request: invalidRequest,
  header_mismatch: headerMismatch,
};

const allowed = { mcp: 'GET, POST, DELETE', sse: 'GET', messages: 'POST' };
/** What is wrong with one call and not with the way to the server. */
const ofTheCall: ReadonlySet<FailureCode> = new Set([
  ...(['not_allowed', 'connection_needed', 'connection_refused', 'connection_impossible'] as const),
]);
/** What is wrong with one member of a virtual server, whose other members go on in the same session. */
const ofTheMember: ReadonlySet<FailureCode> = new Set([
  ...(['upstream_unreachable', 'upstream_resting', 'upstream_timeout', 'upstream_invalid'] as const),
  ...(['upstream_auth', 'server_disabled', 'not_found', 'credential_unreadable', 'overloaded'] as const),
  'connection_unavailable',
]);
const denials: ReadonlySet<number> = new Set([401, 403, 421]);

/** Notes what went wrong for the log, and for the audit record unless a decision said it already. */
export function noteFailure(exchange: Exchange, failure: Failure): void {
  exchange.failure = failure;
  if (exchange.decision === 'deny') return;
  exchange.decision = denials.has(failure.status) ? 'deny' : 'error';
  exchange.reason = failure.code;
}

/**
 * Answers with a failure. Who cannot be identified gets problem details: 401 with the way to sign in (RFC 6750, RFC
 * 9728), or 503. All else is a JSON-RPC error, `{ code, message, data: { type, code, correlation_id } }`: where neither JSON-RPC
 * nor MCP has a code, `code` is the HTTP status, outside the range that JSON-RPC reserves. A refused batch gets one
 * error for each of its requests, because none of them was passed on.
 */
export function refuse(exchange: Exchange, failure: Failure): void {
  noteFailure(exchange, failure);
  const unidentified = failure.status === 401 || failure.code === 'identity_unavailable';
  const type = unidentified ? 'application/problem+json' : 'application/json';
  const text = JSON.stringify(unidentified ? problemOf(failure, exchange.id) : errorOf(exchange, failure));
  const failsCall = isOfTheCall(exchange, failure);
  if (failsCall && saidOnStream(exchange, text)) return;
  const head = ['Content-Type', type, 'Content-Length', String(Buffer.byteLength(text))];
  head.push(correlationHeader, exchange.id, ...headersFor(exchange, failure));
  const { req, res, place } = exchange;
  const status = failsCall && place?.endpoint !== 'messages' ? 200 : failure.status;
  const unread = leavesMuchUnread(req);
  if (unread) head.push('Connection', 'close');
  res.writeHead(status, head);
  if (unread) endUnread(req, res, text);
  else res.end(text);
}

/**
 * A request that was read and is not allowed fails as a call, not as a transport: every SDK takes that from a JSON-RPC error
 * with status 200 and from nothing else, and some end the whole session at any other (docs/decisions/0032). So does what
 * fails at one member of a virtual server.
 */
function isOfTheCall({ asked, decision, via }: Exchange, { code }: Failure): boolean {
  const fits = ofTheCall.has(code) ? decision === 'deny' : via !== undefined && ofTheMember.has(code);
  return fits && asked?.messages.some(({ kind }) => kind === 'request') === true;
}

/**
 * On the older transport the answer to a message comes on the stream of its session: a body here would be read by nobody,
 * and most clients would wait for ever. False where the stream is not here, because another process has it.
 */
function saidOnStream({ place, id, res, say }: Exchange, message: string): boolean {
  if (place?.endpoint !== 'messages' || !say?.(message)) return false;
  const text = 'Accepted';
  res.writeHead(202, [
    'Content-Type',
    'text/plain',
    'Content-Length',
    String(text.length),
    correlationHeader,
    id,
  ]);
  res.end(text);
  return true;
}

function headersFor({ place, challenge }: Exchange, failure: Failure): string[] {
  const headers = Object.entries(headersOf(failure, challenge ?? '', 'mcp:read mcp:call')).flat();
  return failure.status === 405 && place ? [...headers, 'Allow', allowed[place.endpoint]] : headers;
}

function errorOf(exchange: Exchange, failure: Failure): object {
  const { asked, id, rpcCode, messageId } = exchange;
  const open =
    failure instanceof ConnectionNeeded && exchange.showsUrls ? elicitation(failure, id) : undefined;
  if (open && asked && takesInput(asked)) return inputRequired(asked.messages[0].id, open);
  const isModern = asked?.messages[0].version !== undefined;
  const elicits = open !== undefined && !isModern;
  const code = elicits ? urlElicitationRequired : (rpcCode ?? rpcCodes[failure.code]);
  const error = rpcErrorOf(withServer(exchange, failure), id, code, elicits ? { elicitations: [open] } : {});
  const answer = (to: MessageId | null): object => ({ jsonrpc: '2.0', id: to, error });
  const requests = asked?.messages.filter((message) => message.kind === 'request') ?? [];
  if (asked?.batch && requests.length > 0) return requests.map((message) => answer(message.id));
  return answer(requests[0]?.id ?? messageId ?? null);
}

/** The failure of a call that came through a virtual server or `call_tool`: it says which server it is that fails. */
export function withServer({ via, place }: Exchange, failure: Failure): Failure {
  if (!via || !place || !ofTheMember.has(failure.code)) return failure;
  const { code, cause, faults, retryAfter } = failure;
  const named = failure.message.replace(
    /\b(?:the|this) server\b(?! ')/i,
    (words) => `${words.startsWith('T') ? 'The' : 'the'} server '/${place.server}'`,
  );
  return new Failure(code, named, { cause, faults, ...(retryAfter === undefined ? {} : { retryAfter }) });
}

/** MCP 2025-11-25: the client has to let the person open an address first. */
const urlElicitationRequired = -32042;
/** The key of our own question among the inputs that a call needs (MCP 2026-07-28). */
export const connectInput = 'mcp-gateway.connect';

function elicitation({ message, url }: ConnectionNeeded, elicitationId: string): object {
  return { mode: 'url', elicitationId, url, message };
}

/** Whether the result of a request may be that input is needed (MCP 2026-07-28). */
function takesInput({ batch, messages: [{ method, version }] }: AskedCall): boolean {
  return !batch && version !== undefined && /^(?:tools\/call|prompts\/get|resources\/read)$/.test(method);
}

function inputRequired(id: MessageId | null, params: object): object {
  const inputRequests = { [connectInput]: { method: 'elicitation/create', params } };
  return { jsonrpc: '2.0', id, result: { resultType: 'input_required', inputRequests } };
}

/** The lists of MCP by method: the member of the result that holds them. */
const emptyLists: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  'tools/list': 'tools',
  'prompts/list': 'prompts',
  'resources/list': 'resources',
  'resources/templates/list': 'resourceTemplates',
});

/** Whether a request is one for a list, which is empty for who may not have it: a client that lists all must not end. */
export function asksForOneList(
  { batch, messages: [{ kind, method }] }: AskedCall,
  exchange: Exchange,
): boolean {
  const canBeAnswered = exchange.place?.endpoint === 'mcp' || exchange.say !== undefined;
  return canBeAnswered && !batch && kind === 'request' && method in emptyLists;
}

/** Answers a request for a list that the caller may not have with an empty one, in the form of its era. */
export function answerEmptyList(exchange: Exchange, asked: AskedCall): void {
  answerList(exchange, asked, []);
}

/** Answers a request for a list with the given items, in the form of its era. */
export function answerList(
  exchange: Exchange,
  { messages: [message] }: AskedCall,
  items: readonly unknown[],
): void {
  answerResult(exchange, message, { [emptyLists[message.method] ?? '']: items });
}

/** Answers a request with a result of the gateway's own, in the form of its era. */
export function answerResult(
  exchange: Exchange,
  message: Message,
  own: object,
  headers: readonly string[] = [],
): void {
  const modern = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' };
  const result = { ...own, ...(message.version === undefined ? {} : modern) };
  const text = JSON.stringify({ jsonrpc: '2.0', id: message.id, result });
  if (saidOnStream(exchange, text)) return;
  const head = ['Content-Type', 'application/json', 'Content-Length', String(Buffer.byteLength(text))];
  exchange.res.writeHead(200, [...head, ...headers, correlationHeader, exchange.id]);
  exchange.res.end(text);
}
