import { setTimeout } from 'node:timers/promises';
import { type AuditFilters, type auditEndpoints, longestSummary } from '../../../contract/audit.ts';
import { type Handlers, Reply } from '../../../contract/endpoint.ts';
import type { Caller } from '../../access/caller.ts';
import type { Trail } from '../../audit/event.ts';
import type { Db } from '../../db/tables.ts';
import { Failure, invalidInput } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import { cursorOf, placeOf } from './cursor.ts';
import { exportHeaders, exportStream } from './export.ts';
import { findEvent, readPage } from './store.ts';
import { facetsIn, type Stretch, summarize } from './summary.ts';

/** What the endpoints of the audit trail need. */
export interface AuditEventsWorld {
  /** The database, for queries that take long. */
  readonly reads: Db;
  readonly now: () => number;
  /** What is still held of the trail is written out before it is read. */
  readonly trail: Pick<Trail, 'flush'>;
  /** How many days an event is kept. */
  readonly retentionDays: number;
  /** How long reading waits at most for what is still held, in milliseconds: a sink elsewhere may hang. Default 500. */
  readonly patience?: number;
}

const day = 86_400_000;

/** Answers the endpoints of the audit trail. */
export function auditEventHandlers(
  world: AuditEventsWorld,
): Handlers<typeof auditEndpoints, Caller<Identity>> {
  const { reads, now, trail, retentionDays, patience = 500 } = world;
  const upToDate = () => Promise.race([trail.flush(), setTimeout(patience, undefined, { ref: false })]);
  return {
    async 'audit.list'({ query: { limit, cursor, ...filters } }) {
      await upToDate();
      const before = cursor === undefined ? null : placeOf(cursor);
      const { events, next } = await readPage(reads, filters, { before, limit });
      return { events, next_cursor: next && cursorOf(next), searched_to: next?.at ?? null };
    },

    async 'audit.get'({ params }) {
      await upToDate();
      const event = await findEvent(reads, params.id);
      if (!event) throw new Failure('not_found', 'There is no such event, or it is past its retention time.');
      return event;
    },

    async 'audit.summary'({ query: { from, to, ...filters } }) {
      await upToDate();
      const summary = await summarize(reads, stretchOf({ from, to }, now()), filters);
      return { ...summary, retention_days: retentionDays };
    },

    async 'audit.facets'({ query: { from, to, ...filters } }) {
      await upToDate();
      return facetsIn(reads, stretchOf({ from, to }, now()), filters);
    },

    async 'audit.export'({ query: { format, limit, ...filters } }, { note }) {
      await upToDate();
      note({ format, limit, filters: Object.keys(filters).length > 0 ? filters : null });
      return new Reply(exportStream(reads, filters, { format, limit }), exportHeaders(format, now()));
    },
  };
}

/** The stretch of time that is asked about, the last day unless asked; at most as long as a summary may be. */
export function stretchOf({ from, to }: Pick<AuditFilters, 'from' | 'to'>, now: number): Stretch {
  const end = to === undefined ? now : Date.parse(to);
  const begin = from === undefined ? end - day : Date.parse(from);
  const fault =
    begin >= end
      ? 'must be before the end'
      : end - begin > longestSummary * day
        ? `must be ${longestSummary} days before the end at most`
        : undefined;
  if (fault !== undefined)
    throw invalidInput([{ at: 'query.from', message: fault }], {
      said: `The beginning of the summary ${fault}.`,
    });
  return { from: begin, to: end };
}
