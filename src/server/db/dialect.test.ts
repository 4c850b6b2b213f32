import { expect, test } from 'vitest';
import { openMemory } from './open.ts';

test('text with NUL is refused alike whatever the database, in each place of a statement', async () => {
  const { db, reads, close } = await openMemory();
  const refused = { code: 'bad_request', message: expect.stringContaining('NUL') };
  const lease = { name: 'a\0b', holder: 'test', fence: 1, expires_at: 0 };
  await expect(db.insertInto('leases').values(lease).execute()).rejects.toMatchObject(refused);
  for (const by of [db, reads])
    await expect(
      by.selectFrom('leases').selectAll().where('name', '=', '\0').execute(),
    ).rejects.toMatchObject(refused);
  await expect(
    db.transaction().execute((trx) => trx.updateTable('leases').set({ holder: 'x\0' }).execute()),
  ).rejects.toMatchObject(refused);
  expect(await db.selectFrom('leases').selectAll().execute()).toEqual([]);
  await close();
});
