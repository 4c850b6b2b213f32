import type { MiddlewareHandler } from 'hono';
import type { HttpEnv } from '../env.ts';
import { contentSecurityPolicy } from '../static-ui.ts';

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
