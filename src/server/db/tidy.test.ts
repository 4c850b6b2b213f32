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
    const attempt = { state_hash: name, used_at: at(days), expires_at: at(days) };
    await db.insertInto('connection_attempts').values(attempt).execute();
    await db
      .insertInto('oauth_rates')
      .values({ key: name, count: 1, ends_at: at(days) })
      .execute();
  }
  const left = async () => [
    ...(await db.selectFrom('used_sign_ins').select('state_hash as name').execute()),
    ...(await db.selectFrom('virtual_sessions').select('session as name').execute()),
    ...(await db.selectFrom('connection_attempts').select('state_hash as name').execute()),
    ...(await db.selectFrom('oauth_rates').select('key as name').execute()),
  ];
  const lease = await acquireLease(db, 'tidying');
  await tidyDatabase(db, now);
  expect(await left()).toHaveLength(8);
  await lease?.release();
  await tidyDatabase(db, now);
  expect(await left()).toEqual(Array.from({ length: 4 }, () => ({ name: 'new' })));
  await close();
});
