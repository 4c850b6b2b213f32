import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { openMemory } from '../db/open.ts';
import type { Db } from '../db/tables.ts';
import { createMailbox } from './mailbox.ts';

const key = randomBytes(32);

test('what arrives here while the database is asked is not lost', async () => {
  const looked = Promise.withResolvers<undefined>();
  const found = { executeTakeFirst: () => looked.promise };
  const db = { deleteFrom: () => ({ where: () => ({ returning: () => found }) }) } as unknown as Db;
  const times = [0, 0];
  const mailbox = createMailbox({ db, key, now: () => times.shift() ?? 1 });
  const heard = mailbox.wait('question', 1);
  await mailbox.post('question', { result: { said: 'yes' } });
  await mailbox.post('question', { result: { said: 'no' } });
  looked.resolve(undefined);
  expect(await heard).toEqual({ result: { said: 'yes' } });
});

test.each(['before', 'during'])(
  'what is posted in another process %s the wait arrives, once',
  async (when) => {
    const database = await openMemory();
    const world = { db: database.db, key, now: () => 1_000 };
    const [mine, theirs] = [createMailbox(world), createMailbox(world)];
    const before = when === 'before' ? theirs.post('question', { result: 1 }) : undefined;
    await before;
    const heard = mine.wait('question', 60_000);
    if (!before) await theirs.post('question', { result: 1 });
    expect(await heard).toEqual({ result: 1 });
    const rows = await database.db.selectFrom('virtual_replies').selectAll().execute();
    expect(rows).toEqual([]);
    await database.close();
  },
);
