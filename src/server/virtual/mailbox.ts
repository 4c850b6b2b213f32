import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Db } from '../db/tables.ts';
import { seal, unseal } from '../identity/keys.ts';
import type { JsonObject } from './wire.ts';

/**
 * What clients say to calls that wait, whichever process the saying reaches: in this one by a call of a function, in
 * another by a row of the database, which the waiting process looks for.
 */
export interface Mailbox {
  /** Waits for what is posted under a key, `limitMs` at most; undefined when nothing came or the wait was ended. */
  wait(key: string, limitMs: number, signal?: AbortSignal): Promise<JsonObject | undefined>;
  /** Gives a message to who waits for it, here or elsewhere; only the first under a key counts. */
  post(key: string, message: JsonObject): Promise<void>;
  /** A MAC over the parts of a key, so that nobody makes one up. */
  mark(...parts: readonly string[]): string;
  isMark(mark: string, ...parts: readonly string[]): boolean;
}

/** How often a waiting process looks for a row, in milliseconds. */
const lookMs = 400;
/** How long rows are kept that nobody waits for. */
const keptMs = 15 * 60_000;

/** Makes the mailbox; `key` (32 bytes) is the same in all processes. */
export function createMailbox({ db, key, now }: { db: Db; key: Buffer; now: () => number }): Mailbox {
  const waiting = new Map<string, (message: JsonObject) => void>();
  const rowOf = (name: string): string => createHash('sha256').update(name).digest('hex');
  const take = async (name: string): Promise<JsonObject | undefined> => {
    const row = await db
      .deleteFrom('virtual_replies')
      .where('key', '=', rowOf(name))
      .returning('sealed')
      .executeTakeFirst();
    return row && (JSON.parse(unseal(key, row.sealed, name)) as JsonObject);
  };
  const mark = (...parts: readonly string[]): string =>
    createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64url').slice(0, 22);
  return {
    async wait(name, limitMs, signal) {
      const until = now() + limitMs;
      let heard: JsonObject | undefined;
      let wake: (() => void) | undefined;
      const stop = (): void => wake?.();
      waiting.set(name, (message) => {
        heard ??= message;
        wake?.();
      });
      signal?.addEventListener('abort', stop);
      try {
        while (!heard && !signal?.aborted && now() < until) {
          // What is posted here meanwhile counts: it was said first.
          const row = await take(name).catch(() => undefined);
          heard ??= row;
          if (heard || signal?.aborted) break;
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, lookMs);
            wake = () => {
              clearTimeout(timer);
              resolve();
            };
            if (heard) wake();
          });
        }
        return heard;
      } finally {
        waiting.delete(name);
        signal?.removeEventListener('abort', stop);
      }
    },
    async post(name, message) {
      const here = waiting.get(name);
      if (here) return here(message);
      const at = new Date(now()).toISOString();
      const before = new Date(now() - keptMs).toISOString();
      await db.deleteFrom('virtual_replies').where('created_at', '<', before).execute();
      await db
        .insertInto('virtual_replies')
        .values({ key: rowOf(name), sealed: seal(key, JSON.stringify(message), name), created_at: at })
        .onConflict((conflict) => conflict.column('key').doNothing())
        .execute();
    },
    mark,
    isMark(given, ...parts) {
      const [a, b] = [Buffer.from(given), Buffer.from(mark(...parts))];
      return a.length === b.length && timingSafeEqual(a, b);
    },
  };
}
