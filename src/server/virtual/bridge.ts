import { createHash } from 'node:crypto';
import { Failure } from '../failure/errors.ts';
import type { Exchange } from '../gateway/exchange.ts';
import type { MessageId } from '../gateway/read/read-call.ts';
import { seal, unseal } from '../identity/keys.ts';
import {
  answerMs,
  type BridgedCall,
  type CallsWorld,
  type createParked,
  legacySink,
  modernSink,
  startCall,
} from './calls.ts';
import type { MemberWorld } from './member.ts';
import type { ReachableMember } from './members.ts';
import type { ClientSession, MemberSessions } from './sessions.ts';
import { legacySource, type MemberCall, modernSource, type Sent, sseSource } from './sources.ts';
import type { createSseLinks } from './sse-link.ts';
import { invalidParams, type JsonObject, metaKeys, objectIn, RpcError } from './wire.ts';

/** What calls across eras are made with. */
export interface BridgeWorld extends MemberWorld, CallsWorld {
  /** 32 bytes; the same in all processes. */
  readonly key: Buffer;
  readonly sessions: MemberSessions;
  readonly links: ReturnType<typeof createSseLinks>;
  readonly parked: ReturnType<typeof createParked>;
}

/** One call of a client at a member that does not speak as the client does. */
export interface Bridged {
  readonly exchange: Exchange;
  readonly id: MessageId;
  readonly member: ReachableMember;
  readonly sent: Sent;
  /** Who calls and through which virtual server; what one holder is given no other can use. */
  readonly holder: string;
}

/** A call of a client of the eras before, with its session; undefined where it has none. */
export function bridgeLegacy(
  world: BridgeWorld,
  bridged: Bridged,
  session: ClientSession | undefined,
): BridgedCall {
  const { exchange, id, member, sent, holder } = bridged;
  const client = { capabilities: session?.capabilities ?? {}, client: session?.client ?? {} };
  const source: MemberCall =
    member.speaks === 'modern'
      ? modernSource(world, exchange, member.target, sent, client)
      : sseSource(
          () => world.links(session?.key ?? holder, exchange, member.target, client),
          sent,
          world.waitFor(exchange.asked, member.target.route),
        );
  let call: BridgedCall | undefined;
  const sink = legacySink(world, exchange, id, session?.key ?? '', () => call);
  call = startCall(world, source, sink);
  watch(exchange, () => {
    sink.gone();
    call?.cancel();
  });
  return call;
}

/** A call of a client of 2026-07-28 at a member of the eras before; a call that goes on where a question ended it, too. */
export function bridgeModern(world: BridgeWorld, bridged: Bridged): void {
  const { exchange, id, sent } = bridged;
  const { requestState, inputResponses, ...params } = sent.params;
  const meta = objectIn(params, '_meta');
  const capabilities = objectIn(meta, metaKeys.capabilities);
  const bound = boundTo(bridged, { ...sent, params });
  let call: BridgedCall | undefined;
  let elsewhere: Place | undefined;
  const sink = modernSink(exchange, id, {
    wantsLog: meta[metaKeys.logLevel] !== undefined,
    cacheable: sent.method === 'resources/read',
    park(key) {
      exchange.passage = undefined;
      const place = elsewhere ?? (call && parkHere(world, call, key));
      if (!place) throw new Failure('internal', 'A question came before its call.');
      const state: State = { ...place, k: key, at: world.now() };
      return seal(world.key, JSON.stringify(state), bound);
    },
  });
  if (requestState === undefined) {
    const source = sourceFor(world, bridged, capabilities, {
      ...sent,
      params: { ...params, _meta: legacyMeta(meta) },
    });
    call = startCall(world, source, sink);
  } else {
    const state = openState(world, bound, requestState);
    const response = replyIn(inputResponses);
    call = world.parked.take(state.c);
    if (!call) {
      const left = new AbortController();
      watch(exchange, () => {
        sink.gone();
        left.abort();
      });
      void goOnElsewhere(world, state, response, left.signal, sink, (place) => {
        elsewhere = place;
      });
      return;
    }
    call.attach(sink);
    call.reply(state.k, response);
  }
  watch(exchange, () => {
    sink.gone();
    call?.cancel();
  });
}

/** Keeps a call until its client calls again, whichever process that reaches. */
function parkHere(world: BridgeWorld, call: BridgedCall, key: string): Place {
  call.detach();
  awaitReply(world, call, key);
  return { c: call.id, n: call.posted() + 1 };
}

