import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OpenDatabase, openDatabase } from '../open.ts';

let directory: string;
let open: OpenDatabase;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'reading-'));
  open = await openDatabase(directory);
});

afterEach(async () => {
  await open.close();
  rmSync(directory, { recursive: true, force: true });
});

const add = (name: string) =>
  open.db.insertInto('leases').values({ name, holder: 'test', fence: 1, expires_at: 0 }).execute();

test('what was committed is seen at once', async () => {
  const names = () => open.reads.selectFrom('leases').select('name').orderBy('name').execute();
  expect(await names()).toEqual([]);
  await add('one');
  expect(await names()).toEqual([{ name: 'one' }]);
  await add('two');
  expect(await names()).toEqual([{ name: 'one' }, { name: 'two' }]);
});

test('a long query holds up nobody else: others are served before it', async () => {
  const order: string[] = [];
  const long = sql<{ n: number }>`
    with recursive counted(n) as (select 1 union all select n + 1 from counted where n < 400000)
    select count(*) as n from counted`
    .execute(open.reads)
    .then(({ rows }) => {
      order.push('long');
      return rows[0]?.n;
    });
  await add('meanwhile');
  order.push('short');
  expect(await long).toBe(400_000);
  expect(order).toEqual(['short', 'long']);
});

test('nothing is written there, and a query that fails costs itself alone', async () => {
  await expect(open.reads.deleteFrom('leases').execute()).rejects.toThrow(/readonly|query_only/);
  await expect(sql`select 1 from nowhere`.execute(open.reads)).rejects.toThrow('no such table');
  await expect(
    open.reads.selectFrom('leases').select('name').where('name', '=', '\0').execute(),
  ).rejects.toThrow('NUL');
  await expect(open.reads.transaction().execute(async () => {})).rejects.toThrow('no transactions');
  expect(await open.reads.selectFrom('leases').select('name').execute()).toEqual([]);
});

test('close waits for what is being read, and the thread ends', async () => {
  const counted = sql<{ n: number }>`
    with recursive counted(n) as (select 1 union all select n + 1 from counted where n < 100000)
    select count(*) as n from counted`.execute(open.reads);
  const settled = counted.then(
    ({ rows }) => rows[0]?.n,
    (error: Error) => error.message,
  );
  await open.close();
  expect([100_000, 'the thread that reads the database ended with code 1']).toContain(await settled);
  open = await openDatabase(directory);
});
