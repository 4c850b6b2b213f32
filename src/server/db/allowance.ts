import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { LRUCache } from 'lru-cache';
import { databaseTime } from './dialect.ts';
import type { Db } from './tables.ts';

/** How often something may be done. */
export interface Rate {
  /** So often at once. */
  readonly burst: number;
  /** So often again each minute. */
  readonly perMinute: number;
}

/** Counts one use of `key`; returns the seconds to wait when it is one too many, otherwise 0. */
export type Allow = (key: string, rate: Rate) => Promise<number>;

/** Keys that one process remembers at most; what is forgotten begins with a full burst here, but not in the database. */
const remembered = 40_000;
/** How long somebody waits for the database to count, and how long it is left alone when it did not, in milliseconds. */
const patience = { answerMs: 1000, restMs: 5000 };
/** Of how many uses at once a process takes one share from the database: it asks seldom, and holds back little. */
const sharesOfBurst = 20;

/**
 * Counts in this process, and with a database for all replicas together. The count here comes first: what is too much for
 * one process is too much for all, and costs the database nothing. Without an answer of the database the count here is all.
 */
export function createAllow(now: () => number, db?: Db): Allow {
  const freeAt = new LRUCache<string, number>({ max: remembered });
  const shares = new LRUCache<string, number>({ max: remembered });
  let askAgainAt = 0;
  const countHere = (key: string, { burst, perMinute }: Rate): number => {
    const each = 60_000 / perMinute;
    const at = Math.max(freeAt.get(key) ?? 0, now()) + each;
    const wait = at - now() - burst * each;
    if (wait <= 0) freeAt.set(key, at);
    return seconds(wait);
  };
  const countForAll = async (shared: Db, key: string, rate: Rate): Promise<number> => {
    const left = shares.get(key) ?? 0;
    if (left > 0) {
      shares.set(key, left - 1);
      return 0;
    }
    const share = Math.max(1, Math.floor(rate.burst / sharesOfBurst));
    const wait = await take(shared, key, rate, share);
    if (wait <= 0) {
      shares.set(key, (shares.get(key) ?? 0) + share - 1);
      return 0;
    }
    // What is left may be less than a share.
    return share === 1 ? seconds(wait) : seconds(await take(shared, key, rate, 1));
  };
  return async (key, rate) => {
    const wait = countHere(key, rate);
    if (wait > 0 || !db || now() < askAgainAt) return wait;
    const silent = new AbortController();
    try {
      return await Promise.race([
        countForAll(db, key, rate),
        delay(patience.answerMs, undefined, { signal: silent.signal, ref: false }).then(() => {
          throw new Error('no answer in time');
        }),
      ]);
    } catch {
      askAgainAt = now() + patience.restMs;
      return 0;
    } finally {
      silent.abort();
    }
  };
}

/**
 * Takes so many uses by the clock of the database (the generic cell rate algorithm, as in ITU-T I.371: one time for each
 * key, from which on everything is free again); returns the milliseconds to wait, 0 or less when they were taken.
 */
async function take(db: Db, key: string, { burst, perMinute }: Rate, uses: number): Promise<number> {
  const name = createHash('sha256').update(key).digest('base64url');
  const time = databaseTime(db);
  const each = 60_000 / perMinute;
  const cost = sql.lit(Math.ceil(uses * each));
  const most = sql.lit(Math.ceil(burst * each));
  const begin = sql<number>`case when allowances.free_at > ${time} then allowances.free_at else ${time} end`;
  const taken = await db
    .insertInto('allowances')
    .values({ name, free_at: sql<number>`${time} + ${cost}` })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet({ free_at: sql<number>`${begin} + ${cost}` })
        .where(sql<boolean>`${begin} + ${cost} <= ${time} + ${most}`),
    )
    .returning('free_at')
    .executeTakeFirst();
  if (taken) return 0;
  const row = await db
    .selectFrom('allowances')
    .select(sql<number>`free_at + ${cost} - ${most} - ${time}`.as('wait'))
    .where('name', '=', name)
    .executeTakeFirst();
  return Math.max(1, row?.wait ?? 1);
}

/** Drops what is free again: it says no more than no row does. */
export async function dropFreeAllowances(db: Db): Promise<void> {
  await db
    .deleteFrom('allowances')
    .where('free_at', '<', sql<number>`${databaseTime(db)} - 60000`)
    .execute();
}

const seconds = (milliseconds: number): number => Math.max(0, Math.ceil(milliseconds / 1000));
