import type { Context } from 'hono';
import { asFailure } from '../failure/errors.ts';
import { headersOf, problemOf } from '../failure/problem.ts';
import type { Log } from '../log.ts';
import type { HttpEnv } from './env.ts';

/** The one place that turns an error into an answer; what the caller may not know goes to the log only. */
export function answerFailure(c: Context<HttpEnv>, error: unknown, log: Log, metadataUrl: string): Response {
  const failure = asFailure(error);
  const correlationId = c.get('correlationId');
  const facts = { correlation_id: correlationId, code: failure.code, err: failure.cause };
  if (failure.status >= 500) log.error(facts, failure.message);
  else log.debug(facts, failure.message);
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'x-correlation-id': correlationId,
    ...headersOf(failure, metadataUrl),
  };
  if (failure.status === 413 || failure.status === 408) headers.connection = 'close';
  c.set('failure', failure);
  return new Response(JSON.stringify(problemOf(failure, correlationId)), { status: failure.status, headers });
}
