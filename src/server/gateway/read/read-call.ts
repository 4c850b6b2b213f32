import { isUtf8 } from 'node:buffer';
import type { FailureCode } from '../../failure/errors.ts';
import { JsonRefusal, JsonScan, usualJson } from '../../http/request/json-scan.ts';
import { type Members, MembersSeen, members } from './members.ts';

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
  /** The task that a method is about, by its id. */
  readonly task?: string | undefined;
  /** The result may be a task in place of what was asked for (MCP 2025-11-25, or the extension for tasks). */
  readonly asksForTask?: boolean | undefined;
  /** The protocol version that a modern request (2026-07-28 and later) states in its `_meta`. */
  readonly version?: string | undefined;
  /** The trace that the message belongs to, as its `_meta` says (W3C Trace Context; MCP 2026-07-28). */
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
}

/** What one HTTP request asks: one message, or several in a batch. */
export interface AskedCall {
  readonly is: 'asked';
  readonly messages: readonly [Message, ...Message[]];
  readonly batch: boolean;
}

/** A body that is not passed on: the failure's code and message, the JSON-RPC code and the id to answer with. */
export interface CallFault {
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
  ['resources/subscribe', 'uri'],
  ['resources/unsubscribe', 'uri'],
  ['resources/directory/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/result', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
]);

const pseudoMethods: ReadonlySet<string> = new Set(['$stream', '$end', '$response']);
const versionMember = 'io.modelcontextprotocol/protocolVersion';
const capabilitiesMember = 'io.modelcontextprotocol/clientCapabilities';

/*
 * The bytes that were decided on are forwarded as they came, so another parser must not read another call in them.
 * JSON.parse takes the last of two members with one name, others the first; Go's encoding/json also takes names that
 * differ only in case, with the folding of Unicode (the long s and the Kelvin sign included).
 */
const messageMembers = members('jsonrpc', 'id', 'method', 'params', 'result', 'error');
const paramsMembers = members('name', 'uri', 'taskId', '_meta', 'arguments', 'ref', 'notifications', 'task');
/** What is decisive inside members of the params; other parsers fold these names whatever the method. */
const metaMembers = members(versionMember, capabilitiesMember);
const refMembers = members('type', 'name', 'uri');
const notificationsMembers = members('resourceSubscriptions');
const namedMethods = /^(?:tools\/call|prompts\/get|resources\/|tasks\/|completion\/|subscriptions\/)/;

/** Methods on which something depends that is decided here. */
const knownMethods: ReadonlySet<string> = new Set([
  ...nameMembers.keys(),
  ...['initialize', 'ping', 'server/discover', 'logging/setLevel', 'completion/complete'],
  ...['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list', 'tasks/list'],
  ...['subscriptions/listen', 'notifications/initialized', 'notifications/cancelled'],
]);
const foldedMethods: ReadonlySet<string> = new Set([...knownMethods].map(foldedMethod));

/** A method as the most generous servers read it: without regard to case, and to what stands between its words and around them. */
function foldedMethod(method: string): string {
  return method
    .toLowerCase()
    .split(/[^a-z0-9]/)
    .filter((word) => word !== '')
    .join('/');
}

/** Whether some server may take a method for one that is decided on otherwise: for every method one may stand that nobody knows. */
function isAmbiguousMethod(method: string): boolean {
  if (knownMethods.has(method)) return false;
  return !/^[\x21-\x7e]+$/.test(method) || foldedMethods.has(foldedMethod(method));
}

/** How many resources one request may listen to; each is decided on. */
const mostSubscriptions = 1_000;

/** Reads a request body as JSON-RPC: what it asks, or why it cannot be passed on. Never throws. */
export function readCall(body: Buffer, batchLimit: number): AskedCall | CallFault {
  if (!isUtf8(body)) return fault('invalid_json', 'The body is not UTF-8.', parseError);
  try {
    const reader = new CallReader(body.toString('utf8'), batchLimit);
    return reader.read();
  } catch (error) {
    if (error instanceof Refused) return error.fault;
    if (!(error instanceof JsonRefusal)) throw error;
    return error.why === 'syntax'
      ? fault('invalid_json', 'The body is not JSON.', parseError)
      : fault('bad_request', error.message, invalidRequest);
  }
}

class Refused extends Error {
  readonly fault: CallFault;
  constructor(why: CallFault) {
    super(why.message);
    this.fault = why;
  }
}

/** Where a value stands in the text. */
type Span = readonly [start: number, end: number];

