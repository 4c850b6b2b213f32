import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { openFile } from '../../db/file.ts';
import { columns, type Value } from './rows.ts';

/** A batch on its way to the thread: the rows' values, one row after the other. */
export interface Batch {
  readonly number: number;
  readonly values: readonly Value[];
}

/** What the thread says of a batch: it is on disk, or why none of it is. */
export interface Written {
  readonly number: number;
  readonly failure?: Error;
}

let open: { readonly database: DatabaseSync; readonly insert: StatementSync } | undefined;

parentPort?.on('message', (batch: Batch) => {
  const { number } = batch;
  try {
    write(batch.values);
    parentPort?.postMessage({ number } satisfies Written);
  } catch (error) {
    parentPort?.postMessage({ number, failure: error as Error } satisfies Written);
  }
});

/** Opened with the first batch, so that a file which cannot be opened is the failure of a batch and is tried again. */
function opened(): NonNullable<typeof open> {
  if (!open) {
    const database = openFile((workerData as { file: string }).file);
    const places = columns.map(() => '?').join(', ');
    // A batch that is offered again after its answer was lost brings rows that are there.
    const text = `INSERT OR IGNORE INTO audit_events (${columns.join(', ')}) VALUES (${places})`;
    open = { database, insert: database.prepare(text) };
  }
  return open;
}

function write(values: readonly Value[]): void {
  const { database, insert } = opened();
  database.exec('BEGIN IMMEDIATE');
  try {
    for (let at = 0; at < values.length; at += columns.length)
      insert.run(...values.slice(at, at + columns.length));
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
