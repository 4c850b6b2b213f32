import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { workerData } from 'node:worker_threads';
import { openFile } from '../../db/sqlite/file.ts';
import { answerQuestions } from '../../thread.ts';
import { columns, type Value } from './rows.ts';

/** Rows of one statement: most of what a row costs is the call. */
const together = 16;

let open: { database: DatabaseSync; one: StatementSync; many: StatementSync } | undefined;

// A batch is a list of rows as JSON text, which is cheaper to hand over than the list.
answerQuestions((batch: string): void => write(JSON.parse(batch) as Value[][]));

/** Opened with the first batch, so that a file which cannot be opened is the failure of a batch and is tried again. */
function opened(): NonNullable<typeof open> {
  if (!open) {
    const database = openFile((workerData as { file: string }).file);
    open = { database, one: database.prepare(insert(1)), many: database.prepare(insert(together)) };
  }
  return open;
}

function insert(rows: number): string {
  const row = `(${columns.map(() => '?').join(', ')})`;
  const values = new Array(rows).fill(row).join(', ');
  // A batch that is offered again after its answer was lost brings rows that are there.
  return `INSERT OR IGNORE INTO audit_events (${columns.join(', ')}) VALUES ${values}`;
}

function write(rows: readonly Value[][]): void {
  const { database, one, many } = opened();
  database.exec('BEGIN IMMEDIATE');
  try {
    const whole = rows.length - (rows.length % together);
    for (let at = 0; at < whole; at += together) many.run(...rows.slice(at, at + together).flat());
    for (const row of rows.slice(whole)) one.run(...row);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
