import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { Failure } from '../failure/errors.ts';
import { databaseTime, isPostgres } from './dialect.ts';
import type { Db } from './tables.ts';

/** The right to do something that one process at a time may do; it ends by itself when its holder does. */
export interface Lease {
  /** Rises each time the lease changes hands: what an earlier holder still does can be told by its lower number. */
  readonly fence: number;
  /** Makes it last anew; false when somebody else holds it by now, so that what is under way must not go on. */
  renew(): Promise<boolean>;
  release(): Promise<void>;
}

/** How long a lease lasts without being renewed, in milliseconds. */
const lastsMs = 30_000;
/** How long somebody waits for a lease that another holds, in milliseconds. */
const longestWaitMs = 30_000;

/** Takes a lease; undefined while somebody else holds it. The times are those of the database. */
export async function acquireLease(db: Db, name: string, forMs = lastsMs): Promise<Lease | undefined> {
  const holder = randomUUID();
  const expires = sql<number>`${databaseTime(db)} + ${sql.lit(forMs)}`;
  const row = await db
    .insertInto('leases')
    .values({ name, holder, fence: 1, expires_at: expires })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet((e) => ({ holder, fence: e('leases.fence', '+', 1), expires_at: expires }))
        .where('leases.expires_at', '<=', databaseTime(db)),
    )
    .returning(['fence', 'holder'])
    .executeTakeFirst();
  if (row?.holder !== holder) return undefined;
  const own = () => db.updateTable('leases').where('name', '=', name).where('holder', '=', holder);
  return {
    fence: row.fence,
    async renew() {
      const { numUpdatedRows } = await own()
        .set({ expires_at: expires })
        .where('expires_at', '>', databaseTime(db))
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async release() {
      await own().set({ expires_at: 0 }).execute();
    },
  };
}

/**
 * Does something while it holds a lease, which is renewed meanwhile; undefined, and nothing done, when somebody else holds
 * it. A process that was stopped for longer than a lease lasts finds by `renew` that it must not go on.
 */
export async function ifLeased<T>(
  db: Db,
  name: string,
  work: (lease: Pick<Lease, 'fence' | 'renew'>) => Promise<T>,
): Promise<T | undefined> {
  const lease = await acquireLease(db, name);
  if (!lease) return undefined;
  const renewing = setInterval(() => void lease.renew().catch(() => {}), lastsMs / 3).unref();
  try {
    return await work(lease);
  } finally {
    clearInterval(renewing);
    // A lease that cannot be given back ends by itself.
    await lease.release().catch(() => {});
  }
}

/** Does something that one process at a time may do, waiting until it may; `overloaded` when that takes too long. */
export async function withLease<T>(db: Db, name: string, work: () => Promise<T>): Promise<T> {
  const done = async () => ({ result: await work() });
  for (
    let [waited, pause] = [0, 10];
    waited < longestWaitMs;
    waited += pause, pause = Math.min(2 * pause, 200)
  ) {
    const answer = await ifLeased(db, name, done);
    if (answer) return answer.result;
    await delay(pause * (0.5 + Math.random()));
  }
  throw new Failure(
    'overloaded',
    'Someone else is changing the same thing right now; try again in a moment.',
  );
}

/**
 * Lets transactions that name the same thing run one after the other: the second waits here until the first has ended.
 * SQLite runs one writing transaction at a time anyway, so nothing is done there.
 */
export async function lockUntilCommit(trx: Db, name: string): Promise<void> {
  if (!isPostgres(trx)) return;
  const row = { name: `transaction: ${name}`, holder: '', fence: 0, expires_at: 0 };
  await trx
    .insertInto('leases')
    .values(row)
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ holder: '' }))
    .execute();
}

/** Drops leases that ended a day ago. */
export async function dropEndedLeases(db: Db): Promise<void> {
  await db
    .deleteFrom('leases')
    .where('expires_at', '<', sql<number>`${databaseTime(db)} - 86400000`)
    .where('name', 'not like', 'transaction: %')
    .execute();
}
