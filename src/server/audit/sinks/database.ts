import type { CompiledQuery } from 'kysely';
import type { AuditEventsTable, Db } from '../../db/tables.ts';
import type { AuditEvent, Sink } from '../event.ts';
import { createIds } from './ids.ts';

/** Rows a statement: SQLite allows 32,766 parameters, and one compiled statement per size is kept. */
const rowsAtOnce = 64;

/** Writes events to the table `audit_events`, a batch in one transaction. */
export function databaseSink(db: Db): Sink {
  const newId = createIds();
  // The text of a full statement is always the same, and making it anew costs more than running it.
  let full: CompiledQuery | undefined;
  const statement = (rows: readonly AuditEventsTable[]): CompiledQuery => {
    if (rows.length < rowsAtOnce) return db.insertInto('audit_events').values(rows).compile();
    full ??= db.insertInto('audit_events').values(rows).compile();
    return { ...full, parameters: rows.flatMap((row) => Object.values(row)) };
  };
  return {
    name: 'database',
    async write(events) {
      const rows = events.map((event) => rowOf(event, newId()));
      await db.transaction().execute(async (transaction) => {
        for (let from = 0; from < rows.length; from += rowsAtOnce)
          await transaction.executeQuery(statement(rows.slice(from, from + rowsAtOnce)));
      });
    },
  };
}

/** Deletes what is older than the retention time; answers how many events went. */
export async function deleteOldEvents(db: Db, before: string): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('audit_events')
    .where('at', '<', before)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

/** All rows have the same members in the same order, which is that of the statement's parameters. */
function rowOf(event: AuditEvent, id: string): AuditEventsTable {
  return {
    id,
    at: event.at,
    kind: event.kind,
    correlation_id: event.correlationId,
    provider: event.who?.provider ?? null,
    subject: event.who?.subject ?? null,
    username: event.who?.username ?? null,
    client_id: event.who?.clientId ?? null,
    auth_method: event.who?.method ?? null,
    client_ip: event.clientIp,
    action: event.action,
    resource: event.resource,
    tool: event.tool ?? null,
    decision: event.decision,
    reason: event.reason ?? null,
    status: event.status,
    duration_ms: event.durationMs,
    detail: event.detail ? JSON.stringify(event.detail) : null,
  };
}
