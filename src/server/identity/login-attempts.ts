import type { Db, LoginAttemptsTable } from '../db/tables.ts';
import { hashOf } from './keys.ts';

/** How long somebody may take at the provider, in milliseconds. */
export const attemptLasts = 600_000;
/** Attempts kept at most; beyond that the oldest go, so that nobody can fill the database without an account. */
const attemptsKept = 10_000;

interface AttemptsWorld {
  readonly db: Db;
  readonly now: () => number;
}

/** Stores an attempt and deletes those that are over. */
export async function storeAttempt(
  { db, now }: AttemptsWorld,
  row: Omit<LoginAttemptsTable, 'expires_at'>,
): Promise<void> {
  await db.deleteFrom('login_attempts').where('expires_at', '<=', new Date(now()).toISOString()).execute();
  const { count } = await db
    .selectFrom('login_attempts')
    .select((e) => e.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  if (Number(count) >= attemptsKept) {
    const oldest = db.selectFrom('login_attempts').select('state_hash').orderBy('expires_at').limit(100);
    await db.deleteFrom('login_attempts').where('state_hash', 'in', oldest).execute();
  }
  const expires_at = new Date(now() + attemptLasts).toISOString();
  await db
    .insertInto('login_attempts')
    .values({ ...row, expires_at })
    .execute();
}

/** Deletes and returns the attempt in one statement, so that two callbacks can never both have it. */
export async function takeAttempt(
  { db, now }: AttemptsWorld,
  state: string,
): Promise<LoginAttemptsTable | undefined> {
  const attempt = await db
    .deleteFrom('login_attempts')
    .where('state_hash', '=', hashOf(state))
    .returningAll()
    .executeTakeFirst();
  return attempt && attempt.expires_at > new Date(now()).toISOString() ? attempt : undefined;
}
