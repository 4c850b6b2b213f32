import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

/** A query on its way to the thread. */
export interface Question {
  readonly number: number;
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/** What came of it. */
export interface Read {
  readonly number: number;
  readonly rows?: readonly unknown[];
  readonly failure?: Error;
}

let database: DatabaseSync | undefined;

parentPort?.on('message', ({ number, sql, values }: Question) => {
  try {
    database ??= open();
    const rows = database.prepare(sql).all(...values);
    parentPort?.postMessage({ number, rows } satisfies Read);
  } catch (failure) {
    parentPort?.postMessage({ number, failure: failure as Error } satisfies Read);
  }
});

/** Opened with the first query, so that a file which cannot be opened fails that query and is tried again. */
function open(): DatabaseSync {
  const opened = new DatabaseSync((workerData as { file: string }).file, { readOnly: true });
  opened.exec('PRAGMA busy_timeout = 2000; PRAGMA query_only = ON;');
  return opened;
}
