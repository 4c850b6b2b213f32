import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import type { Readable, Writable } from 'node:stream';
import { sql } from 'kysely';
import { fileIn } from './sqlite/file.ts';
import type { Db, Tables } from './tables.ts';

/** The first line of a backup; the others are one row each, and the last one says how many there are. */
export interface BackupHead {
  readonly format: 'mcp-gateway-backup/1';
  /** Of the program that wrote it. */
  readonly version: string;
  /** The steps that its database had taken: what it is restored into must have taken the same. */
  readonly migrations: readonly string[];
  /** ISO 8601 in UTC. */
  readonly createdAt: string;
}

/** Rows by table. */
export type Counts = Readonly<Record<string, number>>;

type Row = Readonly<Record<string, unknown>>;

/** A state of a database that stays as it is while it is read. */
export interface Snapshot {
  tables(): Promise<readonly string[]>;
  rows(table: string): AsyncIterable<Row> | Iterable<Row>;
}

/** What belongs to one database alone: its change feed, and who is doing what right now. */
const left: ReadonlySet<string> = new Set(['changes', 'leases', 'allowances']);
const isCarried = (table: string): boolean =>
  !left.has(table) && !table.startsWith('kysely_') && !table.startsWith('sqlite_');
const rowsAtOnce = 500;

/** Reads the embedded database of a data directory, which a gateway may have open and go on writing. */
export async function withEmbedded<T>(directory: string, use: (from: Snapshot) => Promise<T>): Promise<T> {
  const file = new DatabaseSync(fileIn(directory), { readOnly: true });
  try {
    file.exec('BEGIN');
    return await use({
      tables: async () =>
        file
          .prepare("select name from sqlite_master where type = 'table' order by name")
          .all()
          .map(({ name }) => String(name)),
      rows: (table) => file.prepare(`select * from "${table}"`).iterate() as Iterable<Row>,
    });
  } finally {
    file.close();
  }
}

/** Reads a database on PostgreSQL in one transaction that sees nothing of what is written meanwhile. */
export function withPostgres<T>(db: Db, use: (from: Snapshot) => Promise<T>): Promise<T> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute((trx) =>
      use({
        tables: async () => (await trx.introspection.getTables()).map(({ name }) => name).sort(),
        async *rows(table) {
          for (let last = '(0,0)'; ; ) {
            const page = (await trx
              .selectFrom(table as keyof Tables)
              .selectAll()
              .select(sql<string>`ctid::text`.as('__row'))
              .where(sql<boolean>`ctid > ${last}::tid`)
              .orderBy(sql`ctid`)
              .limit(rowsAtOnce)
              .execute()) as unknown as (Row & { __row: string })[];
            for (const { __row: _, ...row } of page) yield row;
            const end = page.at(-1);
            if (!end) return;
            last = end.__row;
          }
        },
      }),
    );
}

/** Writes a backup, a line of JSON for each row; resolves once it is written whole. */
export async function writeBackup(
  from: Snapshot,
  head: Omit<BackupHead, 'format' | 'migrations'>,
  to: Writable,
): Promise<Counts> {
  const write = async (line: object): Promise<void> => {
    if (!to.write(`${JSON.stringify(line)}\n`)) await once(to, 'drain');
  };
  const migrations: string[] = [];
  for await (const row of from.rows('kysely_migration')) migrations.push(String(row.name));
  await write({ format: 'mcp-gateway-backup/1', ...head, migrations: migrations.sort() });
  const counts: Record<string, number> = {};
  for (const table of (await from.tables()).filter(isCarried)) {
    counts[table] = 0;
    for await (const row of from.rows(table)) {
      counts[table] += 1;
      await write({ t: table, r: row });
    }
  }
  await write({ end: counts });
  return counts;
}

/** What a backup cannot be restored for, in words. */
export class RestoreRefused extends Error {}

/**
 * Puts a backup into a database without rows of its own, all of it or nothing; with `isDryRun` it is read whole and nothing
 * stays. Throws RestoreRefused when the target has rows or another version, and when the backup does not end.
 */
