import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { workerData } from 'node:worker_threads';
import { answerQuestions } from '../../thread.ts';

/** A query on its way to the thread. */
export interface Question {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

let database: DatabaseSync | undefined;

answerQuestions(({ sql, values }: Question): readonly unknown[] => {
  database ??= open();
  return database.prepare(sql).all(...values);
});

/** Opened with the first query, so that a file which cannot be opened fails that query and is tried again. */
function open(): DatabaseSync {
  const opened = new DatabaseSync((workerData as { file: string }).file, { readOnly: true });
  opened.exec('PRAGMA busy_timeout = 2000; PRAGMA query_only = ON;');
  return opened;
}
