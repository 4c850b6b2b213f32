import type { Db } from '../../db/tables.ts';
import { hashOf, seal, unseal } from '../keys.ts';

/** How long somebody may take at the provider, in milliseconds. */
export const attemptLasts = 600_000;

/** The beginning of the names of attempts' cookies. */
export const attemptCookiePrefix = 'mcp_gateway_login_';

/** A sign-in under way, as its browser holds it: sealed, so that only this gateway can read or change it. */
export interface Attempt {
  /** Where the person was sent to; nobody else may finish the attempt. */
  readonly provider: string;
  readonly redirectUri: string;
  readonly nonce: string;
  /** Of PKCE (RFC 7636). */
  readonly verifier: string;
  /** A path of ours. */
  readonly returnTo: string;
  /** Whether a claims challenge is what this attempt is for. */
  readonly isForClaims: boolean;
  /** When it is over, in milliseconds since 1970. */
  readonly until: number;
}

/** One cookie an attempt, so that sign-ins in several tabs do not disturb each other. */
export function attemptCookie(state: string): string {
  return `${attemptCookiePrefix}${hashOf(state).slice(0, 12)}`;
}

/** The cookie's value; it can only be opened together with the `state` that it was sealed with. */
export function sealAttempt(key: Buffer, state: string, attempt: Attempt): string {
  return seal(key, JSON.stringify(attempt), holderOf(state));
}

/** What `sealAttempt` sealed for that state; undefined for anything else. */
export function openAttempt(key: Buffer, state: string, sealed: string | undefined): Attempt | undefined {
  return opened<Attempt>(key, sealed, holderOf(state));
}

/**
 * Marks the state as used; false when it was used before. Only what a browser has come back with is stored, so that
 * nobody can fill the table, or push out anybody's attempt, by starting sign-ins.
 */
export async function spendState(db: Db, state: string, { until }: Attempt): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('used_sign_ins')
    .values({ state_hash: hashOf(state), expires_at: new Date(until).toISOString() })
    .onConflict((conflict) => conflict.column('state_hash').doNothing())
    .executeTakeFirst();
  return Number(numInsertedOrUpdatedRows) > 0;
}

/** Why a sign-in failed, for the page of the browser in which it did. */
export interface KeptFault {
  /** A code that the sign-in page has words for. */
  readonly error: string;
  /** What we or the provider say about it; 1000 characters at most. */
  readonly details: string;
}

/** Bytes of a message that still fit into its cookie. */
const longestDetails = 2000;

/** The value of a cookie that only the page of this failure can have opened: its URL names the correlation id and nothing more. */
export function sealFault(key: Buffer, correlationId: string, { error, details }: KeptFault): string {
  let shown = details.slice(0, 1000);
  while (Buffer.byteLength(shown) > longestDetails) shown = shown.slice(0, -50);
  return seal(key, JSON.stringify({ error, details: shown }), `fault ${correlationId}`);
}

/** What `sealFault` sealed for that correlation id; undefined for anything else. */
export function openFault(
  key: Buffer,
  correlationId: string,
  sealed: string | undefined,
): KeptFault | undefined {
  return opened<KeptFault>(key, sealed, `fault ${correlationId}`);
}

function opened<T>(key: Buffer, sealed: string | undefined, holder: string): T | undefined {
  if (!sealed) return undefined;
  try {
    return JSON.parse(unseal(key, sealed, holder)) as T;
  } catch {
    return undefined;
  }
}

function holderOf(state: string): string {
  return `attempt ${hashOf(state)}`;
}
