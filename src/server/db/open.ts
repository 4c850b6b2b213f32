import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { migrate } from './migrate.ts';
import { fileIn, openFile } from './sqlite/file.ts';
import { nodeSqliteDialect } from './sqlite/node-sqlite.ts';
import { readingDialect } from './sqlite/reading.ts';
import type { Db, Tables } from './tables.ts';

/** An open database that this process alone may write. */
export interface OpenDatabase {
  readonly db: Db;
  /** The same database for queries that take long: they hold up nothing else. Reads only, without transactions. */
  readonly reads: Db;
  /** The migrations that this start has run. */
  readonly migrated: readonly string[];
  /** Calls back after each commit of a change that this process made; returns how to stop that. */
  readonly hint: (wake: () => void) => () => void;
  /** Which course of commits the database has taken: another one when a standby took over, which may lack the last of them. */
  readonly history?: () => Promise<string>;
  close(): Promise<void>;
}

/** Another process holds the directory. */
export class DirectoryInUse extends Error {}

/** Opens the database in `directory` (made with mode 0700 if missing), locks the directory and runs the migrations. */
export async function openDatabase(directory: string): Promise<OpenDatabase> {
  const release = usable(directory, () => {
    makeDirectory(directory);
    chmodSync(directory, 0o700);
    return lockDirectory(directory);
  });
  try {
    const { db, hint } = databaseOver(openFile(fileIn(directory)));
    const migrated = await migrate(db);
    // No other process has this directory open: whoever held a lease here is gone.
    await db.deleteFrom('leases').execute();
    const reads = new Kysely<Tables>({ dialect: readingDialect(fileIn(directory)) });
    return {
      ...{ db, reads, migrated, hint },
      async close() {
        await reads.destroy();
        await db.destroy();
        release();
      },
    };
  } catch (error) {
    release();
    throw asUnusable(directory, error);
  }
}

/** Node's own recursive form never returns where a directory can be read but nothing made, as in /proc. */
function makeDirectory(directory: string): void {
  if (existsSync(directory)) return;
  const parent = dirname(directory);
  if (parent !== directory) makeDirectory(parent);
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Why nothing can be written, by the code of the system or of SQLite. */
const unusable: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space, or move the directory to another disk with DATA_DIR',
  EDQUOT:
    'the quota of the disk is used up; free some space, or move the directory to another disk with DATA_DIR',
  EROFS: 'the file system is read-only; mount it writable, or name a writable directory with DATA_DIR',
  EACCES:
    'this account may not write there; give it the directory (chown), or name another one with DATA_DIR',
  EPERM: 'this account may not write there; give it the directory (chown), or name another one with DATA_DIR',
  ENOENT: 'it cannot be created there; name another directory with DATA_DIR',
  ENOTDIR: 'a part of the path is a file; name another directory with DATA_DIR',
};

const ofSqlite: Readonly<Record<number, string>> = { 8: 'EROFS', 10: 'ENOSPC', 13: 'ENOSPC', 14: 'EACCES' };

/** The error of a data directory that cannot be written to, in words; any other error as it is. */
export function asUnusable(directory: string, error: unknown): unknown {
  const { code = '', errcode = 0 } = error as { code?: string; errcode?: number };
  const why = unusable[code === 'ERR_SQLITE_ERROR' ? (ofSqlite[errcode & 0xff] ?? '') : code];
  return why ? new Error(`the data directory ${directory} cannot be used: ${why}`, { cause: error }) : error;
}

function usable<T>(directory: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    throw asUnusable(directory, error);
  }
}

/** What all migrations have made, for the next database of this process. */
let migratedMemory: { readonly migrated: readonly string[]; copyTo(file: DatabaseSync): void } | undefined;

/** A database in memory with all migrations, for tests: only the first of a process runs them, the next get what came of it. */
export async function openMemory(): Promise<OpenDatabase> {
  const file = new DatabaseSync(':memory:');
  migratedMemory?.copyTo(file);
  const { db, hint } = databaseOver(file);
  if (!migratedMemory) migratedMemory = { migrated: await migrate(db), copyTo: contentOf(file) };
  return { db, reads: db, hint, migrated: migratedMemory.migrated, close: () => db.destroy() };
}

/** Takes down the tables of a database with their rows; returns what makes the same in an empty one. */
function contentOf(file: DatabaseSync): (to: DatabaseSync) => void {
  const made = file
    .prepare('SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid')
    .all();
  // Those of SQLite itself come along with the others.
  const own = made.filter(({ name }) => !String(name).startsWith('sqlite_'));
  const schema = own.map(({ sql }) => `${sql};`).join('\n');
  const filled = made.flatMap(({ type, name }) => {
    const rows = type === 'table' ? file.prepare(`SELECT * FROM "${name}"`).all() : [];
    return rows.length > 0 ? [{ name, rows }] : [];
  });
  return (to) => {
    to.exec(`PRAGMA foreign_keys = OFF; BEGIN; ${schema}`);
    for (const { name, rows } of filled)
      for (const row of rows) {
        const places = Object.keys(row).map(() => '?');
        to.prepare(`INSERT INTO "${name}" VALUES (${places.join(', ')})`).run(...Object.values(row));
      }
    to.exec('COMMIT; PRAGMA foreign_keys = ON');
  };
}

function databaseOver(file: DatabaseSync): Pick<OpenDatabase, 'db' | 'hint'> {
  const wakes = new Set<() => void>();
  const db = new Kysely<Tables>({
    dialect: nodeSqliteDialect(file, () => {
      for (const wake of wakes) wake();
    }),
  });
  return {
    db,
    hint(wake) {
      wakes.add(wake);
      return () => wakes.delete(wake);
    },
  };
}

/**
 * Holds an exclusive SQLite transaction on `lock.db`: the operating system drops that lock when the process ends, however
 * it ends, so no stale lock file can ever stand in the way.
 */
function lockDirectory(directory: string): () => void {
  const holder = join(directory, 'lock.pid');
  const lock = new DatabaseSync(join(directory, 'lock.db'));
  try {
    lock.exec('PRAGMA journal_mode = DELETE; PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE;');
  } catch (error) {
    lock.close();
    // Busy is the one way in which SQLite says that somebody else has it.
    if (((error as { errcode?: number }).errcode ?? 5) !== 5) throw error;
    throw new DirectoryInUse(
      `the data directory ${directory} is in use by another gateway (process ${processIn(holder)}). ` +
        'Stop that process, or give this one another directory with DATA_DIR.',
      { cause: error },
    );
  }
  writeFileSync(holder, String(process.pid));
  return () => {
    lock.exec('ROLLBACK');
    lock.close();
  };
}

function processIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim() || 'unknown';
  } catch {
    return 'unknown';
  }
}
