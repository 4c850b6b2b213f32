import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OpenDatabase, openMemory } from '../db/open.ts';
import { deletedAtOnce, deleteOldEvents, purgeEveryHour } from './purge.ts';

const day = 86_400_000;
const now = Date.parse('2026-06-01T00:00:00.000Z');
let database: OpenDatabase;

beforeEach(async () => {
  database = await openMemory();
});
afterEach(() => database.close());

/** Writes so many events of that age in days. */
async function write(count: number, age: number): Promise<void> {
  const at = new Date(now - age * day).toISOString();
  const none = { provider: null, subject: null, username: null, client_id: null, auth_method: null };
  for (let index = 0; index < count; index++)
    await database.db
      .insertInto('audit_events')
      .values({
        ...{ ...none, id: `${age}-${index}`, at, kind: 'mcp', correlation_id: 'c', client_ip: null },
        ...{ action: 'a', resource: null, tool: null, decision: 'allow', reason: null },
        ...{ status: 200, duration_ms: 1, detail: null },
      })
      .execute();
}

async function left(): Promise<number> {
  const { count } = await database.db
    .selectFrom('audit_events')
    .select((e) => e.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

test('events before the time go, in bounded statements with room for others in between', async () => {
  await write(deletedAtOnce * 2 + 7, 91);
  await write(3, 89);
  const before = new Date(now - 90 * day).toISOString();
  const seen: number[] = [];
  let done = false;
  const purge = deleteOldEvents(database.db, before).finally(() => {
    done = true;
  });
  while (!done) {
    seen.push(await left());
    await new Promise(setImmediate);
  }
  expect(await purge).toBe(deletedAtOnce * 2 + 7);
  // Somebody who reads meanwhile sees it shrink step by step; who is slow may miss one step.
  expect(seen.some((count) => count === deletedAtOnce + 10 || count === 10)).toBe(true);
  expect(await left()).toBe(3);
});

test('a purge that is told to end does so after the statement that runs', async () => {
  await write(deletedAtOnce * 3, 91);
  const told: object[] = [];
  const log = {
    info: (facts: object) => void told.push(facts),
    error: (facts: object) => void told.push(facts),
  };
  const stop = purgeEveryHour({ db: database.db, now: () => now, days: 90, log });
  await stop();
  expect(await left()).toBe(deletedAtOnce * 2);
  expect(told).toEqual([{ count: deletedAtOnce, days: 90 }]);
});

test('a purge that fails is logged and stops nothing', async () => {
  await database.db.schema.dropTable('audit_events').execute();
  const told: string[] = [];
  const log = { info: () => {}, error: (_: object, message: string) => void told.push(message) };
  const stop = purgeEveryHour({ db: database.db, now: () => now, days: 90, log });
  await stop();
  expect(told).toEqual(['old audit events could not be deleted']);
});