export async function readBackup(
  from: Readable,
  to: Db,
  { isDryRun }: { readonly isDryRun: boolean },
): Promise<{ head: BackupHead; rows: Counts }> {
  let result: { head: BackupHead; rows: Counts } | undefined;
  const undo = new Error('a dry run');
  try {
    await to.transaction().execute(async (trx) => {
      await assertEmpty(trx);
      result = await insertAll(from, trx);
      if (isDryRun) throw undo;
    });
  } catch (error) {
    if (error !== undo) throw error;
  }
  if (!result) throw new RestoreRefused('the backup is empty');
  return result;
}

async function assertEmpty(trx: Db): Promise<void> {
  for (const { name } of await trx.introspection.getTables()) {
    if (!isCarried(name)) continue;
    const taken = await trx
      .selectFrom(name as keyof Tables)
      .select(sql<number>`1`.as('one'))
      .limit(1)
      .execute();
    if (taken.length > 0)
      throw new RestoreRefused(
        `the target has rows in '${name}' already; restore into an empty database: another DATA_DIR or DATABASE_URL`,
      );
  }
}

async function insertAll(from: Readable, trx: Db): Promise<{ head: BackupHead; rows: Counts }> {
  const known = new Set((await trx.introspection.getTables()).map(({ name }) => name).filter(isCarried));
  let head: BackupHead | undefined;
  let end: Counts | undefined;
  const rows: Record<string, number> = {};
  let batch: { readonly table: string; readonly rows: Row[] } = { table: '', rows: [] };
  const flush = async (): Promise<void> => {
    if (batch.rows.length > 0)
      await trx
        .insertInto(batch.table as keyof Tables)
        .values(batch.rows as never)
        .execute();
  };
  for await (const text of linesOf(from)) {
    const line = JSON.parse(text) as { t?: string; r?: Row; end?: Counts };
    if (!head) {
      head = headOf(line, await migrationsOf(trx));
      continue;
    }
    if (line.end) {
      end = line.end;
      for (const table of Object.keys(end)) rows[table] ??= 0;
      continue;
    }
    if (!line.t || !line.r || !known.has(line.t))
      throw new RestoreRefused('the backup has a line that is no row');
    const wide = Object.keys(line.r).length;
    // Below the values that either database takes in one statement.
    if (batch.table !== line.t || batch.rows.length >= Math.min(rowsAtOnce, Math.floor(30_000 / wide))) {
      await flush();
      batch = { table: line.t, rows: [] };
    }
    batch.rows.push(line.r);
    rows[line.t] = (rows[line.t] ?? 0) + 1;
  }
  await flush();
  if (!head || !end || JSON.stringify(sorted(end)) !== JSON.stringify(sorted(rows)))
    throw new RestoreRefused('the backup is not complete: its end is missing; take a new one');
  return { head, rows };
}

/** The lines of a text; an error of the stream is thrown, which readline would not do. */
async function* linesOf(from: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const part of from.setEncoding('utf8')) {
    const lines = `${rest}${part}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '')
    throw new RestoreRefused('the backup is not complete: it ends in the middle of a line; take a new one');
}

function sorted(counts: Counts): [string, number][] {
  return Object.entries(counts).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

async function migrationsOf(db: Db): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  return rows.map(({ name }) => name);
}

function headOf(line: object, here: readonly string[]): BackupHead {
  const head = line as Partial<BackupHead>;
  if (head.format !== 'mcp-gateway-backup/1' || !Array.isArray(head.migrations))
    throw new RestoreRefused('the file is no backup of this program');
  const there = [...head.migrations].sort();
  const newer = there.filter((name) => !here.includes(name));
  if (newer.length > 0)
    throw new RestoreRefused(
      `the backup is of version ${head.version}, whose database is newer than this program's (${newer.join(', ')}); restore it with that version`,
    );
  const older = here.filter((name) => !there.includes(name));
  if (older.length > 0)
    throw new RestoreRefused(
      `the backup is of version ${head.version}, whose database is older (${older.join(', ')} came later); restore it with that version, then start this one, which brings it up to date`,
    );
  return head as BackupHead;
}