/** The values of an object that decide on something, by name. */
interface Found {
  readonly at: Map<string, Span>;
  readonly seen: MembersSeen;
  readonly end: number;
}

/** One pass over a body: its grammar, its limits, what it asks, and what others could read in it. */
class CallReader {
  readonly #scan: JsonScan;
  readonly #batchLimit: number;

  constructor(text: string, batchLimit: number) {
    this.#scan = new JsonScan(text, usualJson);
    this.#batchLimit = batchLimit;
  }

  read(): AskedCall | CallFault {
    const scan = this.#scan;
    const start = scan.space(0);
    if (scan.text.charAt(start) === '[') return this.#batch(start);
    const { message, end } = this.#message(start, 0);
    scan.end(end);
    return 'is' in message ? message : { is: 'asked', messages: [message], batch: false };
  }

  #batch(start: number): AskedCall | CallFault {
    const scan = this.#scan;
    const messages: Message[] = [];
    let refused: CallFault | undefined;
    const end = scan.array(start, 0, (at) => {
      if (messages.length >= this.#batchLimit)
        throw refusal(`A batch may hold ${this.#batchLimit} messages at most.`);
      const one = this.#message(at, 1);
      if ('is' in one.message) refused ??= one.message;
      else messages.push(one.message);
      return one.end;
    });
    scan.end(end);
    if (refused) return refused;
    const [first, ...rest] = messages;
    if (!first) return fault('bad_request', 'The batch is empty.', invalidRequest);
    return { is: 'asked', messages: [first, ...rest], batch: true };
  }

