import { isUtf8 } from 'node:buffer';
import type { FailureCode } from '../failure/errors.ts';
import { ambiguousMember } from './ambiguity.ts';

/** A JSON-RPC request id as MCP has it. */
export type MessageId = string | number;

/** One JSON-RPC message of a client, reduced to what decides on it. */
export interface Message {
  readonly kind: 'request' | 'notification' | 'response';
  readonly id: MessageId | null;
  /** The MCP method; `$response` for a response, `$stream` and `$end` for requests that have no message. */
  readonly method: string;
  /** The tool of a `tools/call`. */
  readonly tool?: string | undefined;
  /** The prompt that a method is about. */
  readonly prompt?: string | undefined;
  /** The resource, by its URI or, for a completion, its template. */
  readonly resource?: string | undefined;
  /** Resources that a `subscriptions/listen` wants to be told of. */
  readonly subscribes?: readonly string[] | undefined;
  /** What `Mcp-Name` must repeat for this method: a tool, a prompt, a resource or a task. */
  readonly name?: string | undefined;
  /** The protocol version that a modern request (2026-07-28 and later) states in its `_meta`. */
  readonly version?: string | undefined;
  /** The trace that the message belongs to, as its `_meta` says (W3C Trace Context; MCP 2026-07-28). */
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
}

/** What one HTTP request asks: one message, or several in a batch. */
export interface Asked {
  readonly is: 'asked';
  readonly messages: readonly [Message, ...Message[]];
  readonly batch: boolean;
}

/** A body that is not passed on: the failure's code and message, the JSON-RPC code and the id to answer with. */
export interface Fault {
  readonly is: 'fault';
  readonly code: FailureCode;
  readonly message: string;
  readonly rpcCode: number;
  readonly id: MessageId | null;
}

/** JSON-RPC: the text is not JSON. */
export const parseError = -32700;
/** JSON-RPC: the JSON is not a message. */
export const invalidRequest = -32600;
/** JSON-RPC: the method's parameters are wrong. */
export const invalidParams = -32602;

/** Methods whose object is named in `params`, and by which member (MCP 2026-07-28, `Mcp-Name`; SEP-2663 for tasks). */
const nameMembers: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
]);

const pseudoMethods: ReadonlySet<string> = new Set(['$stream', '$end', '$response']);
const versionMember = 'io.modelcontextprotocol/protocolVersion';

/** Reads a request body as JSON-RPC: what it asks, or why it cannot be passed on. Never throws. */
export function readCall(body: Buffer, batchLimit: number): Asked | Fault {
  if (!isUtf8(body)) return fault('invalid_json', 'The body is not UTF-8.', parseError);
  const text = body.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fault('invalid_json', 'The body is not JSON.', parseError);
  }
  const ambiguous = ambiguousMember(text);
  if (ambiguous !== undefined)
    return fault(
      'bad_request',
      `The member '${ambiguous.slice(0, 60)}' can be read in two ways.`,
      invalidRequest,
    );
  return Array.isArray(value) ? readBatch(value, batchLimit) : readOne(value);
}

function readOne(value: unknown): Asked | Fault {
  const message = readMessage(value);
  return 'is' in message ? message : { is: 'asked', messages: [message], batch: false };
}

function readBatch(values: readonly unknown[], limit: number): Asked | Fault {
  if (values.length > limit)
    return fault('bad_request', `A batch may hold ${limit} messages at most.`, invalidRequest);
  const messages: Message[] = [];
  for (const value of values) {
    const message = readMessage(value);
    if ('is' in message) return message;
    messages.push(message);
  }
  const [first, ...rest] = messages;
  if (!first) return fault('bad_request', 'The batch is empty.', invalidRequest);
  return { is: 'asked', messages: [first, ...rest], batch: true };
}

function readMessage(value: unknown): Message | Fault {
  if (!isObject(value) || value.jsonrpc !== '2.0')
    return fault('bad_request', 'The body is not a JSON-RPC 2.0 message.', invalidRequest);
  const { id, method, params } = value;
  const known = typeof id === 'string' || typeof id === 'number' ? id : null;
  const answers = Number('result' in value) + Number('error' in value);
  if (method === undefined && answers === 1 && (known !== null || 'error' in value))
    return { kind: 'response', id: known, method: '$response' };
  if (typeof method !== 'string' || answers > 0 || pseudoMethods.has(method))
    return fault('bad_request', 'The body is no request, notification or response.', invalidRequest, known);
  if ('id' in value && known === null)
    return fault('bad_request', 'The id of a request is a string or a number.', invalidRequest);
  if (params !== undefined && !isObject(params))
    return fault('bad_request', 'The params of an MCP message are an object.', invalidParams, known);
  return readParams(known, method, params ?? {});
}

function readParams(id: MessageId | null, method: string, params: Record<string, unknown>): Message | Fault {
  const kind = id === null ? 'notification' : 'request';
  const meta = isObject(params._meta) ? params._meta : undefined;
  const member = nameMembers.get(method);
  const name = member === undefined ? undefined : params[member];
  if (method === 'tools/call' && typeof name !== 'string')
    return fault(
      'bad_request',
      "A tools/call names its tool in the string 'params.name'.",
      invalidParams,
      id,
    );
  const message = {
    kind,
    id,
    method,
    tool: method === 'tools/call' ? textOf(name) : undefined,
    name: textOf(name),
    version: textOf(meta?.[versionMember]),
    traceparent: textOf(meta?.traceparent),
    tracestate: textOf(meta?.tracestate),
  } as const;
  const items = itemsOf[method]?.(params);
  if (items === malformed)
    return fault('bad_request', 'The resources to listen to are a list of URIs.', invalidParams, id);
  return items ? { ...message, ...items } : message;
}

type Items = Pick<Message, 'prompt' | 'resource' | 'subscribes'>;
type ReadItems = (params: Record<string, unknown>) => Items;

const malformed: Items = {};
const readUri: ReadItems = ({ uri }) => ({ resource: textOf(uri) });

/** What methods are about besides tools, and where their params say it. */
const itemsOf: Readonly<Record<string, ReadItems>> = Object.assign(Object.create(null), {
  'prompts/get': ({ name }) => ({ prompt: textOf(name) }),
  'resources/read': readUri,
  'resources/subscribe': readUri,
  'resources/unsubscribe': readUri,
  'resources/directory/read': readUri,
  'completion/complete': ({ ref }) =>
    isObject(ref) ? { prompt: textOf(ref.name), resource: textOf(ref.uri) } : {},
  'subscriptions/listen': ({ notifications }) => {
    const uris = isObject(notifications) ? notifications.resourceSubscriptions : undefined;
    if (uris === undefined) return {};
    const texts = Array.isArray(uris) ? uris.filter((uri) => typeof uri === 'string') : [];
    return Array.isArray(uris) && texts.length === uris.length ? { subscribes: texts } : malformed;
  },
} satisfies Record<string, ReadItems>);

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fault(code: FailureCode, message: string, rpcCode: number, id: MessageId | null = null): Fault {
  return { is: 'fault', code, message, rpcCode, id };
}
