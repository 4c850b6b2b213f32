import { changing, keyOf } from '../changes/record.ts';
import type { Db } from '../db/tables.ts';
import { Failure } from '../failure/errors.ts';
import type { Owner } from './session-rows.ts';

/**
 * A provider's access token says what was true when it was issued, for an hour or more. A cutoff is what the gateway has
 * learnt since about its subject, a person or an application: from when on their tokens count at all, and their groups.
 */
export interface Cutoff {
  /** Tokens issued before this count no more; milliseconds since 1970. */
  readonly tokensBefore: number;
  /** The groups in tokens issued before this count no more. */
  readonly groupsBefore: number;
  /** The account was deleted: no token of its counts, whenever it was issued. */
  readonly isGone: boolean;
  /** Why, in words for the owner. */
  readonly because: string | null;
}

/** The cutoff of somebody; undefined when all their tokens count. */
export async function findCutoff(db: Db, { provider, subject }: Owner): Promise<Cutoff | undefined> {
  const row = await db
    .selectFrom('cutoffs')
    .selectAll()
    .where('provider', '=', provider)
    .where('subject', '=', subject)
    .executeTakeFirst();
  return (
    row && {
      tokensBefore: timeOf(row.tokens_before),
      groupsBefore: timeOf(row.groups_before),
      isGone: row.gone_at !== null,
      because: row.because,
    }
  );
}

/** Tokens that the provider has issued to somebody until `at` count no more. */
export function endProviderTokens(db: Db, owner: Owner, at: string, because: string): Promise<void> {
  return store(db, owner, { tokens_before: at, because });
}

/** No token of a deleted account counts, until its owner signs in again. */
export function endForGood(db: Db, owner: Owner, at: string, because: string): Promise<void> {
  return store(db, owner, { tokens_before: at, gone_at: at, because });
}

/** The gateway has changed the groups of somebody: what tokens issued until `at` say of groups counts no more. */
export function distrustGroups(db: Db, owner: Owner, at: string): Promise<void> {
  return store(db, owner, { groups_before: at });
}

/** A deleted account is back: its owner has signed in. What was issued before the deletion still does not count. */
export async function welcomeBack(db: Db, { provider, subject }: Owner): Promise<void> {
  await db
    .updateTable('cutoffs')
    .set({ gone_at: null })
    .where('provider', '=', provider)
    .where('subject', '=', subject)
    .where('gone_at', 'is not', null)
    .execute();
}

/**
 * Refuses a token that the cutoff ends; whether its groups count. `issuedAt` is the token's `iat` in seconds: Entra ID sets
 * it five minutes back, so a token may be refused for that long after an ending, which is the safe way to be wrong.
 */
export function requireStillCounts(cutoff: Cutoff | undefined, issuedAt: unknown): boolean {
  if (!cutoff) return true;
  const issued = typeof issuedAt === 'number' && Number.isFinite(issuedAt) ? issuedAt * 1000 : 0;
  if (cutoff.isGone || issued <= cutoff.tokensBefore)
    throw new Failure(
      'credential_revoked',
      `${cutoff.because ?? 'Your access was ended.'} Earlier tokens are no longer valid; sign in again for a new one.`,
    );
  return issued > cutoff.groupsBefore;
}

async function store(
  db: Db,
  { provider, subject }: Owner,
  change: Partial<Record<'tokens_before' | 'groups_before' | 'gone_at' | 'because', string>>,
): Promise<void> {
  const none = { tokens_before: null, groups_before: null, gone_at: null, because: null };
  await changing(
    db,
    'person',
    (trx) =>
      trx
        .insertInto('cutoffs')
        .values({ provider, subject, ...none, ...change })
        .onConflict((conflict) => conflict.columns(['provider', 'subject']).doUpdateSet(change))
        .execute(),
    () => [keyOf(provider, subject)],
  );
}

/** Before everything when there is none. */
function timeOf(at: string | null): number {
  return at === null ? Number.NEGATIVE_INFINITY : Date.parse(at);
}
