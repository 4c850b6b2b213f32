import type { Context, MiddlewareHandler } from 'hono';
import { compress } from 'hono/compress';
import { createMiddleware } from 'hono/factory';
import { asFailure } from '../failure/errors.ts';
import { headersOf, problemOf } from '../failure/problem.ts';
import type { Log } from '../log.ts';
import type { HttpEnv } from './env.ts';
import { contentSecurityPolicy } from './static-ui.ts';

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

/**
 * Compresses what is read from the API where the client takes it: lists shrink to a tenth. Event streams pass as they are,
 * and so does what holds a secret beside text that a caller chose (`/api/auth/`, tokens), whose length would tell of it.
 */
export function compressed() {
  // To compress a few kilobytes costs more than to send them.
  const gzip = compress({ encoding: 'gzip', threshold: 4096 });
  return createMiddleware<HttpEnv>(async (c, next) => {
    const { method, path } = c.req;
    const isPlain = method !== 'GET' || path.startsWith('/api/auth/') || path.startsWith('/api/tokens');
    return isPlain ? next() : gzip(c, next);
  });
}

/** Headers that tell a browser to distrust what it gets from here as much as possible. */
export function securityHeaders(https: boolean): MiddlewareHandler<HttpEnv> {
  const headers = Object.entries({
    'content-security-policy': contentSecurityPolicy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    ...(https ? { 'strict-transport-security': 'max-age=31536000' } : {}),
  });
  return async (c, next) => {
    await next();
    // What an endpoint says of itself stays.
    for (const [name, value] of headers) if (!c.res.headers.has(name)) c.res.headers.set(name, value);
  };
}
