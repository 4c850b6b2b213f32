import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { migrate } from './migrate.ts';
import { fileIn, openFile } from './sqlite/file.ts';
import { nodeSqliteDialect } from './sqlite/node-sqlite.ts';
import type { Db, Tables } from './tables.ts';

/** An open database that this process alone may write. */
export interface OpenDatabase {
  readonly db: Db;
  /** The migrations that this start has run. */
  readonly migrated: readonly string[];
  /** Calls back after each commit of a change that this process made; returns how to stop that. */
  readonly hint: (wake: () => void) => () => void;
  close(): Promise<void>;
}

/** Another process holds the directory. */
export class DirectoryInUse extends Error {}

/** Opens the database in `directory` (made with mode 0700 if missing), locks the directory and runs the migrations. */
export async function openDatabase(directory: string): Promise<OpenDatabase> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  const release = lockDirectory(directory);
  try {
    const { db, hint } = databaseOver(openFile(fileIn(directory)));
    const migrated = await migrate(db);
    // No other process has this directory open: whoever held a lease here is gone.
    await db.deleteFrom('leases').execute();
    return {
      ...{ db, migrated, hint },
      async close() {
        await db.destroy();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** A database in memory with all migrations, for tests. */
export async function openMemory(): Promise<OpenDatabase> {
  const { db, hint } = databaseOver(new DatabaseSync(':memory:'));
  return { db, hint, migrated: await migrate(db), close: () => db.destroy() };
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
