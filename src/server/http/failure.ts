import type { Context } from 'hono';
import type { Problem } from '../../contract/problem.ts';
import { asFailure, type Failure, failures } from '../failure/errors.ts';
import type { Log } from '../log.ts';
import type { HttpEnv } from './env.ts';

/** The problem document of a failure (RFC 9457). */
export function problemOf(failure: Failure, correlationId: string): Problem {
  return {
    type: `urn:mcp-gateway-registry:failure:${failure.code}`,
    title: failures[failure.code].title,
    status: failure.status,
    code: failure.code,
    detail: failure.message,
    correlation_id: correlationId,
    ...(failure.faults.length > 0 ? { errors: [...failure.faults] } : {}),
  };
}

/** The one place that turns an error into an answer; what the caller may not know goes to the log only. */
export function answerFailure(c: Context<HttpEnv>, error: unknown, log: Log, challenge: string): Response {
  const failure = asFailure(error);
  const correlationId = c.get('correlationId');
  const facts = { correlation_id: correlationId, code: failure.code, err: failure.cause };
  if (failure.status >= 500) log.error(facts, failure.message);
  else log.debug(facts, failure.message);
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'x-correlation-id': correlationId,
  };
  if (failure.status === 401) headers['www-authenticate'] = challenge;
  const wait = failure.retryAfter ?? (failure.status === 503 ? 5 : undefined);
  if (wait !== undefined) headers['retry-after'] = String(wait);
  if (failure.status === 413 || failure.status === 408) headers.connection = 'close';
  c.set('failure', failure);
  return new Response(JSON.stringify(problemOf(failure, correlationId)), { status: failure.status, headers });
}
