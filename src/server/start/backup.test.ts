import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Counts, readBackup, withEmbedded, withPostgres, writeBackup } from '../db/backup.ts';
import { readBackupFile, writeBackupFile } from '../db/backup-file.ts';
import { isPostgres } from '../db/dialect.ts';
import { type OpenDatabase, openDatabase, openMemory } from '../db/open.ts';
import type { Db } from '../db/tables.ts';

// On PostgreSQL too: `npx vitest run -c vitest.postgres.config.ts src/server/start/backup.test.ts`
const head = { version: '1.2.3', createdAt: '2026-01-01T00:00:00.000Z' };
const passphrase = 'twelve or more characters';
let folder: string;
let source: OpenDatabase;
let target: OpenDatabase;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'backup-'));
  source = await openDatabase(join(folder, 'data'));
  target = await openMemory();
  for (let n = 0; n < 1203; n += 1) await add(source.db, `t${n}`);
});
afterEach(async () => {
  await source.close();
  await target.close();
  rmSync(folder, { recursive: true, force: true });
});

const add = (db: Db, id: string) =>
  db
    .insertInto('tokens')
    .values({
      ...{ id, provider: 'entra', subject: 's', username: 'Zoë "x"\n', description: '', scopes: '[]' },
      ...{
        created_at: '2026-01-01',
        expires_at: '2026-06-01',
        last_used_at: null,
        revoked_at: null,
        revoked_by: null,
      },
    })
    .execute();
const tokens = async (db: Db) => db.selectFrom('tokens').selectAll().orderBy('id').execute();
const file = (name = 'backup') => join(folder, name);
const backup = (secret?: string, name?: string): Promise<Counts> =>
  writeBackupFile(file(name), secret, (to) =>
    withEmbedded(join(folder, 'data'), (from) => writeBackup(from, head, to)),
  );
const restore = (secret?: string, isDryRun = false) =>
  readBackupFile(file(), secret, (from) => readBackup(from, target.db, { isDryRun }));

test('a database that is in use is backed up and restored whole, also on the other kind of database', async () => {
  expect(await backup()).toMatchObject({ tokens: 1203, servers: 0 });
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  const { head: found, rows } = await restore();
  expect([found.version, rows.tokens]).toEqual(['1.2.3', 1203]);
  expect(await tokens(target.db)).toEqual(await tokens(source.db));
});

test('what is written while a backup is read is not in it', async () => {
  await writeBackupFile(file(), undefined, (to) =>
    withEmbedded(join(folder, 'data'), async (from) => {
      await from.tables();
      await add(source.db, 'later');
      return writeBackup(from, head, to);
    }),
  );
  expect((await restore()).rows.tokens).toBe(1203);
});

test('a dry run reads everything and changes nothing', async () => {
  await backup();
  expect((await restore(undefined, true)).rows.tokens).toBe(1203);
  expect(await tokens(target.db)).toEqual([]);
});

test('an encrypted backup shows nothing, and wants its passphrase', async () => {
  await backup(passphrase);
  expect(readFileSync(file()).includes('mcp-gateway-backup')).toBe(false);
  expect(() => gunzipSync(readFileSync(file()))).toThrow();
  await expect(restore()).rejects.toThrow('--passphrase-file');
  await expect(restore('another passphrase')).rejects.toThrow(
    'not the one of this backup, or the file is damaged',
  );
  expect(await tokens(target.db)).toEqual([]);
  expect((await restore(passphrase)).rows.tokens).toBe(1203);
});

test.each([
  [
    'its last byte is another',
    (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.from([bytes.at(-1)! ^ 1])]),
  ],
  ['it was cut', (bytes: Buffer) => bytes.subarray(0, -100)],
])('of an encrypted backup nothing is restored when %s', async (_, damage) => {
  await backup(passphrase);
  writeFileSync(file(), damage(readFileSync(file())));
  await expect(restore(passphrase)).rejects.toThrow('damaged');
  expect(await tokens(target.db)).toEqual([]);
});

test('of a backup without its end nothing is restored', async () => {
  await backup();
  const lines = gunzipSync(readFileSync(file())).toString().trim().split('\n');
  for (const broken of [lines.slice(0, -1), lines.slice(0, -2).concat(lines.slice(-1)), lines.slice(1), []]) {
    writeFileSync(file(), gzipSync(broken.map((line) => `${line}\n`).join('')));
    await expect(restore()).rejects.toThrow(/not complete|no backup|is empty/);
  }
  expect(await tokens(target.db)).toEqual([]);
});

test('a database with rows, and a backup of another version, are refused', async () => {
  await backup();
  await add(target.db, 'mine');
  await expect(restore()).rejects.toThrow("has rows in 'tokens' already");
  await target.db.deleteFrom('tokens').execute();
  const [first = '', ...rest] = gunzipSync(readFileSync(file())).toString().split('\n');
  const of = (migrations: string[]) =>
    writeFileSync(
      file(),
      gzipSync([JSON.stringify({ ...JSON.parse(first), migrations }), ...rest].join('\n')),
    );
  of([...JSON.parse(first).migrations, '9999-later']);
  await expect(restore()).rejects.toThrow(/version 1\.2\.3, whose database is newer.*9999-later/);
  of(JSON.parse(first).migrations.slice(0, -1));
  await expect(restore()).rejects.toThrow(/whose database is older.*restore it with that version/);
});

test('a file that is there already is never overwritten', async () => {
  writeFileSync(file(), 'mine');
  await expect(backup()).rejects.toThrow('EEXIST');
  expect(readFileSync(file(), 'utf8')).toBe('mine');
});

test('what was restored is backed up the same, on either kind of database', async () => {
  await backup();
  const directory = join(folder, 'other');
  if (!isPostgres(target.db)) {
    await target.close();
    target = await openDatabase(directory);
  }
  await restore();
  const write = (to: Parameters<typeof writeBackup>[2]) => (from: Parameters<typeof writeBackup>[0]) =>
    writeBackup(from, head, to);
  await writeBackupFile(file('second'), undefined, (to) =>
    isPostgres(target.db) ? withPostgres(target.db, write(to)) : withEmbedded(directory, write(to)),
  );
  const linesOf = (name: string) =>
    gunzipSync(readFileSync(file(name)))
      .toString()
      .split('\n')
      .sort();
  const parsed = (name: string) =>
    linesOf(name)
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  expect(parsed('second').length).toBe(parsed('backup').length);
  expect((await tokens(target.db)).length).toBe(1203);
});
