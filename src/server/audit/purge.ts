import { setTimeout } from 'node:timers/promises';
import { ifLeased } from '../db/lease.ts';
import type { Db } from '../db/tables.ts';

/** Events that one statement deletes at most: a statement holds up everything else in the process. */
export const deletedAtOnce = 500;
/** How long the purge rests after each statement, in milliseconds. */
const rest = 10;

/**
 * Deletes the events before a time (ISO 8601), the oldest first and a few at a time; answers how many went. A signal ends
 * it after the statement that runs, and what is left waits for the next purge.
 */
export async function deleteOldEvents(db: Db, before: string, signal?: AbortSignal): Promise<number> {
  let deleted = 0;
  do {
    const { numDeletedRows } = await db
      .deleteFrom('audit_events')
      .where('id', 'in', (e) =>
        e.selectFrom('audit_events').select('id').where('at', '<', before).orderBy('at').limit(deletedAtOnce),
      )
      .executeTakeFirstOrThrow();
    deleted += Number(numDeletedRows);
    if (Number(numDeletedRows) < deletedAtOnce) break;
    await setTimeout(rest, undefined, { ref: false });
  } while (!signal?.aborted);
  return deleted;
}

/** What keeping the trail short needs. */
export interface PurgeWorld {
  readonly db: Db;
  readonly now: () => number;
  /** How long an event is kept. */
  readonly days: number;
  readonly log: {
    info(facts: object, message: string): void;
    error(facts: object, message: string): void;
  };
}

/** Deletes events past their days now and every hour, one purge at a time; answers how to stop, which waits for the statement that runs. */
export function purgeEveryHour({ db, now, days, log }: PurgeWorld): () => Promise<void> {
  const ending = new AbortController();
  let running: Promise<void> | undefined;
  const run = async (): Promise<void> => {
    try {
      const before = new Date(now() - days * 86_400_000).toISOString();
      // One process does it; the others find nothing left.
      const count =
        (await ifLeased(db, 'audit purge', () => deleteOldEvents(db, before, ending.signal))) ?? 0;
      if (count > 0) log.info({ count, days }, 'old audit events were deleted');
    } catch (error) {
      log.error({ err: error }, 'old audit events could not be deleted');
    }
    running = undefined;
  };
  const start = (): void => {
    running ??= run();
  };
  start();
  const timer = setInterval(start, 3_600_000).unref();
  return async () => {
    clearInterval(timer);
    ending.abort();
    await running;
  };
}
