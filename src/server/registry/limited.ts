import { accessOf, type Grants } from '../access/grants.ts';
import { Failure } from '../failure/errors.ts';
import type { Identity } from '../identity/identity.ts';
import { commandLineClient } from '../oauth/metadata.ts';

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

/**
 * Refuses what lasts longer than the access of a program that asks for it, to each program but the gateway's own command line:
 * a person who ends its access would not end that.
 */
export function assertEndsWithAccess({ method, clientId }: Identity, words: string): void {
  if (method !== 'oauth' || clientId === commandLineClient) return;
  throw new Failure(
    'not_allowed',
    `A program that you signed in from may not ${words}, because that would last longer than its access. Use the web interface or the mcp-gateway command.`,
  );
}
