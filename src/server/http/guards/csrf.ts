import { Failure } from '../../failure/errors.ts';
import { sameSecret } from '../../identity/keys.ts';

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