/** Takes the reply that another process was given; what comes then is that one's to pass on. */
function awaitReply(world: BridgeWorld, call: BridgedCall, key: string): void {
  const taken = world.parked.add(call);
  void world.mailbox.wait(`answer ${call.id} ${key}`, answerMs, taken).then((message) => {
    if (!message || world.parked.take(call.id) !== call) return;
    call.leave((next) => awaitReply(world, call, next));
    call.reply(key, objectIn(message, 'response'));
  });
}

/** Where a call is to be found: its id, and the number of the next message that it posts for other processes. */
interface Place {
  readonly c: string;
  readonly n: number;
}

/** Where a call that asked something goes on: its place and its question. */
interface State extends Place {
  readonly k: string;
  readonly at: number;
}

/** The state is the client's to keep, so it opens for the same caller and the same call only. */
function boundTo({ holder, member }: Bridged, { method, params }: Sent): string {
  const { _meta, ...asked } = params;
  const digest = createHash('sha256')
    .update(JSON.stringify([method, asked]))
    .digest('hex');
  return `${holder} ${member.route.id} ${digest}`;
}

function openState({ key, now }: BridgeWorld, bound: string, given: unknown): State {
  try {
    const state = JSON.parse(unseal(key, String(given), bound)) as State;
    if (now() - state.at < answerMs) return state;
  } catch {
    // Changed, another's, or of another call.
  }
  throw new RpcError(
    invalidParams,
    'The requestState is not valid for this call, or no longer valid; repeat the call.',
    {
      status: 400,
    },
  );
}

function replyIn(inputResponses: unknown): JsonObject {
  const reply = objectIn({ inputResponses }, 'inputResponses').question;
  if (reply === undefined)
    throw new RpcError(invalidParams, "The call asked for 'question'; send its reply in inputResponses.", {
      status: 400,
    });
  return { result: reply };
}

/** How long the process that has a call may take to say that it goes on, in milliseconds. */
const goesOnMs = 15_000;

/** The call is in another process: the reply goes there, and what comes of it arrives, by the mailbox. */
async function goOnElsewhere(
  { mailbox }: BridgeWorld,
  { c, n, k }: State,
  response: JsonObject,
  left: AbortSignal,
  sink: ReturnType<typeof modernSink>,
  asks: (place: Place) => void,
): Promise<void> {
  try {
    await mailbox.post(`answer ${c} ${k}`, { response });
    let limitMs = goesOnMs;
    for (let at = n; ; at += 1) {
      const next = await mailbox.wait(`call ${c} ${at}`, limitMs, left);
      if (left.aborted) return;
      if (!next) break;
      limitMs = answerMs;
      if ('response' in next) return sink.response(objectIn(next, 'response'));
      if ('request' in next) {
        const { key, method, params } = objectIn(next, 'request');
        asks({ c, n: at + 1 });
        return sink.request(String(key), String(method), objectIn({ params }, 'params'));
      }
      if ('notification' in next) sink.notification(objectIn(next, 'notification'));
    }
    sink.failed(new Failure('upstream_invalid', 'The call cannot continue here; repeat it.'));
  } catch (error) {
    sink.failed(
      error instanceof Failure
        ? error
        : new Failure('internal', 'The call cannot continue.', { cause: error }),
    );
  }
}

function sourceFor(
  world: BridgeWorld,
  { exchange, member, holder }: Bridged,
  capabilities: JsonObject,
  sent: Sent,
): MemberCall {
  const owner = JSON.stringify([holder, capabilities]);
  if (member.speaks === 'sse')
    return sseSource(
      () => world.links(owner, exchange, member.target, { capabilities, client: {} }),
      sent,
      world.waitFor(exchange.asked, member.target.route),
    );
  return legacySource(world, exchange, member.target, sent, (fresh) =>
    world.sessions.forCalls(exchange, holder, capabilities, member.target, fresh),
  );
}

/** What of `_meta` earlier versions know: not what they said in `initialize`. */
function legacyMeta(meta: JsonObject): JsonObject {
  const own: readonly string[] = Object.values(metaKeys);
  return Object.fromEntries(Object.entries(meta).filter(([name]) => !own.includes(name)));
}

/** Silent streams get comments, and who leaves is noticed. */
function watch(exchange: Exchange, left: () => void): void {
  const { res } = exchange;
  exchange.passage = {
    tend({ comments }) {
      if (comments && res.headersSent && !res.writableEnded && !res.writableNeedDrain)
        res.write(': keep-alive\n\n');
    },
    hangUp: left,
  };
}
