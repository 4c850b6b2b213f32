import { accessOf, type Grants } from '../access/grants.ts';
import { Failure } from '../failure/errors.ts';
import type { Identity } from '../identity/identity.ts';

/**
 * Refuses what is about everything of the owner (other tokens, sessions, connections) to a token that was limited to fewer
 * scopes than the owner has: it manages only itself. Administrators' powers are a scope, so a token that has them is not
 * limited in this sense.
 */
export function assertUnlimited({ groups, limitedTo }: Identity, grants: Grants, words: string): void {
  if (!limitedTo) return;
  const held = accessOf({ groups, limitedTo }, grants);
  if (held.isAdmin || held.scopes.length === accessOf({ groups }, grants).scopes.length) return;
  throw new Failure(
    'not_allowed',
    `This token is limited to ${held.scopes.map((scope) => `'${scope}'`).join(', ') || 'no scope'}, so it may not ${words}. Use a token with all of your scopes, or the web interface.`,
  );
}
