import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AuditEvent, auditIdentity } from '../audit/event.ts';
import type { Failure } from '../failure/errors.ts';
import type { Identity } from '../identity/identity.ts';
import type { Route } from '../registry/servers/route.ts';
import type { Place } from './read/place.ts';
import type { AskedCall, Message, MessageId } from './read/read-call.ts';
import { type Trace, traceIn } from './read/trace.ts';
import type { Opening } from './sessions/openings.ts';
import type { Tended } from './sessions/tend.ts';

/** The answer on its way. */
interface Passage extends Tended {
  hangUp(): void;
  /** Puts a message of the gateway's own on an event stream; false when that cannot be done. */
  say?(message: string): boolean;
}

/** One HTTP request of a client and its answer, with each fact noted as it becomes known. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** The correlation id: in the answer's header, in refusals, in the log and in the audit record. */
  readonly id: string;
  readonly startedAt: number;
  /** The client's own trace: its header's, else the one that the message says. */
  trace?: Trace | undefined;
  place?: Place | undefined;
  identity?: Identity | undefined;
  /** When it was last found out who it is, in milliseconds since 1970. */
  identifiedAt: number;
  /** What the identity may do, and the server as it was, when the request was allowed. */
  rights?: object | undefined;
  route?: Route | undefined;
  asked?: AskedCall | undefined;
  /** The virtual server that a call came through, and the name that the tool has there. */
  via?: { readonly server: string; readonly alias: string | undefined } | undefined;
  /** Whether a call that came through one is still allowed, by the rights of the moment. */
  stillAllowed?: ((identity: Identity) => boolean) | undefined;
  /** What else the audit record says. */
  noted?: Readonly<Record<string, unknown>> | undefined;
  /** Whether the client shows people addresses to open (elicitation in URL mode, MCP 2025-11-25 and later). */
  showsUrls?: boolean | undefined;
  /** Where the way to sign in is described. */
  challenge?: string | undefined;
  /** The id and the JSON-RPC code to answer with when the body could not be read whole. */
  messageId?: MessageId | null;
  rpcCode?: number | undefined;
  decision: AuditEvent['decision'];
  reason?: string | undefined;
  failure?: Failure | undefined;
  /** The answer goes on until somebody ends it: a stream, as against a call. */
  longLived: boolean;
  /** The client sends its body only when it is told to (`Expect: 100-continue`). */
  waitsToSend: boolean;
  /** Its place among the exchanges in flight. */
  seat: number;
  /** The stream of a session that it opens; calls behind it wait for the server's answer. */
  opening?: Opening | undefined;
  /** Gives back the identity's seat, and the room that the body took. */
  leave?: (() => void) | undefined;
  freeBody?: (() => void) | undefined;
  /** The answer on its way. */
  passage?: Passage | undefined;
  /** A stream of the older transport: the ticket in the address that the client posts its messages to. */
  ticket?: string | undefined;
  /** A message of the older transport: answers it on the stream of its session; absent when that is not here. */
  say?: ((message: string) => boolean) | undefined;
}

/** Begins to note a request. Until something is decided it counts as failed. */
export function beginExchange(
  req: IncomingMessage,
  res: ServerResponse,
  id: string,
  startedAt: number,
  waitsToSend = false,
): Exchange {
  const trace = traceIn(req.headers.traceparent);
  return {
    req,
    res,
    id,
    startedAt,
    trace,
    decision: 'error',
    waitsToSend,
    longLived: false,
    seat: -1,
    identifiedAt: startedAt,
  };
}

let lastIso = { at: -1, text: '' };

/** ISO 8601, made once a millisecond: many requests share it. */
function isoText(at: number): string {
  if (at !== lastIso.at) lastIso = { at, text: new Date(at).toISOString() };
  return lastIso.text;
}

// Names come from the caller; the record keeps as much of them as tells one from another.
const kept = 200;

/** The audit record of a finished exchange. */
export function auditEvent(exchange: Exchange, clientIp: string | null, endedAt: number): AuditEvent {
  const { identity, asked, req, res, failure, via } = exchange;
  const [first] = asked?.messages ?? [];
  return {
    kind: 'mcp',
    at: isoText(exchange.startedAt),
    correlationId: exchange.id,
    who: identity ? auditIdentity(identity) : null,
    clientIp,
    action: (asked?.batch ? 'batch' : (first?.method ?? req.method ?? '')).slice(0, kept),
    resource: exchange.place?.server ?? null,
    tool: asked?.batch ? undefined : first?.tool?.slice(0, kept),
    decision: exchange.decision,
    reason: exchange.reason,
    // What is refused as a call, or fails at one member, has status 200 on its way; the record says what it amounts to.
    status:
      failure && (failure.status === 403 || via) ? failure.status : res.headersSent ? res.statusCode : 0,
    durationMs: endedAt - exchange.startedAt,
    detail: detailOf(exchange),
  };
}

/**
 * What else is told: the client's own trace (one that the gateway makes has the correlation id), the parts of a batch, the
 * prompt or resource.
 */
function detailOf({ asked, trace, via, noted }: Exchange): AuditEvent['detail'] {
  const first = asked?.messages[0];
  const item = first?.prompt ?? first?.resource;
  if (trace === undefined && !asked?.batch && item === undefined && !via && !noted) return undefined;
  return {
    ...(via ? { virtual_server: via.server, alias: via.alias?.slice(0, kept) } : {}),
    ...noted,
    ...(trace === undefined ? {} : { trace_id: trace.traceId, parent_span_id: trace.parentSpanId }),
    ...(asked?.batch ? { batch: asked.messages.map(named) } : itemIn(first)),
  };
}

function named(message: Message): object {
  const { method, tool } = message;
  return {
    method: method.slice(0, kept),
    ...(tool === undefined ? {} : { tool: tool.slice(0, kept) }),
    ...itemIn(message),
  };
}

function itemIn(message: Message | undefined): object {
  const { prompt, resource } = message ?? {};
  return {
    ...(prompt === undefined ? {} : { prompt: prompt.slice(0, kept) }),
    ...(resource === undefined ? {} : { uri: resource.slice(0, kept) }),
  };
}
