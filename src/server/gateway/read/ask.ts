import { Failure } from '../../failure/errors.ts';
import type { BodyRoom } from '../../http/request/body-room.ts';
import type { Share } from '../../identity/shares.ts';
import type { Exchange } from '../exchange.ts';
import type { GatewayLimits } from '../limits.ts';
import { disagreement, mayBatch } from './agree.ts';
import { type AskedCall, invalidRequest, readCall } from './read-call.ts';
import { traceIn } from './trace.ts';

/** What a request asks, and the bytes that say so. */
export interface Asking {
  readonly asked: AskedCall;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly body: Buffer | null;
}

const stream: AskedCall = {
  is: 'asked',
  batch: false,
  messages: [{ kind: 'notification', id: null, method: '$stream' }],
};
const end: AskedCall = {
  is: 'asked',
  batch: false,
  messages: [{ kind: 'notification', id: null, method: '$end' }],
};

const json = /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

/** Reads what a request asks of a server: from its body, or from its method when it has none. */
export async function ask(
  exchange: Exchange,
  room: BodyRoom,
  share: Share,
  limits: GatewayLimits,
): Promise<Asking> {
  const { req, res } = exchange;
  if (req.method === 'GET') return { asked: note(exchange, stream), method: 'GET', body: null };
  if (req.method !== 'POST') return { asked: note(exchange, end), method: 'DELETE', body: null };
  checkEncoding(exchange);
  const { bytes: body, free } = await room.read(req, share, exchange.waitsToSend ? res : undefined);
  exchange.freeBody = free;
  const asked = readCall(body, limits.batchMessages);
  if (asked.is === 'fault') {
    exchange.messageId = asked.id;
    exchange.rpcCode = asked.rpcCode;
    throw new Failure(asked.code, asked.message);
  }
  note(exchange, asked);
  checkHeaders(exchange, asked);
  return { asked, method: 'POST', body };
}

function note(exchange: Exchange, asked: AskedCall): AskedCall {
  const [{ traceparent, tracestate }] = asked.messages;
  exchange.asked = asked;
  exchange.trace ??= traceIn(traceparent, tracestate);
  exchange.longLived = !asked.batch && isLongLived(asked.messages[0].method);
  return asked;
}

function isLongLived(method: string): boolean {
  return method === '$stream' || method === 'subscriptions/listen';
}

/** The server must read the very characters that are decided on: no compression, and no charset such as UTF-7. */
function checkEncoding({ req: { headers } }: Exchange): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw new Failure('unsupported_media_type', 'Send the body without a content encoding.');
  if (!json.test(headers['content-type'] ?? ''))
    throw new Failure('unsupported_media_type', 'Send the body as application/json in UTF-8.');
}

function checkHeaders(exchange: Exchange, asked: AskedCall): void {
  const { headers } = exchange.req;
  const version = oneOf(headers['mcp-protocol-version']);
  // The transport of 2024-11-05 knows none of these headers; what is there must still be true.
  const isLegacy = exchange.place?.endpoint === 'messages';
  if (asked.batch && !isLegacy && !mayBatch(version)) {
    exchange.rpcCode = invalidRequest;
    throw new Failure('bad_request', 'This protocol version has no batches.');
  }
  const method = oneOf(headers['mcp-method']);
  const repeated = { version: isLegacy ? undefined : version, method, name: oneOf(headers['mcp-name']) };
  const fault = disagreement(asked, repeated, !isLegacy);
  if (fault !== undefined) throw new Failure('header_mismatch', `Header mismatch: ${fault}.`);
}

function oneOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}
