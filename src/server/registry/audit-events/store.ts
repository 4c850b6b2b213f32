import { type Expression, type ExpressionBuilder, type Selectable, type SqlBool, sql } from 'kysely';
import type { AuditEventInFull, AuditEventShown, AuditFilters } from '../../../contract/audit.ts';
import { nameOfPath } from '../../../contract/servers/servers.ts';
import type { AuditEventsTable, Db, Tables } from '../../db/tables.ts';
import type { EventPlace } from './cursor.ts';

/** A part of the trail, newest first. */
interface Page<E> {
  readonly events: E[];
  /** Where the next part begins; null at the end of the trail. */
  readonly next: EventPlace | null;
}

/** Which part of the trail: what is older than `before`, `limit` events at most. */
export interface Part {
  readonly before: EventPlace | null;
  readonly limit: number;
}

/** The table as conditions see it. */
export type Events = ExpressionBuilder<Tables, 'audit_events'>;

/** Events that one page looks at: statements hold up everything else in the process, so none may take long. */
export const lookedAt = 10_000;

const searched = ['username', 'client_id', 'client_ip', 'action', 'resource', 'tool', 'reason'] as const;

/**
 * Reads a part of the trail. Where filters leave few events, a part may be short or empty with a `next`: it has looked at
 * `lookedAt` events and leaves the rest to the next one.
 */
export async function readPage(db: Db, filters: AuditFilters, part: Part): Promise<Page<AuditEventInFull>> {
  // An id is an index of its own, and without other filters every event looked at is shown.
  const direct = filters.correlation_id !== undefined;
  const window = db
    .selectFrom('audit_events')
    .selectAll()
    .where((e) => e.and(timesOf(e, filters, part.before)))
    .$if(direct, (query) => query.where('correlation_id', '=', filters.correlation_id ?? ''))
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(lookedAt);
  const rows = await db
    .selectFrom(window.as('audit_events'))
    .selectAll()
    .where((e) => e.and(restOf(e as unknown as Events, filters)))
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(part.limit + 1)
    .execute();
  const events = rows.slice(0, part.limit).map(inFull);
  const last = events.at(-1);
  if (rows.length > part.limit && last) return { events, next: { at: last.at, id: last.id } };
  return { events, next: direct ? null : await endOfWindow(db, filters, part.before) };
}

/** One event with its details; undefined when there is none, or none any more. */
export async function findEvent(db: Db, id: string): Promise<AuditEventInFull | undefined> {
  const row = await db.selectFrom('audit_events').selectAll().where('id', '=', id).executeTakeFirst();
  return row && inFull(row);
}

/** The last event that a page looks at, when it does not get to the end of the trail. */
async function endOfWindow(
  db: Db,
  filters: AuditFilters,
  before: EventPlace | null,
): Promise<EventPlace | null> {
  const row = await db
    .selectFrom('audit_events')
    .select(['at', 'id'])
    .where((e) => e.and(timesOf(e, filters, before)))
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .offset(lookedAt - 1)
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

/** What an index answers: the stretch of time, and whether it is only about what was not allowed. */
function timesOf(
  e: Events,
  { from, to, decision }: AuditFilters,
  before: EventPlace | null,
): Expression<SqlBool>[] {
  return [
    ...(from === undefined ? [] : [e('at', '>=', from)]),
    ...(to === undefined ? [] : [e('at', '<', to)]),
    ...(before === null
      ? []
      : [e('at', '<=', before.at), e.or([e('at', '<', before.at), e('id', '<', before.id)])]),
    // Word for word the condition of the index `audit_events_not_allowed`, without a parameter.
    ...(decision === undefined || decision === 'allow' ? [] : [sql<SqlBool>`decision <> 'allow'`]),
  ];
}

/** What filters demand besides the time. */
export function restOf(e: Events, filters: Omit<AuditFilters, 'from' | 'to'>): Expression<SqlBool>[] {
  const { kind, subject, client_id, credential_id, action, tool, decision, username, resource, status, q } =
    filters;
  const { matter } = filters;
  const equal = { kind, subject, client_id, credential_id, action, tool, decision };
  const conditions: Expression<SqlBool>[] = [];
  for (const [column, value] of Object.entries(equal))
    if (value !== undefined) conditions.push(e(column as keyof typeof equal, '=', value));
  if (username !== undefined) conditions.push(contains('username', username));
  if (resource !== undefined) {
    const name = nameOfPath(resource);
    conditions.push(e('resource', 'in', [name, `/${name}`]));
  }
  if (status !== undefined) {
    const hundreds = Number(status[0]) * 100;
    conditions.push(e('status', '>=', hundreds), e('status', '<', hundreds + 100));
  }
  if (matter !== undefined) conditions.push(e.or(matters[matter].map((one) => one(e))));
  if (q !== undefined) conditions.push(e.or(searched.map((column) => contains(column, q))));
  return conditions;
}

type Condition = (e: Events) => Expression<SqlBool>;

/** Somebody known was not allowed to do something; what was missing, malformed or not signed in is no denial. */
const denial: Condition = (e) =>
  e.and([
    e('decision', '=', 'deny'),
    e('subject', 'is not', null),
    e.or([e('kind', '=', 'mcp'), e('status', '=', 403)]),
  ]);
const change: Condition = (e) => e.and([e('kind', 'in', ['change', 'token']), e('decision', '=', 'allow')]);

/** What a person looks for, as conditions of which one must hold. */
const matters: Record<NonNullable<AuditFilters['matter']>, readonly Condition[]> = {
  attention: [denial, change],
  denials: [denial],
  changes: [change],
  'sign-ins': [(e) => e('kind', '=', 'sign-in')],
  failures: [(e) => e.and([e('kind', '=', 'mcp'), e('decision', '=', 'error')])],
};

/** Both sides are lowered by the database, because databases differ in which letters they know. */
function contains(column: (typeof searched)[number], text: string): Expression<SqlBool> {
  const pattern = `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
  return sql<SqlBool>`lower(${sql.ref(column)}) like lower(${pattern}) escape '\\'`;
}

function inFull({ detail, ...row }: Selectable<AuditEventsTable>): AuditEventInFull {
  const { kind, decision } = row as Pick<AuditEventShown, 'kind' | 'decision'>;
  return { ...row, kind, decision, detail: detail === null ? null : JSON.parse(detail) };
}
