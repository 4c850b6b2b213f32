import { compress } from 'hono/compress';
import { createMiddleware } from 'hono/factory';
import type { HttpEnv } from './env.ts';

/**
 * Compresses what is read from the API where the client takes it: lists shrink to a tenth. Event streams pass as they are,
 * and so does what holds a secret beside text that a caller chose (`/api/auth/`, tokens), whose length would tell of it.
 */
export function compressed() {
  const gzip = compress({ encoding: 'gzip' });
  return createMiddleware<HttpEnv>(async (c, next) => {
    const { method, path } = c.req;
    const isPlain = method !== 'GET' || path.startsWith('/api/auth/') || path.startsWith('/api/tokens');
    return isPlain ? next() : gzip(c, next);
  });
}
