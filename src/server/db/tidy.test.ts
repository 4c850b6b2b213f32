import { expect, test } from 'vitest';
import { acquireLease } from './lease.ts';
import { openMemory } from './open.ts';
import { tidyDatabase } from './tidy.ts';

const now = Date.UTC(2026, 0, 10);
const at = (days: number): string => new Date(now - days * 86_400_000).toISOString();

test('what has ended goes, what lives stays, and one process at a time does it', async () => {
  const { db, close } = await openMemory();
  for (const [name, days] of [
    ['old', 2],
    ['new', -1],
  ] as const) {
    await db
      .insertInto('used_sign_ins')
      .values({ state_hash: name, expires_at: at(days) })
      .execute();
    await db
      .insertInto('virtual_sessions')
      .values({ session: name, member: '', sealed: '', created_at: at(days) })
      .execute();
  }
  const left = async () => [
    ...(await db.selectFrom('used_sign_ins').select('state_hash as name').execute()),
    ...(await db.selectFrom('virtual_sessions').select('session as name').execute()),
  ];
  const lease = await acquireLease(db, 'tidying');
  await tidyDatabase(db, now);
  expect(await left()).toHaveLength(4);
  await lease?.release();
  await tidyDatabase(db, now);
  expect(await left()).toEqual([{ name: 'new' }, { name: 'new' }]);
  await close();
});
