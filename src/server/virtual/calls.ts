import { randomBytes } from 'node:crypto';
import type { Failure } from '../failure/errors.ts';
import { rpcErrorOf } from '../failure/problem.ts';
import type { Exchange } from '../gateway/exchange.ts';
import type { MessageId } from '../gateway/read/read-call.ts';
import { noteFailure, refuse, withServer } from '../gateway/refuse.ts';
import type { Mailbox } from './mailbox.ts';
import type { Emits } from './member.ts';
import type { MemberCall } from './sources.ts';
import {
  beginEvents,
  eventOf,
  type JsonObject,
  metaKeys,
  objectIn,
  responseText,
  sendMessage,
  serverInfo,
} from './wire.ts';

/** How long somebody may think about what a server asks, in milliseconds. */
export const answerMs = 10 * 60_000;

/** What a member says, as far as its client is told: the client's era decides how. */
interface Sink extends Emits {
  /** Called when the client has left. */
  gone(): void;
}

/** A call that is made message by message, because client and member do not speak the same. */
export interface BridgedCall {
  readonly id: string;
  /** How many messages were posted for other processes. */
  posted(): number;
  /** Whose answer it fills now; nobody's while the client is asked something and has to call again. */
  attach(sink: Sink): void;
  detach(): void;
  /** The client has called again at another process: whatever comes is posted, and `asked` is told of the next question. */
  leave(asked: (key: string) => void): void;
  reply(key: string, response: JsonObject): void;
  cancel(): void;
}

/** What calls are made with. */
export interface CallsWorld {
  readonly mailbox: Mailbox;
  readonly now: () => number;
}

/** The calls of this process that wait for their clients to call again, by id. */
export function createParked() {
  const parked = new Map<string, { call: BridgedCall; timer: NodeJS.Timeout; taken: AbortController }>();
  const take = (id: string): BridgedCall | undefined => {
    const found = parked.get(id);
    parked.delete(id);
    clearTimeout(found?.timer);
    found?.taken.abort();
    return found?.call;
  };
  return {
    /** Keeps a call; the signal says that it is here no more. */
    add(call: BridgedCall): AbortSignal {
      const taken = new AbortController();
      const timer = setTimeout(() => take(call.id)?.cancel(), answerMs).unref();
      parked.set(call.id, { call, timer, taken });
      return taken.signal;
    },
    take,
    close(): void {
      for (const id of [...parked.keys()]) take(id)?.cancel();
    },
  };
}

/** Starts a call at its source, for a sink. What comes while nobody is attached waits, and is posted for other processes. */
export function startCall({ mailbox }: CallsWorld, source: MemberCall, first: Sink): BridgedCall {
  const id = randomBytes(12).toString('base64url');
  let sink: Sink | undefined = first;
  let [waiting, posted]: [((to: Sink) => void)[], number] = [[], 0];
  let asked: ((key: string) => void) | undefined;
  const post = (message: JsonObject): void => {
    posted += 1;
    void mailbox.post(`call ${id} ${posted}`, message).catch(() => undefined);
  };
  const give = (say: (to: Sink) => void, message: JsonObject): void => {
    if (sink) {
      say(sink);
      return;
    }
    if (asked) {
      post(message);
      return;
    }
    // What is said while the client thinks is of no use to it later; what it has to know waits.
    if ('notification' in message) return;
    waiting.push(say);
    post(message);
  };
  source.start({
    notification: (message) => give((to) => to.notification(message), { notification: message }),
    request(key, method, params) {
      give((to) => to.request(key, method, params), { request: { key, method, params } });
      asked?.(key);
    },
    response: (message) => give((to) => to.response(message), { response: message }),
    failed: (failure) =>
      give((to) => to.failed(failure), {
        response: { error: { code: failure.status, message: failure.message } },
      }),
  });
  return {
    id,
    posted: () => posted,
    attach(to) {
      [sink, asked] = [to, undefined];
      const held = waiting;
      waiting = [];
      for (const say of held) say(to);
    },
    detach() {
      sink = undefined;
    },
    leave(to) {
      // What waited was posted too.
      [waiting, asked] = [[], to];
      post({ goesOn: true });
    },
    reply: source.reply,
    cancel: source.cancel,
  };
}

