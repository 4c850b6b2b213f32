import { isObject } from '../../contract/values/json.ts';
import { Failure } from '../failure/errors.ts';
import type { Exchange } from '../gateway/exchange.ts';
import { headerValue } from '../gateway/read/agree.ts';
import type { Target } from '../gateway/route.ts';
import {
  askMember,
  callHeaders,
  type Emits,
  lateFailure,
  type MemberWorld,
  modernHeaders,
  sessionHeaders,
  type Wait,
} from './member.ts';
import type { MemberSession } from './sessions.ts';
import type { SseLink } from './sse-link.ts';
import { type JsonObject, metaKeys, modern, objectIn } from './wire.ts';

/** One call at a member, whichever protocol it speaks. */
export interface MemberCall {
  start(emits: Emits): void;
  /** The client's `{result}` or `{error}` to a question. */
  reply(key: string, response: JsonObject): void;
  /** Nobody waits for the answer any more. */
  cancel(): void;
}

/** A call as it goes to the member: method, and params with the member's own names. */
export interface Sent {
  readonly method: string;
  readonly params: JsonObject;
  /** What `Mcp-Name` says of it. */
  readonly name: string | undefined;
  /** The schema of the tool's arguments, for those that headers repeat. */
  readonly inputSchema?: JsonObject | undefined;
}

/** Whether a notification is one of this call, or of none: a client knows progress by its token, whoever tells of it. */
function concerns({ params }: Sent, message: JsonObject): boolean {
  if (message.method === 'notifications/cancelled') return false;
  if (message.method !== 'notifications/progress') return true;
  const said = objectIn(message, 'params').progressToken;
  return said === undefined || said === objectIn(params, '_meta').progressToken;
}

/** Rounds of questions in one call. */
const mostRounds = 20;

/** A call at a member of 2026-07-28, for a client of the eras before: its questions come as a result, and replies with a retry. */
export function modernSource(
  world: MemberWorld,
  exchange: Exchange,
  target: Target,
  sent: Sent,
  client: { capabilities: JsonObject; client: JsonObject },
): MemberCall {
  let abort: (() => void) | undefined;
  let emits: Emits;
  let rounds = 0;
  let over = false;
  let [open, replies]: [Set<string>, JsonObject] = [new Set(), {}];
  let state: unknown;
  const meta = {
    ...objectIn(sent.params, '_meta'),
    [metaKeys.version]: modern,
    [metaKeys.capabilities]: client.capabilities,
    [metaKeys.client]: { name: 'client', version: '0', ...client.client },
    // What was said by logging/setLevel is not known here; servers send what is worth reading.
    [metaKeys.logLevel]: 'info',
  };
  const wait = world.waitFor(exchange.asked, target.route);
  const headers = [...modernHeaders(sent.method, sent.name), ...paramHeaders(sent)];
  const send = (more: JsonObject): void => {
    const params = { ...sent.params, ...more, _meta: meta };
    const body = JSON.stringify({ jsonrpc: '2.0', id: `call-${rounds}`, method: sent.method, params });
    let answer: JsonObject | undefined;
    abort = askMember(
      world,
      target,
      { method: 'POST', headers: callHeaders(world, exchange, target, headers), body, wait },
      {
        onMessage(message) {
          if ('result' in message || 'error' in message) answer = message;
          else if (typeof message.method === 'string' && concerns(sent, message)) emits.notification(message);
        },
        onEnd(failure) {
          if (over) return;
          if (failure) return emits.failed(failure);
          if (!answer)
            return emits.failed(
              new Failure('upstream_invalid', 'The server ended its response without a result.'),
            );
          const result = objectIn(answer, 'result');
          if (result.resultType !== 'input_required') return emits.response(answer);
          ask(result);
        },
      },
    );
  };
  const ask = (result: JsonObject): void => {
    rounds += 1;
    state = result.requestState;
    const questions = Object.entries(objectIn(result, 'inputRequests'));
    [open, replies] = [new Set(questions.map(([key]) => key)), {}];
    if (rounds > mostRounds)
      emits.failed(new Failure('upstream_invalid', `The server asks more than ${mostRounds} times.`));
    else if (open.size === 0) send(state === undefined ? {} : { requestState: state });
    else
      for (const [key, question] of questions)
        emits.request(key, String(objectIn({ question }, 'question').method), objectIn(question, 'params'));
  };
  return {
    start(to) {
      emits = to;
      send({});
    },
    reply(key, response) {
      if (!open.delete(key)) return;
      if ('error' in response) {
        // There is no way to say that a client could not: the call ends with what it said.
        over = true;
        return emits.response({ error: response.error });
      }
      replies[key] = response.result;
      if (open.size === 0)
        send({ inputResponses: replies, ...(state === undefined ? {} : { requestState: state }) });
    },
    cancel() {
      over = true;
      abort?.();
    },
  };
}

