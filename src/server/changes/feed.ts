import type { Db } from '../db/tables.ts';
import type { ChangeKind } from './record.ts';

/** Something that changed. */
export interface Change {
  readonly kind: ChangeKind;
  /** What changed; null when anything of this kind may have, so that whatever is kept of it has to be rebuilt. */
  readonly key: string | null;
}

/** Called for each change; the next listener is called when it is done. It must not wait for `caughtUp`. */
export type ChangeListener = (change: Change) => void | Promise<void>;

/** The changes of one database in the order of their commits, whichever process made them. */
export interface Feed {
  /**
   * Calls `listener` for each change of these kinds from now on. Listeners are called one after the other, in the order in
   * which they were added: what decides with the caches of others follows after them. Returns how to stop that. A change
   * may come more than once.
   */
  follow(kinds: readonly ChangeKind[], listener: ChangeListener): () => void;
  /** Resolves when all that was committed before the call has been delivered; never rejects. */
  caughtUp(): Promise<void>;
  /**
   * Undefined while what is kept in memory is as new as it has to be. Otherwise this process was stopped or busy for so long
   * that it has missed polls: resolves when it has caught up, or knows that the database is away.
   */
  current(): Promise<void> | undefined;
  /** Since when the database cannot be read (milliseconds since 1970), so that what is cached may be outdated. */
  behindSince(): number | null;
  close(): Promise<void>;
}

/** What the feed works with. */
export interface FeedWorld {
  readonly db: Db;
  /** Calls back soon after a commit that recorded a change. Only a hint: what it misses, the next poll finds. */
  readonly hint?: (wake: () => void) => () => void;
  /** Which course of commits the database has taken: with another one, any number may stand for another change than before. */
  readonly history?: () => Promise<string>;
  readonly log: { error(facts: object, message: string): void; info(facts: object, message: string): void };
  /** Milliseconds since 1970; the clock unless given. */
  readonly now?: () => number;
  /** Milliseconds between two polls; 1000 unless given, none when 0. */
  readonly pollMs?: number;
}

const page = 1000;
/** Polls without an end after which what is kept counts as outdated. */
const staleAfterPolls = 3;
/** Ticks of the poll's timer during one poll after which the database counts as away. Ticks, since a process that was stopped had none meanwhile. */
const hangsAfterTicks = 3;
/**
 * How long a missing number is waited for, in milliseconds: PostgreSQL numbers rows before they are committed, so a lower
 * number may become visible after a higher one. Longer than any transaction may last.
 */
const patienceMs = 120_000;
/** Numbers waited for at most; beyond that everything is rebuilt. */
const gapsAtMost = 5000;
/** How many of the newest numbers are looked through for missing ones at the start. */
const lookBack = 1000;
/** How many numbers below the oldest one that is kept count as missing at the start. */
const belowOldest = 64;
/** How long changes are kept, in milliseconds; whoever was away for longer rebuilds. */
const retentionMs = 24 * 3_600_000;
const purgeEveryMs = 3_600_000;

interface Follower {
  readonly kinds: ReadonlySet<ChangeKind>;
  readonly listener: ChangeListener;
  /** Kinds that it failed to take in, to be delivered as a rebuild. */
  readonly missed: Set<ChangeKind>;
}

