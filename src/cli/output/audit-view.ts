import type { AuditEventInFull, AuditEventShown } from '../../contract/audit.ts';
import { plainJson } from '../../contract/values/plain-text.ts';
import type { Paint, Style } from './output.ts';
import { fields, table } from './table.ts';

const styles = { allow: undefined, deny: 'yellow', error: 'red' } as const satisfies Record<
  AuditEventShown['decision'],
  Style | undefined
>;

/** Events as a table. */
export function auditTable(
  events: readonly AuditEventShown[],
  room: number | undefined,
  paint: Paint,
): string {
  return table(
    events,
    [
      { title: 'TIME', show: (event) => event.at },
      { title: 'WHO', show: whoOf },
      { title: 'KIND', show: (event) => event.kind, isMinor: true },
      {
        title: 'ACTION',
        show: (event) => (event.count > 1 ? `${event.action} (${event.count} times)` : event.action),
      },
      { title: 'RESOURCE', show: (event) => event.resource ?? '', isMinor: true },
      { title: 'TOOL', show: (event) => event.tool ?? '', isMinor: true },
      { title: 'OUTCOME', show: (event) => event.decision, style: (event) => styles[event.decision] },
      { title: 'STATUS', show: (event) => String(event.status), isMinor: true },
      { title: 'ID', show: (event) => event.id, isKey: true },
    ],
    room,
    paint,
  );
}

/** Who asked, or from where; repeated refusals may have come from several addresses. */
function whoOf({ username, client_ip, last_at }: AuditEventShown): string {
  return username ?? client_ip ?? (last_at === null ? 'unknown' : 'several');
}

/** One event in full. */
export function auditFields(event: AuditEventInFull, paint: Paint): string {
  const shown = fields(
    [
      ['Id', event.id],
      ['Time', event.at],
      ['Until', event.last_at],
      ['Requests', event.last_at === null ? null : String(event.count)],
      ['Kind', event.kind],
      ['Action', event.action],
      ['Resource', event.resource],
      ['Tool', event.tool],
      ['Who', event.username],
      ['Provider', event.provider],
      ['Subject', event.subject],
      ['Application', event.client_id],
      ['Authenticated by', event.auth_method],
      ['Address', event.client_ip],
      ['Outcome', event.decision],
      ['Status', event.status],
      ['Reason', event.reason],
      ['Took', `${event.duration_ms} ms`],
      ['Correlation id', event.correlation_id],
    ],
    paint,
  );
  return event.detail === null ? shown : `${shown}\n${paint('bold', 'Details:')}\n${plainJson(event.detail)}`;
}
