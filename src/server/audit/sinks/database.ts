import { type ColumnType, insertRows } from '../../db/dialect.ts';
import { fileIn } from '../../db/sqlite/file.ts';
import type { Db } from '../../db/tables.ts';
import { createIds } from '../../ids.ts';
import { createThread, threadModule } from '../../thread.ts';
import type { Sink } from '../event.ts';
import { columns, valuesOf } from './rows.ts';

/**
 * Writes events to the table `audit_events` of the database in a data directory, a batch in one transaction, in a thread
 * of its own: a commit and above all a checkpoint take milliseconds, in which no call would go on.
 */
export function databaseSink(
  directory: string,
  module: URL = threadModule(import.meta.url, 'database-thread', 'audit-thread'),
): Sink {
  const newId = createIds();
  const thread = createThread<string, void>({
    ...{ module, workerData: { file: fileIn(directory) }, name: 'writes audit events' },
    resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 },
  });
  // The first calls must not wait until it has started.
  thread.start();
  // The ids of a batch that failed: when only its answer was lost, the next attempt must not write it twice.
  let unsettled: readonly string[] = [];
  return {
    name: 'database',
    async write(events) {
      const ids = events.map((_, at) => unsettled[at] ?? newId());
      unsettled = ids;
      await thread.ask(JSON.stringify(events.map((event, at) => valuesOf(event, ids[at] ?? newId()))));
      unsettled = [];
    },
    async close() {
      await thread.end();
    },
  };
}

const types = {
  ...(Object.fromEntries(columns.map((column) => [column, 'text'])) as Record<string, ColumnType>),
  ...({ status: 'integer', duration_ms: 'real', count: 'integer' } as const),
};

/** Writes events to the table `audit_events` of PostgreSQL, a batch in one statement, on a connection of the pool. */
export function postgresSink(db: Db): Sink {
  const newId = createIds();
  // The ids of a batch that failed: when only its answer was lost, the next attempt must not write it twice.
  let unsettled: readonly string[] = [];
  return {
    name: 'database',
    async write(events) {
      const ids = events.map((_, at) => unsettled[at] ?? newId());
      unsettled = ids;
      const rows = events.map((event, at) => {
        const values = valuesOf(event, ids[at] ?? newId());
        return Object.fromEntries(columns.map((column, place) => [column, values[place] ?? null]));
      });
      await insertRows(db, 'audit_events', types, JSON.stringify(rows));
      unsettled = [];
    },
  };
}
