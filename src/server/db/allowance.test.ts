import { expect, test } from 'vitest';
import { createAllow, dropFreeAllowances } from './allowance.ts';
import { openMemory } from './open.ts';

const rate = { burst: 6, perMinute: 6 };

test('a key has a burst, then a rate, and no other pays for it', async () => {
  let time = 0;
  const allow = createAllow(() => time);
  for (let count = 0; count < 6; count += 1) expect(await allow('a', rate)).toBe(0);
  expect([await allow('a', rate), await allow('b', rate)]).toEqual([10, 0]);
  time += 10_000;
  expect([await allow('a', rate), await allow('a', rate)]).toEqual([0, 10]);
});

test('several processes on one database allow together what one does, also at the same moment', async () => {
  const { db, close } = await openMemory();
  const processes = [1, 2, 3].map(() => createAllow(() => 0, db));
  const waits = await Promise.all(
    Array.from({ length: 30 }, (_, at) => processes[at % 3]?.('a', { burst: 10, perMinute: 1 })),
  );
  expect(waits.filter((wait) => wait === 0)).toHaveLength(10);
  await close();
});

test('shares of a large burst add up to it, but for what others hold back', async () => {
  const { db, close } = await openMemory();
  const processes = [1, 2].map(() => createAllow(() => 0, db));
  let allowed = 0;
  for (let at = 0; at < 200; at += 1)
    if ((await processes[at % 2]?.('a', { burst: 100, perMinute: 1 })) === 0) allowed += 1;
  expect(allowed).toBe(100);
  await close();
});

test('while the database is away each process counts for itself', async () => {
  const { db, close } = await openMemory();
  await close();
  const allow = createAllow(() => 0, db);
  for (let count = 0; count < 6; count += 1) expect(await allow('a', rate)).toBe(0);
  expect(await allow('a', rate)).toBeGreaterThan(0);
});

test('only what is free again is dropped', async () => {
  const { db, close } = await openMemory();
  await db.insertInto('allowances').values({ name: 'long ago', free_at: 1 }).execute();
  await createAllow(() => 0, db)('now', rate);
  await dropFreeAllowances(db);
  expect((await db.selectFrom('allowances').select('name').execute()).map(({ name }) => name)).not.toContain(
    'long ago',
  );
  expect(await db.selectFrom('allowances').select('name').execute()).toHaveLength(1);
  await close();
});
