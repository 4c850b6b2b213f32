import type { Db } from '../../db/tables.ts';
import { createIds } from '../../ids.ts';
import type { Sink } from '../event.ts';
import { columns, valuesOf } from './rows.ts';

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
      await db
        .insertInto('audit_events')
        .values(rows as never)
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      unsettled = [];
    },
  };
}
