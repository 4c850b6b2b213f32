import type { JWTPayload } from 'jose';
import { Failure } from '../failure/errors.ts';

/** The registered claims (RFC 7519, section 4.1), which everything else relies on. */
const registered = {
  iss: isText,
  sub: isText,
  aud: (value) => isText(value) || (Array.isArray(value) && value.every(isText)),
  exp: Number.isFinite,
  nbf: Number.isFinite,
  iat: Number.isFinite,
  jti: isText,
} satisfies Record<string, (value: unknown) => boolean>;

/** The same claims, when the registered ones are of their types; throws `credential_invalid` otherwise. */
export function typedClaims(claims: Readonly<Record<string, unknown>>): JWTPayload {
  for (const [name, isRight] of Object.entries(registered))
    if (Object.hasOwn(claims, name) && !isRight(claims[name]))
      throw new Failure(
        'credential_invalid',
        `The token's claim '${name}' is not of the type that it has to be (RFC 7519, section 4.1).`,
      );
  return claims;
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

/** A claim that is a text with something in it; null for anything else. */
export function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** The texts of a claim that is a list; nothing of anything else. */
export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

/** A claim that is an object; an empty one for anything else. */
export function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** What is at a path of claims, such as `realm_access`, `roles`; only what the token itself has. */
export function claimAt(claims: object, path: readonly string[]): unknown {
  let found: unknown = claims;
  for (const name of path) {
    const at = record(found);
    found = Object.hasOwn(at, name) ? at[name] : undefined;
  }
  return found;
}

/**
 * The groups of a claim: a list of names, or a single one. Names stay as they are, case and slashes included; what is no
 * text counts for nothing.
 */
export function groupsIn(value: unknown): string[] {
  const names = typeof value === 'string' ? [value] : texts(value);
  return [...new Set(names.filter((name) => name !== ''))];
}
