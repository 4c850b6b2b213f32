import type { MiddlewareHandler } from 'hono';
import type { Config } from '../../config/config.ts';
import { Failure } from '../../failure/errors.ts';
import { sameSecret } from '../../identity/keys.ts';
import type { HttpEnv } from '../env.ts';
import { requireOnce } from '../request/once.ts';

/** Refuses a change made in a browser session without that session's CSRF token. */
export function requireCsrf(given: string | null | undefined, expected: string): void {
  if (!given)
    throw new Failure(
      'csrf_failed',
      'CSRF validation failed: no token provided. Send X-CSRF-Token (see /api/auth/me).',
    );
  if (!sameSecret(given, expected))
    throw new Failure('csrf_failed', 'CSRF validation failed: invalid token.');
}

/** Refuses requests for other hosts (DNS rebinding) and changes that another site's page makes in the browser. */
export function originGuard(
  config: Pick<Config, 'allowedHosts' | 'allowedOrigins'>,
): MiddlewareHandler<HttpEnv> {
  const [hosts, origins] = [new Set(config.allowedHosts), new Set(config.allowedOrigins)];
  return async (c, next) => {
    requireOnce(c.env?.incoming?.rawHeaders ?? []);
    const host = c.req.header('host')?.toLowerCase() ?? '';
    // Probes come by address, and learn nothing but whether this process is well.
    const isProbe = c.req.method === 'GET' && /^\/(?:health|healthz|readyz)$/.test(c.req.path);
    if (!isProbe && !hosts.has(host))
      throw new Failure('host_refused', 'This host name is not served here; REGISTRY_URL says which one is.');
    const origin = c.req.header('origin');
    // A preflight changes nothing; what it asks for is guarded by itself.
    const changes = !['GET', 'HEAD', 'OPTIONS'].includes(c.req.method);
    if (changes && origin !== undefined && !origins.has(origin))
      throw new Failure('origin_refused', 'Requests from this origin are refused; see ALLOWED_ORIGINS.');
    await next();
  };
}