/** Arguments that the schema of a tool wants repeated in headers (MCP 2026-07-28, `x-mcp-header`). */
function paramHeaders({ inputSchema, params }: Sent): string[] {
  const found: string[] = [];
  const look = (schema: JsonObject, value: unknown, depth: number): void => {
    for (const [name, sub] of Object.entries(objectIn(schema, 'properties'))) {
      const one = isObject(value) ? value[name] : undefined;
      if (!isObject(sub) || one === undefined || depth > 8) continue;
      const header = sub['x-mcp-header'];
      if (typeof header === 'string' && /^[A-Za-z0-9-]{1,64}$/.test(header) && typeof one !== 'object')
        found.push(`mcp-param-${header.toLowerCase()}`, headerValue(String(one)));
      look(sub, one, depth + 1);
    }
  };
  if (inputSchema) look(inputSchema, params.arguments, 0);
  return found;
}

/** Opens the session of a call; `fresh`: the one that is known is not any more. */
export type OpenFor = (fresh?: MemberSession) => Promise<MemberSession>;

/** A call at a member of the eras before over streamable HTTP: its questions are requests on the stream of the answer. */
export function legacySource(
  world: MemberWorld,
  exchange: Exchange,
  target: Target,
  sent: Sent,
  open: OpenFor,
): MemberCall {
  let [abort, session, over]: [(() => void) | undefined, MemberSession | undefined, boolean] = [
    undefined,
    undefined,
    false,
  ];
  const headersOf = (of: MemberSession): string[] => callHeaders(world, exchange, target, sessionHeaders(of));
  const post = (message: JsonObject): void => {
    if (!session) return;
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    askMember(
      world,
      target,
      { method: 'POST', headers: headersOf(session), body },
      { onMessage() {}, onEnd() {} },
    );
  };
  const begin = async (emits: Emits, fresh?: MemberSession): Promise<void> => {
    const current = await open(fresh);
    if (over) return;
    session = current;
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: exchange.id,
      method: sent.method,
      params: sent.params,
    });
    let [answered, gone] = [false, false];
    const wait = world.waitFor(exchange.asked, target.route);
    abort = askMember(
      world,
      target,
      { method: 'POST', headers: headersOf(current), body, wait },
      {
        onHead(status) {
          // The member forgot the session: one more try in a new one.
          gone =
            fresh === undefined &&
            current.id !== null &&
            (status === 404 || status === 400 || status === 410);
        },
        onMessage(message) {
          if (gone || over) return;
          if (typeof message.method !== 'string') {
            if (!('result' in message || 'error' in message)) return;
            answered = true;
            emits.response(message);
          } else if (message.id === undefined) {
            if (concerns(sent, message)) emits.notification(message);
          } else if (message.method === 'ping') post({ id: message.id, result: {} });
          else emits.request(JSON.stringify(message.id), message.method, objectIn(message, 'params'));
        },
        onEnd(failure) {
          if (over || answered) return;
          if (gone) return void begin(emits, current).catch((error) => emits.failed(asFailed(error)));
          emits.failed(
            failure ?? new Failure('upstream_invalid', 'The server ended its response without a result.'),
          );
        },
      },
    );
  };
  return {
    start: (emits) => void begin(emits).catch((error) => emits.failed(asFailed(error))),
    reply: (key, response) => post({ id: JSON.parse(key), ...outcomeIn(response) }),
    cancel() {
      over = true;
      post({
        method: 'notifications/cancelled',
        params: { requestId: exchange.id, reason: 'The client disconnected.' },
      });
      abort?.();
    },
  };
}

/** A call at a member that speaks HTTP+SSE of 2024-11-05, which has to say something of it within `wait`. */
export function sseSource(link: () => Promise<SseLink>, sent: Sent, wait: Wait): MemberCall {
  let current: SseLink | undefined;
  let [id, over]: [number | undefined, boolean] = [undefined, false];
  let timer: NodeJS.Timeout | undefined;
  const cancel = (): void => {
    over = true;
    clearTimeout(timer);
    if (id !== undefined) current?.cancel(id);
  };
  return {
    start(emits) {
      link()
        .then((opened) => {
          if (over) return;
          current = opened;
          timer = setTimeout(() => {
            cancel();
            emits.failed(lateFailure(wait));
          }, wait.ms);
          id = opened.call(
            sent.method,
            sent.params,
            onceHeard(emits, () => clearTimeout(timer)),
          );
        })
        .catch((error) => emits.failed(asFailed(error)));
    },
    reply: (key, response) => current?.send({ id: JSON.parse(key), ...outcomeIn(response) }),
    cancel,
  };
}

/** The same, told also when anything is heard. */
function onceHeard(emits: Emits, heard: () => void): Emits {
  return {
    notification(message) {
      heard();
      emits.notification(message);
    },
    request(key, method, params) {
      heard();
      emits.request(key, method, params);
    },
    response(message) {
      heard();
      emits.response(message);
    },
    failed(failure) {
      heard();
      emits.failed(failure);
    },
  };
}

/** A failure of any error. */
function asFailed(error: unknown): Failure {
  return error instanceof Failure
    ? error
    : new Failure('upstream_unreachable', 'The server could not be reached, or it closed the connection.', {
        cause: error,
      });
}

function outcomeIn(response: JsonObject): JsonObject {
  return 'error' in response ? { error: response.error } : { result: response.result ?? {} };
}
