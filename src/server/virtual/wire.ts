import { isObject } from '../../contract/values/json.ts';
import type { Exchange } from '../gateway/exchange.ts';
import { afterValue, eachMember, valueAt } from '../gateway/lists/json-text.ts';
import { invalidParams, invalidRequest, type MessageId } from '../gateway/read/read-call.ts';
import { correlationHeader } from '../gateway/refuse.ts';

/** A JSON object. */
export type JsonObject = Record<string, unknown>;

/** The protocol version that virtual servers speak without sessions. */
export const modern = '2026-07-28';
/** Those that they speak with `initialize`, the newest first. */
export const legacyVersions: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];

/** What a virtual server calls itself. */
export const serverInfo = { name: 'mcp-gateway-registry', version: '1.0.0' };

/** JSON-RPC: there is no such method. */
export const methodNotFound = -32601;
/** MCP 2026-07-28: the client asks in a version that is not spoken here. */
export const unsupportedVersion = -32022;
export { invalidParams, invalidRequest };

/** Members of `_meta` by which a modern request says what earlier versions said in `initialize` (MCP 2026-07-28). */
export const metaKeys = {
  version: 'io.modelcontextprotocol/protocolVersion',
  capabilities: 'io.modelcontextprotocol/clientCapabilities',
  client: 'io.modelcontextprotocol/clientInfo',
  server: 'io.modelcontextprotocol/serverInfo',
  logLevel: 'io.modelcontextprotocol/logLevel',
} as const;

/** A JSON-RPC error as this room throws it: with the HTTP status of the era of its client. */
export class RpcError extends Error {
  readonly code: number;
  /** For clients of 2026-07-28; for others it is 200 unless `always`. */
  readonly status: number;
  readonly always: boolean;
  readonly data: JsonObject | undefined;
  constructor(
    code: number,
    message: string,
    more: { status?: number; always?: boolean; data?: JsonObject } = {},
  ) {
    super(message);
    this.code = code;
    this.status = more.status ?? 200;
    this.always = more.always ?? false;
    this.data = more.data;
  }
}

/** The member of an object that is an object; an empty one where there is none. */
export function objectIn(value: unknown, member: string): JsonObject {
  const found = isObject(value) ? value[member] : undefined;
  return isObject(found) ? found : {};
}

/** Sends one JSON-RPC message as the whole answer. */
export function sendMessage(
  { res, id }: Exchange,
  text: string | Buffer,
  status = 200,
  more: readonly string[] = [],
): void {
  const length = typeof text === 'string' ? Buffer.byteLength(text) : text.length;
  res.writeHead(status, [
    ...['Content-Type', 'application/json', 'Content-Length', String(length)],
    ...['Cache-Control', 'no-store', correlationHeader, id, ...more],
  ]);
  res.end(text);
}

/** The text of a response. */
export function responseText(id: MessageId | null, result: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id, result });
}

/** The answer to a notification or a response: taken, nothing to say. */
export function sendAccepted({ res, id }: Exchange): void {
  res.writeHead(202, ['Content-Length', '0', correlationHeader, id]);
  res.end();
}

/** Begins an answer as an event stream. */
export function beginEvents({ res, id }: Exchange, more: readonly string[] = []): void {
  res.writeHead(200, [
    ...['Content-Type', 'text/event-stream', 'Cache-Control', 'no-store'],
    ...['X-Accel-Buffering', 'no', correlationHeader, id, ...more],
  ]);
  res.flushHeaders();
}

/** One message as a server-sent event. */
export function eventOf(text: string): string {
  return `event: message\ndata: ${text}\n\n`;
}

/** Where a task is asked for (MCP 2025-11-25), and where a client says that one may come unasked (2026-07-28). */
const takingTasks = [
  ['params', 'task'],
  ['params', '_meta', metaKeys.capabilities, 'extensions', 'io.modelcontextprotocol/tasks'],
];

/** A request body whose call may not become a task; every other byte stays. The body is as for `withParam`. */
export function withoutTask(body: Buffer): Buffer {
  return Buffer.from(takingTasks.reduce(withoutMember, body.toString('utf8')));
}

/** The text of an object without the member at a path of names. */
function withoutMember(text: string, path: readonly string[]): string {
  let found: readonly [start: number, end: number] | undefined;
  const look = (at: number, [name, ...below]: readonly string[]): number => {
    if (text.charAt(at) !== '{') return afterValue(text, at);
    let before = at + 1;
    return eachMember(text, at, (key, place) => {
      const after = key === name && below.length > 0 ? look(place, below) : afterValue(text, place);
      if (key === name && below.length === 0) found = [before, after];
      before = after;
      return after;
    });
  };
  look(valueAt(text, 0), path);
  if (!found) return text;
  const [start, end] = found;
  // With the comma before it, or behind it where it is the first.
  const rest = text.charAt(start - 1) === '{' ? text.slice(end).replace(/^\s*,/, '') : text.slice(end);
  return text.slice(0, start) + rest;
}

/**
 * A request body with another text in the member `member` of its `params`; every other byte stays. The body is valid
 * JSON in which no name occurs twice.
 */
export function withParam(body: Buffer, member: string, value: string): Buffer {
  const text = body.toString('utf8');
  let [start, end] = [-1, -1];
  eachMember(text, valueAt(text, 0), (key, at) => {
    if (key !== 'params' || text.charAt(at) !== '{') return afterValue(text, at);
    return eachMember(text, at, (name, place) => {
      const after = afterValue(text, place);
      if (name === member) [start, end] = [place, after];
      return after;
    });
  });
  return start < 0 ? body : Buffer.from(text.slice(0, start) + JSON.stringify(value) + text.slice(end));
}
