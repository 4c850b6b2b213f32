import { chmodSync, closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** The file of the database in a data directory. */
export function fileIn(directory: string): string {
  return join(directory, 'gateway.db');
}

/** Opens a database file in WAL mode; a commit survives the end of the process, and a checkpoint the loss of power. */
export function openFile(file: string): DatabaseSync {
  // Before SQLite opens it, since its journal files take the mode of the database.
  closeSync(openSync(file, 'a', 0o600));
  for (const name of [file, `${file}-wal`, `${file}-shm`]) if (existsSync(name)) chmodSync(name, 0o600);
  const database = new DatabaseSync(file);
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 2000;',
  );
  return database;
}
