import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fileIn, openFile } from './file.ts';
import { nodeSqliteDialect } from './node-sqlite.ts';

interface Tables {
  things: { id: number };
}

let folder: string;
let db: Kysely<Tables>;
let other: ReturnType<typeof openFile>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'node-sqlite-'));
  other = openFile(fileIn(folder));
  other.exec(
    'CREATE TABLE things (id INTEGER PRIMARY KEY, of INTEGER REFERENCES things (id)); INSERT INTO things (id) VALUES (1)',
  );
  db = new Kysely<Tables>({ dialect: nodeSqliteDialect(openFile(fileIn(folder))) });
});
afterEach(async () => {
  await db.destroy();
  other.close();
  rmSync(folder, { recursive: true, force: true });
});

const add = (id: number) => db.insertInto('things').values({ id }).execute();
const ids = async () =>
  (await db.selectFrom('things').select('id').orderBy('id').execute()).map(({ id }) => id);

test('while another connection writes, a statement and a transaction wait, and reads and the thread go on', async () => {
  // The lock is let go by this very thread: what waits for it while holding up the thread waits in vain.
  other.exec('BEGIN IMMEDIATE; INSERT INTO things (id) VALUES (2)');
  const done: string[] = [];
  const writes = [
    add(3).then(() => done.push('statement')),
    db
      .transaction()
      .execute(async (trx) => {
        await trx.insertInto('things').values({ id: 4 }).execute();
      })
      .then(() => done.push('transaction')),
  ];
  for (let reads = 0; reads < 100; reads += 1) expect(await ids()).toEqual([1]);
  await new Promise((next) => setImmediate(next));
  expect(done).toEqual([]);
  other.exec('COMMIT');
  await Promise.all(writes);
  expect(await ids()).toEqual([1, 2, 3, 4]);
});

test('nobody else gets into an open transaction, and what it did not keep is gone', async () => {
  let goOn = (): void => {};
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const failing = db.transaction().execute(async (trx) => {
    await trx.insertInto('things').values({ id: 2 }).execute();
    await held;
    throw new Error('not kept');
  });
  const others = [
    add(3),
    ids(),
    db.transaction().execute((trx) => trx.insertInto('things').values({ id: 4 }).execute()),
  ];
  goOn();
  await expect(failing).rejects.toThrow('not kept');
  const [, seen] = await Promise.all(others);
  expect(seen).not.toContain(2);
  expect(await ids()).toEqual([1, 3, 4]);
});

test('a transaction that cannot be committed is rolled back and holds up nobody', async () => {
  const failing = db.transaction().execute(async (trx) => {
    await sql`PRAGMA defer_foreign_keys = ON`.execute(trx);
    await sql`INSERT INTO things (id, "of") VALUES (2, 99)`.execute(trx);
  });
  await expect(failing).rejects.toThrow('FOREIGN KEY');
  await add(3);
  expect(await ids()).toEqual([1, 3]);
});

test('a hundred writers at once all get their turn', async () => {
  await Promise.all(
    Array.from({ length: 100 }, (_, at) =>
      at % 2
        ? add(at + 10)
        : db.transaction().execute((trx) =>
            trx
              .insertInto('things')
              .values({ id: at + 10 })
              .execute(),
          ),
    ),
  );
  expect(await ids()).toHaveLength(101);
});
