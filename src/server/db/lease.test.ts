import { afterEach, beforeEach, expect, test } from 'vitest';
import { acquireLease, dropEndedLeases, ifLeased, withLease } from './lease.ts';
import { type OpenDatabase, openMemory } from './open.ts';

let database: OpenDatabase;
beforeEach(async () => {
  database = await openMemory();
});
afterEach(() => database.close());

const end = (name: string) =>
  database.db.updateTable('leases').set({ expires_at: 1 }).where('name', '=', name).execute();

test('one at a time holds a lease, and each new holder has a higher fence', async () => {
  const { db } = database;
  const first = await acquireLease(db, 'a');
  expect(first?.fence).toBe(1);
  expect(await acquireLease(db, 'a')).toBeUndefined();
  expect((await acquireLease(db, 'b'))?.fence).toBe(1);
  expect(await first?.renew()).toBe(true);
  await first?.release();
  expect((await acquireLease(db, 'a'))?.fence).toBe(2);
});

test('a lease that has ended is taken by the next, and its former holder learns it', async () => {
  const { db } = database;
  const stopped = await acquireLease(db, 'a');
  await end('a');
  const next = await acquireLease(db, 'a');
  expect(next?.fence).toBe(2);
  expect(await stopped?.renew()).toBe(false);
  await stopped?.release();
  expect(await next?.renew()).toBe(true);
});

test('work under one lease never overlaps, whoever fails', async () => {
  const { db } = database;
  const seen: string[] = [];
  const work = (name: string) => async () => {
    seen.push(`${name} begins`);
    await new Promise(setImmediate);
    seen.push(`${name} ends`);
    if (name === 'b') throw new Error('b fails');
    return name;
  };
  const done = await Promise.allSettled(['a', 'b', 'c'].map((name) => withLease(db, 'x', work(name))));
  expect(done.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  const names = seen.map((text) => text.split(' ')[0]);
  for (let at = 0; at < names.length; at += 2) expect(names[at]).toBe(names[at + 1]);
  const held = await acquireLease(db, 'x');
  expect(await ifLeased(db, 'x', work('d'))).toBeUndefined();
  await held?.release();
  expect(await ifLeased(db, 'x', work('d'))).toBe('d');
});

test('leases that ended long ago are dropped, those that are held are not', async () => {
  const { db } = database;
  await acquireLease(db, 'held');
  await acquireLease(db, 'ended');
  await end('ended');
  await dropEndedLeases(db);
  expect(await db.selectFrom('leases').select('name').execute()).toEqual([{ name: 'held' }]);
});
