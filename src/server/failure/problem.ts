import type { Problem } from '../../contract/problem.ts';
import { type Failure, type FailureCode, failures } from './errors.ts';

/** The URI that names a kind of failure, the same in problem details and in JSON-RPC errors (RFC 9457, section 3.1.1). */
function typeOf(code: FailureCode): string {
  return `urn:mcp-gateway-registry:failure:${code}`;
}

/** The problem document of a failure (RFC 9457). */
export function problemOf(failure: Failure, correlationId: string): Problem {
  return {
    type: typeOf(failure.code),
    title: failures[failure.code].title,
    status: failure.status,
    code: failure.code,
    detail: failure.message,
    correlation_id: correlationId,
    ...(failure.faults.length > 0 ? { errors: [...failure.faults] } : {}),
  };
}

/**
 * The error object of a failure in JSON-RPC 2.0; `code` is the HTTP status where the protocol has no code of its own, and
 * `more` goes into `data` beside what every failure says.
 */
export function rpcErrorOf(
  failure: Failure,
  correlationId: string,
  code: number = failure.status,
  more: object = {},
): object {
  return {
    code,
    message: failure.message,
    data: { type: typeOf(failure.code), code: failure.code, correlation_id: correlationId, ...more },
  };
}

/** Failures of 401 at which no token was shown, so that none can be wrong (RFC 6750, section 3.1). */
const withoutToken: ReadonlySet<FailureCode> = new Set([
  'credential_missing',
  'sign_in_again',
  'sign_in_refused',
]);

/**
 * The headers that a failure has on either plane: `Retry-After` where it is known when to try again, and the challenge of
 * RFC 6750 with the resource metadata of RFC 9728. `scope` names all that the operation needs at once (MCP
 * authorization, "Step-Up Authorization Flow").
 */
export function headersOf(failure: Failure, metadataUrl: string, scope?: string): Record<string, string> {
  const headers: Record<string, string> = {};
  if (failure.retryAfter !== undefined) headers['Retry-After'] = String(failure.retryAfter);
  if (failure.status !== 401 && failure.code !== 'insufficient_scope') return headers;
  const error = failure.status === 401 ? 'invalid_token' : 'insufficient_scope';
  headers['WWW-Authenticate'] = [
    `Bearer resource_metadata="${metadataUrl}"`,
    ...(withoutToken.has(failure.code) ? [] : [`error="${error}"`]),
    ...(scope === undefined ? [] : [`scope="${scope}"`]),
  ].join(', ');
  return headers;
}