/** Starts to follow the changes of a database; everything committed from here on is delivered. */
export async function startFeed(world: FeedWorld): Promise<Feed> {
  const { db, log, now = Date.now, pollMs = 1000 } = world;
  const followers = new Set<Follower>();
  const gaps = new Map<number, number>();
  let [top, purgedAt, closed] = [0, now(), false];
  let history: string | undefined;
  // Of a clock that nobody sets, and that goes on while the process is stopped.
  let polledAt = performance.now();
  let behind: number | null = null;
  let readAt = now();
  /** Ticks of the timer since the poll that runs began; undefined while none runs. */
  let ticks: number | undefined;
  const waiting = new Set<() => void>();
  const lost = (error: unknown): void => {
    if (behind === null)
      log.error({ err: error }, 'changes cannot be read; what is in memory may be outdated');
    behind ??= now();
    for (const goOn of waiting) goOn();
  };

  const note = (seqs: readonly number[]): void => {
    for (const seq of seqs) {
      for (let missing = top + 1; missing < seq && gaps.size <= gapsAtMost; missing += 1)
        gaps.set(missing, now());
      top = Math.max(top, seq);
      gaps.delete(seq);
    }
  };
  const begin = async (): Promise<void> => {
    gaps.clear();
    const rows = await db
      .selectFrom('changes')
      .select('seq')
      .orderBy('seq', 'desc')
      .limit(lookBack)
      .execute();
    const seqs = rows.map(({ seq }) => seq).reverse();
    // What is missing below the oldest may be on its way too, unless there is more that was not looked at.
    const first = seqs[0] ?? 1;
    top = seqs.length < lookBack ? Math.max(0, first - 1 - belowOldest) : first - 1;
    note(seqs);
  };
  const late = async (): Promise<Row[]> => {
    for (const [seq, since] of gaps) if (now() - since > patienceMs) gaps.delete(seq);
    const found: Row[] = [];
    const missing = [...gaps.keys()];
    for (let from = 0; from < missing.length; from += page)
      found.push(
        ...(await rowsOf(db)
          .where('seq', 'in', missing.slice(from, from + page))
          .execute()),
      );
    note(found.map(({ seq }) => seq));
    return found;
  };
  /** Delivers what is new; false when that cannot be told, so that everything has to be rebuilt. */
  const advance = async (): Promise<boolean> => {
    const { newest, oldest } = await boundsOf(db);
    // Numbers that went back are those of a database that lost its last commits: a restored or promoted copy.
    if (newest < top || (newest > top && oldest > top + 1)) return false;
    if (gaps.size > 0) await deliver(followers, await late(), log);
    while (top < newest) {
      const rows = await rowsOf(db).where('seq', '>', top).orderBy('seq').limit(page).execute();
      if (rows.length === 0) break;
      note(rows.map(({ seq }) => seq));
      await deliver(followers, rows, log);
    }
    return gaps.size <= gapsAtMost;
  };
  const poll = async (): Promise<void> => {
    if (closed) return;
    const begun = performance.now();
    ticks = 0;
    try {
      // Stopped for so long, it may have missed numbers that were waited for and are gone.
      const wasBehind = behind !== null || now() - readAt > patienceMs;
      readAt = now();
      // Before anything is read: what is read after it may be of a later one, which the next poll finds.
      const course = await world.history?.();
      const isAnother = course !== history;
      if (isAnother || wasBehind || !(await advance())) {
        await begin();
        history = course;
        for (const follower of followers) for (const kind of follower.kinds) follower.missed.add(kind);
      }
      behind = null;
      if (isAnother)
        log.info({}, 'another server has taken over the database; everything in memory is rebuilt');
      else if (wasBehind) log.info({}, 'changes can be read again; everything in memory is rebuilt');
      for (const follower of followers) await rebuild(follower, log);
      if (now() - purgedAt > purgeEveryMs) {
        purgedAt = now();
        await purge(db, new Date(now() - retentionMs).toISOString());
      }
    } catch (error) {
      if (!closed) lost(error);
    } finally {
      polledAt = begun;
      ticks = undefined;
    }
  };

  let running = Promise.resolve();
  let queued: Promise<void> | undefined;
  // Whoever asks while a poll runs needs one that begins after its question.
  const next = (): Promise<void> => {
    queued ??= running.then(() => {
      queued = undefined;
      running = poll();
      return running;
    });
    return queued;
  };
  history = await world.history?.();
  await begin();
  const stopHints = world.hint?.(() => void next());
  const tick = (): void => {
    if (ticks !== undefined && ++ticks === hangsAfterTicks) lost(new Error('the database does not respond'));
    void next();
  };
  const timer = pollMs > 0 ? setInterval(tick, pollMs).unref() : undefined;
  /** As new as now, or known not to be. */
  const newest = (): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        waiting.delete(done);
        resolve();
      };
      waiting.add(done);
      void next().then(done);
    });
  return {
    follow(kinds, listener) {
      const follower = { kinds: new Set(kinds), listener, missed: new Set<ChangeKind>() };
      followers.add(follower);
      return () => followers.delete(follower);
    },
    caughtUp: next,
    current: () =>
      pollMs > 0 && behind === null && performance.now() - polledAt > staleAfterPolls * pollMs
        ? newest()
        : undefined,
    behindSince: () => behind,
    async close() {
      closed = true;
      stopHints?.();
      clearInterval(timer);
      await (queued ?? running);
    },
  };
}

interface Row {
  readonly seq: number;
  readonly kind: string;
  readonly key: string;
}

function rowsOf(db: Db) {
  return db.selectFrom('changes').select(['seq', 'kind', 'key']);
}

async function boundsOf(db: Db): Promise<{ newest: number; oldest: number }> {
  const { newest, oldest } = await db
    .selectFrom('changes')
    .select((e) => [
      e.fn.max<number | null>('seq').as('newest'),
      e.selectFrom('changes as first').select('first.seq').orderBy('first.seq').limit(1).as('oldest'),
    ])
    .executeTakeFirstOrThrow();
  return { newest: newest ?? 0, oldest: oldest ?? 0 };
}

/** Each listener takes in all of the rows before the next one; a change that occurs twice is delivered once. */
async function deliver(
  followers: ReadonlySet<Follower>,
  rows: readonly Row[],
  log: FeedWorld['log'],
): Promise<void> {
  if (rows.length === 0) return;
  const changes = new Map(rows.map(({ kind, key }) => [`${kind} ${key}`, { kind, key } as Change]));
  for (const follower of followers)
    for (const change of changes.values())
      if (follower.kinds.has(change.kind) && !follower.missed.has(change.kind))
        await give(follower, change, log);
}

async function rebuild(follower: Follower, log: FeedWorld['log']): Promise<void> {
  for (const kind of [...follower.missed]) {
    follower.missed.delete(kind);
    await give(follower, { kind, key: null }, log);
  }
}

async function give(follower: Follower, change: Change, log: FeedWorld['log']): Promise<void> {
  try {
    await follower.listener(change);
  } catch (error) {
    follower.missed.add(change.kind);
    log.error({ err: error, change }, 'a change could not be taken in; it is tried again');
  }
}

/** Drops what is older; the newest row stays, because it tells how far the changes had come. */
async function purge(db: Db, before: string): Promise<void> {
  const { newest } = await boundsOf(db);
  await db.deleteFrom('changes').where('at', '<', before).where('seq', '<', newest).execute();
}
