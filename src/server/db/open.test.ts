import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { asUnusable, DirectoryInUse, openDatabase } from './open.ts';
import { fileIn, openFile } from './sqlite/file.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gateway-db-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** By their files: what is there is run, in this order. */
const migrations = readdirSync(new URL('migrations', import.meta.url))
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => name.replace('.ts', ''))
  .sort();

test('migrations run at the first start only', async () => {
  const first = await openDatabase(directory);
  expect(first.migrated).toEqual(migrations);
  await first.close();
  const second = await openDatabase(directory);
  expect(second.migrated).toEqual([]);
  await second.close();
});

test('a directory in use is refused with the process that holds it, and free again after its end', async () => {
  const first = await openDatabase(directory);
  await expect(openDatabase(directory)).rejects.toThrow(DirectoryInUse);
  await expect(openDatabase(directory)).rejects.toThrow(`process ${process.pid}`);
  await first.close();
  await (await openDatabase(directory)).close();
});

test('only the owner can read the directory', async () => {
  const { close } = await openDatabase(directory);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  await close();
});

test('what one opening wrote the next one reads', async () => {
  const first = await openDatabase(directory);
  const row = { provider: 'entra', subject: 's', username: 'alice', name: null, email: null };
  await first.db
    .insertInto('people')
    .values({ ...row, groups: '[]', groups_read_at: '2026-01-01T00:00:00.000Z' })
    .execute();
  await first.close();
  const second = await openDatabase(directory);
  expect(await second.db.selectFrom('people').select('username').execute()).toEqual([{ username: 'alice' }]);
  await second.close();
});

test('a transaction that reads before it writes is never refused for what another connection does', async () => {
  const { db, close } = await openDatabase(directory);
  const other = openFile(fileIn(directory));
  other.exec('PRAGMA busy_timeout = 0');
  await db.transaction().execute(async (transaction) => {
    await transaction.selectFrom('scopes').selectAll().execute();
    expect(() => other.exec("DELETE FROM audit_events WHERE id = 'none'")).toThrow('locked');
    await transaction.deleteFrom('scopes').execute();
  });
  other.exec("DELETE FROM audit_events WHERE id = 'none'");
  other.close();
  await close();
});

test('the files of the database are for this account alone, also those of an earlier version', async () => {
  const mode = (name: string): number => statSync(join(directory, name)).mode & 0o777;
  await (await openDatabase(directory)).close();
  chmodSync(join(directory, 'gateway.db'), 0o644);
  const opened = await openDatabase(directory);
  for (const name of ['gateway.db', 'gateway.db-wal', 'gateway.db-shm']) expect(mode(name)).toBe(0o600);
  await opened.close();
});

test.each([
  ['ENOSPC', 'the disk is full'],
  ['EROFS', 'the file system is read-only'],
  ['EACCES', 'this account may not write there'],
])('%s is said in words, with what to do', (code, words) => {
  const said = asUnusable('/data', Object.assign(new Error(code), { code })) as Error;
  expect(said.message).toMatch(new RegExp(`^the data directory /data cannot be used: ${words}.*DATA_DIR`));
});

test('a directory below a file is refused in words', async () => {
  const file = join(directory, 'file');
  writeFileSync(file, '');
  await expect(openDatabase(join(file, 'data'))).rejects.toThrow(/a part of the path is a file.*DATA_DIR/);
});

test('a full disk that SQLite reports is one too', () => {
  const full = Object.assign(new Error('database or disk is full'), {
    code: 'ERR_SQLITE_ERROR',
    errcode: 13,
  });
  expect(String(asUnusable('/data', full))).toContain('the disk is full');
});