  /** The decisive members of the object at `at`; everything in it is checked. */
  #members(
    at: number,
    depth: number,
    decisive: Members,
    inside?: (name: string, at: number) => number,
  ): Found {
    const scan = this.#scan;
    const found = new Map<string, Span>();
    const seen = new MembersSeen(decisive);
    const end = scan.object(at, depth, (name, value) => {
      seen.add(name);
      const behind = inside?.(name, value) ?? scan.value(value, depth + 1);
      if (decisive.names.has(name)) found.set(name, [value, behind]);
      return behind;
    });
    return { at: found, seen, end };
  }

  #message(at: number, depth: number): { message: Message | CallFault; end: number } {
    const scan = this.#scan;
    if (scan.text.charAt(at) !== '{') return { message: noMessage(), end: scan.value(at, depth) };
    let params: Params | undefined;
    const found = this.#members(at, depth, messageMembers, (name, value) => {
      if (name !== 'params' || scan.text.charAt(value) !== '{') return scan.value(value, depth + 1);
      params = this.#params(value, depth + 1);
      return params.end;
    });
    return { message: this.#messageOf(found, params), end: found.end };
  }

  #messageOf({ at, seen }: Found, params: Params | undefined): Message | CallFault {
    const method = this.#text(at.get('method'));
    const byCase = method !== undefined && namedMethods.test(method) ? params?.seen.folded : undefined;
    const ambiguous = seen.twice ?? seen.folded ?? params?.seen.twice ?? params?.inner ?? byCase;
    if (ambiguous !== undefined)
      return fault(
        'bad_request',
        `The member '${ambiguous.slice(0, 60)}' can be read in two ways.`,
        invalidRequest,
      );
    if (this.#text(at.get('jsonrpc')) !== '2.0') return noMessage();
    const id = this.#id(at.get('id'));
    const answers = Number(at.has('result')) + Number(at.has('error'));
    if (!at.has('method') && answers === 1 && (id !== null || at.has('error')))
      return { kind: 'response', id, method: '$response' };
    if (method === undefined || answers > 0 || pseudoMethods.has(method))
      return fault('bad_request', 'The body is no request, notification or response.', invalidRequest, id);
    if (isAmbiguousMethod(method))
      return fault('bad_request', 'The method can be read in two ways.', invalidRequest, id);
    if (at.has('id') && id === null)
      return fault('bad_request', 'The id of a request is a string or a number.', invalidRequest);
    if (at.has('params') && !params)
      return fault('bad_request', 'The params of an MCP message are an object.', invalidParams, id);
    return this.#request(id, method, params);
  }

  #request(id: MessageId | null, method: string, params: Params | undefined): Message | CallFault {
    const member = nameMembers.get(method);
    const name = member === undefined ? undefined : this.#text(params?.at.get(member));
    if (method === 'tools/call' && name === undefined)
      return fault(
        'bad_request',
        "A tools/call names its tool in the string 'params.name'.",
        invalidParams,
        id,
      );
    const message: Message = {
      ...{ kind: id === null ? 'notification' : 'request', id, method, name },
      tool: method === 'tools/call' ? name : undefined,
      version: this.#text(params?.meta?.at.get(versionMember)),
      traceparent: this.#text(params?.trace.get('traceparent')),
      tracestate: this.#text(params?.trace.get('tracestate')),
      asksForTask: params && this.#takesTasks(params) ? true : undefined,
    };
    if (!params) return message;
    if (method === 'prompts/get') return { ...message, prompt: name };
    if (method === 'completion/complete')
      return {
        ...message,
        prompt: this.#text(params.ref?.at.get('name')),
        resource: this.#text(params.ref?.at.get('uri')),
      };
    if (method === 'subscriptions/listen') return this.#listening(message, params);
    if (method.startsWith('resources/') && member === 'uri') return { ...message, resource: name };
    if (method.startsWith('tasks/') && member === 'taskId') return { ...message, task: name };
    return message;
  }

  /** Whether a task is asked for, or one may come unasked because the client says that it knows them. */
  #takesTasks({ at, meta }: Params): boolean {
    const capabilities = meta?.at.get(capabilitiesMember);
    return (
      at.has('task') || (capabilities && this.#scan.text.slice(...capabilities).includes('/tasks')) === true
    );
  }

  #listening(message: Message, { notifications }: Params): Message | CallFault {
    const span = notifications?.at.get('resourceSubscriptions');
    if (!span) return message;
    const uris: string[] = [];
    const malformed = fault(
      'bad_request',
      'The resources to listen to are a list of URIs.',
      invalidParams,
      message.id,
    );
    if (this.#scan.text.charAt(span[0]) !== '[') return malformed;
    let whole = true;
    this.#scan.array(span[0], 0, (at) => {
      if (uris.length >= mostSubscriptions)
        throw refusal(`One request may listen to ${mostSubscriptions} resources at most.`);
      const end = this.#scan.value(at, 1);
      const uri = this.#text([at, end]);
      if (uri === undefined) whole = false;
      else uris.push(uri);
      return end;
    });
    return whole ? { ...message, subscribes: uris } : malformed;
  }

  #params(at: number, depth: number): Params {
    const scan = this.#scan;
    const parts: { meta?: Found; ref?: Found; notifications?: Found } = {};
    const trace = new Map<string, Span>();
    let inner: string | undefined;
    const within = (
      value: number,
      decisive: Members,
      inside?: (name: string, at: number) => number,
    ): Found => {
      const found = this.#members(value, depth + 1, decisive, inside);
      inner ??= found.seen.twice ?? found.seen.folded;
      return found;
    };
    const found = this.#members(at, depth, paramsMembers, (name, value) => {
      if (scan.text.charAt(value) !== '{') return scan.value(value, depth + 1);
      if (name === '_meta') {
        parts.meta = within(value, metaMembers, (key, item) => {
          const end = scan.value(item, depth + 2);
          if (key === 'traceparent' || key === 'tracestate') trace.set(key, [item, end]);
          return end;
        });
        return parts.meta.end;
      }
      if (name === 'ref') {
        parts.ref = within(value, refMembers);
        return parts.ref.end;
      }
      if (name === 'notifications') {
        parts.notifications = within(value, notificationsMembers);
        return parts.notifications.end;
      }
      return scan.value(value, depth + 1);
    });
    return { ...found, ...parts, trace, inner };
  }

  #text(span: Span | undefined): string | undefined {
    if (!span || this.#scan.text.charAt(span[0]) !== '"') return undefined;
    return this.#scan.textOf(...span);
  }

  #id(span: Span | undefined): MessageId | null {
    const text = this.#text(span);
    if (text !== undefined || !span) return text ?? null;
    const first = this.#scan.text.charAt(span[0]);
    return first === '-' || (first >= '0' && first <= '9') ? Number(this.#scan.text.slice(...span)) : null;
  }
}

/** The params of a message, and the objects in them that decide on something. */
interface Params extends Found {
  readonly meta?: Found;
  readonly ref?: Found;
  readonly notifications?: Found;
  readonly trace: ReadonlyMap<string, Span>;
  /** The first member of those objects that can be read in two ways. */
  readonly inner: string | undefined;
}

function noMessage(): CallFault {
  return fault('bad_request', 'The body is not a JSON-RPC 2.0 message.', invalidRequest);
}

function refusal(message: string): Refused {
  return new Refused(fault('bad_request', message, invalidRequest));
}

function fault(code: FailureCode, message: string, rpcCode: number, id: MessageId | null = null): CallFault {
  return { is: 'fault', code, message, rpcCode, id };
}
