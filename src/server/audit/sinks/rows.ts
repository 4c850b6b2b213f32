import type { AuditEventsTable } from '../../db/tables.ts';
import type { AuditEvent } from '../event.ts';

/** The columns of `audit_events`, in the order of a row's values. */
export const columns = [
  'id',
  'at',
  'kind',
  'correlation_id',
  'provider',
  'subject',
  'username',
  'client_id',
  'auth_method',
  'client_ip',
  'action',
  'resource',
  'tool',
  'decision',
  'reason',
  'status',
  'duration_ms',
  'detail',
  'credential_id',
  'count',
  'last_at',
] as const satisfies readonly (keyof AuditEventsTable)[];

/** A value of a row. */
export type Value = string | number | null;

/** An event as the values of its row. */
export function valuesOf(event: AuditEvent, id: string): Value[] {
  const { who } = event;
  return [
    id,
    event.at,
    event.kind,
    event.correlationId,
    who?.provider ?? null,
    who?.subject ?? null,
    who?.username ?? null,
    who?.clientId ?? null,
    who?.method ?? null,
    event.clientIp,
    event.action,
    event.resource,
    event.tool ?? null,
    event.decision,
    event.reason ?? null,
    event.status,
    event.durationMs,
    event.detail ? JSON.stringify(event.detail) : null,
    who?.credentialId ?? null,
    event.repeated?.count ?? 1,
    event.repeated?.lastAt ?? null,
  ];
}

/** An event as an object with the names of the columns, without its id and what is not there; for those who are told besides. */
export function membersOf(event: AuditEvent): Record<string, unknown> {
  const values = valuesOf(event, event.correlationId);
  return Object.fromEntries(
    columns.flatMap((column, at): [string, unknown][] => {
      const value = values[at] ?? null;
      if (column === 'id' || value === null) return [];
      return [[column, column === 'detail' ? event.detail : value]];
    }),
  );
}