/** The answer to a client of the eras before: an event stream as soon as there is more than one message to it. */
export function legacySink(
  { mailbox }: CallsWorld,
  exchange: Exchange,
  id: MessageId,
  session: string,
  callOf: () => BridgedCall | undefined,
): Sink {
  const { res } = exchange;
  const left = new AbortController();
  let [begun, asked] = [false, 0];
  const write = (text: string): void => {
    if (res.destroyed || res.writableEnded) return;
    if (!begun) beginEvents(exchange);
    begun = true;
    res.write(eventOf(text));
  };
  return {
    notification: (message) => write(JSON.stringify(message)),
    request(key, method, params) {
      asked += 1;
      const call = callOf()?.id ?? '';
      const name = `${call}.${asked}`;
      // The client may reply to any process; the mark shows that it was asked.
      const question = `c.${name}.${mailbox.mark(session, name)}`;
      write(JSON.stringify({ jsonrpc: '2.0', id: question, method, params }));
      void mailbox.wait(`reply ${session} ${name}`, answerMs, left.signal).then((response) => {
        if (response) callOf()?.reply(key, response);
        else callOf()?.reply(key, { error: { code: -32603, message: 'The client did not reply.' } });
      });
    },
    response(message) {
      const text = JSON.stringify({ jsonrpc: '2.0', id, ...outcome(message) });
      left.abort();
      if (!begun) return sendMessage(exchange, text);
      write(text);
      res.end();
    },
    failed(failure) {
      left.abort();
      endFailed(exchange, id, failure, begun);
    },
    gone: () => left.abort(),
  };
}

/** What a question of a member becomes for a client of 2026-07-28: the end of this answer, and how to go on. */
export type ParkState = (key: string) => string;

/** The answer to a client of 2026-07-28: a question of the member ends it, and the client calls again with the reply. */
export function modernSink(
  exchange: Exchange,
  id: MessageId,
  { wantsLog, park, cacheable }: { wantsLog: boolean; park: ParkState; cacheable: boolean },
): Sink {
  const { res } = exchange;
  let begun = false;
  let over = false;
  const write = (text: string): void => {
    if (res.destroyed || res.writableEnded || over) return;
    if (!begun) beginEvents(exchange);
    begun = true;
    res.write(eventOf(text));
  };
  const finish = (text: string): void => {
    if (over) return;
    if (begun) {
      write(text);
      res.end();
    } else sendMessage(exchange, text);
    over = true;
  };
  return {
    notification(message) {
      const { method } = message;
      // Changes of lists are told where they were subscribed to; logs only to who asks for them.
      if (method === 'notifications/message' ? wantsLog : method === 'notifications/progress')
        write(JSON.stringify(message));
    },
    request(key, method, params) {
      const requestState = park(key);
      const inputRequests = { question: { method, params } };
      finish(responseText(id, { resultType: 'input_required', inputRequests, requestState }));
    },
    response(message) {
      const { error } = message;
      if (error !== undefined)
        return finish(JSON.stringify({ jsonrpc: '2.0', id, error: modernError(error) }));
      const result = objectIn(message, 'result');
      const more = cacheable ? { ttlMs: 0, cacheScope: 'private' } : {};
      const _meta = { [metaKeys.server]: serverInfo, ...objectIn(result, '_meta') };
      finish(responseText(id, { resultType: 'complete', ...more, ...result, _meta }));
    },
    failed(failure) {
      if (!over) endFailed(exchange, id, failure, begun);
      over = true;
    },
    gone() {
      over = true;
    },
  };
}

/** Codes that 2026-07-28 has others for. */
function modernError(error: unknown): unknown {
  const code = objectIn({ error }, 'error').code;
  return code === -32002 ? { ...objectIn({ error }, 'error'), code: -32602 } : error;
}

function outcome(message: JsonObject): JsonObject {
  return 'error' in message ? { error: message.error } : { result: message.result ?? {} };
}

function endFailed(exchange: Exchange, id: MessageId, failure: Failure, begun: boolean): void {
  if (exchange.res.destroyed || exchange.res.writableEnded) return;
  if (!begun) {
    refuse(exchange, failure);
    return;
  }
  noteFailure(exchange, failure);
  const error = rpcErrorOf(withServer(exchange, failure), exchange.id);
  exchange.res.end(eventOf(JSON.stringify({ jsonrpc: '2.0', id, error })));
}
