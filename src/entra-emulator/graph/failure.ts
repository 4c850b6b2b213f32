import { randomUUID } from 'node:crypto';
import type { Ask, Reply } from '../exchange.ts';
import type { World } from '../world.ts';

/** An error of Graph, thrown by whoever finds it and put into words in one place. */
export class GraphFailure extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: { code: string; target?: string; message: string }[];
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { details?: GraphFailure['details']; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = more.details ?? [];
    this.headers = more.headers ?? {};
  }
}

/** 404 for an object that is not there, or not there yet. */
export function notFound(id: string): GraphFailure {
  return new GraphFailure(
    404,
    'Request_ResourceNotFound',
    `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`,
  );
}

/** 400 for a request that makes no sense; `details` say which part. */
export function badRequest(message: string, details: GraphFailure['details'] = []): GraphFailure {
  return new GraphFailure(400, 'Request_BadRequest', message, { details });
}

/** 400 for a query that needs `ConsistencyLevel: eventual` and `$count=true`, or that directories do not support. */
export function unsupportedQuery(message: string): GraphFailure {
  return new GraphFailure(400, 'Request_UnsupportedQuery', message);
}

/** 403 for a caller without the permission. */
export function denied(): GraphFailure {
  return new GraphFailure(
    403,
    'Authorization_RequestDenied',
    'Insufficient privileges to complete the operation.',
  );
}

/** 501 for what Graph does and the emulator does not. */
export function missingFeature(feature: string): GraphFailure {
  return new GraphFailure(501, 'NotImplemented', `The Entra emulator does not do: ${feature}`);
}

/** The failure as Graph's error body. */
export function failureReply(world: World, ask: Ask, failure: GraphFailure): Reply {
  const requestId = randomUUID();
  const { code, message, details } = failure;
  const innerError = {
    date: new Date(world.clock.now()).toISOString().replace(/\.\d+Z$/, ''),
    'request-id': requestId,
    'client-request-id': ask.headers['client-request-id'] ?? requestId,
  };
  return {
    status: failure.status,
    headers: { 'request-id': requestId, ...failure.headers },
    body: { error: { code, message, ...(details.length ? { details } : {}), innerError } },
  };
}
