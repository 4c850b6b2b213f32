import { setImmediate } from 'node:timers/promises';
import { type SqlBool, sql } from 'kysely';
import type { AuditFacets, AuditFilters, AuditSummary } from '../../../contract/audit.ts';
import type { Db } from '../../db/tables.ts';
import { lookedAt, restOf } from './store.ts';

/** A stretch of time in milliseconds since 1970: from the first on, before the second. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];
const shown = 10;
/** Of how many refusals the summary is made at most, the newest: somebody may be trying all the time. */
const counted = 10_000;

/** Counts what happened in a stretch of time, and who was refused in it. */
export async function summarize(
  db: Db,
  stretch: Stretch,
  filters: Narrow = {},
): Promise<Omit<AuditSummary, 'retention_days'>> {
  const { bucket, size, slice } = bucketFor(stretch);
  return {
    from: iso(stretch.from),
    to: iso(stretch.to),
    bucket,
    timeline: await timelineOf(db, stretch, { size, slice }, filters),
    refusals: await refusalsIn(db, stretch, filters),
    failed_sign_ins: await failedSignIns(db, stretch, filters),
  };
}

/** What narrows the events down besides the time. */
type Narrow = Omit<AuditFilters, 'from' | 'to'>;

interface Buckets {
  readonly size: number;
  /** How much of a bucket one statement counts. */
  readonly slice: number;
}

/** A hundred buckets, or about as many. */
function bucketFor({ from, to }: Stretch): Buckets & { bucket: AuditSummary['bucket'] } {
  if (to - from <= 2 * hour) return { bucket: 'minute', size: minute, slice: minute };
  if (to - from <= 4 * day) return { bucket: 'hour', size: hour, slice: 5 * minute };
  return { bucket: 'day', size: day, slice: hour };
}

/** A statement a slice: one over everything would hold up the gateway for as long as it takes. */
async function timelineOf(
  db: Db,
  { from, to }: Stretch,
  { size, slice }: Buckets,
  filters: Narrow,
): Promise<AuditSummary['timeline']> {
  const timeline: AuditSummary['timeline'] = [];
  for (let at = from - (from % size); at < to; at += size) {
    const bucket = { at: iso(at), allow: 0, deny: 0, error: 0 };
    const end = Math.min(at + size, to);
    for (let begin = Math.max(at, from); begin < end; begin += slice) {
      const { allow, deny, error } = await countIn(
        db,
        { from: begin, to: Math.min(begin + slice, end) },
        filters,
      );
      bucket.allow += allow;
      bucket.deny += deny;
      bucket.error += error;
      await setImmediate();
    }
    timeline.push(bucket);
  }
  return timeline;
}

async function countIn(
  db: Db,
  { from, to }: Stretch,
  filters: Narrow,
): Promise<{ allow: number; deny: number; error: number }> {
  const counts = await db
    .selectFrom('audit_events')
    .select((e) => [
      e.fn.sum<number | null>('count').as('all'),
      sql<number>`sum(case when decision = 'deny' then count else 0 end)`.as('deny'),
      sql<number>`sum(case when decision = 'error' then count else 0 end)`.as('error'),
    ])
    .where('at', '>=', iso(from))
    .where('at', '<', iso(to))
    .where((e) => e.and(restOf(e, filters)))
    .executeTakeFirstOrThrow();
  const [deny, error] = [Number(counts.deny), Number(counts.error)];
  return { allow: Number(counts.all ?? 0) - deny - error, deny, error };
}

/** The newest events that were not allowed; the literal is that of the index made for them. */
function notAllowed(db: Db, { from, to }: Stretch, filters: Narrow) {
  return db
    .selectFrom('audit_events')
    .select(['provider', 'subject', 'username', 'client_ip', 'reason', 'at', 'count', 'last_at'])
    .where(sql<SqlBool>`decision <> 'allow'`)
    .where('at', '>=', iso(from))
    .where('at', '<', iso(to))
    .where((e) => e.and(restOf(e, filters)))
    .orderBy('at', 'desc')
    .limit(counted);
}

/** Every page asks who is signed in before anybody is; that is no attempt at anything. */
const isAttempt = sql<SqlBool>`not (action = 'auth.me' and coalesce(reason, '') = 'credential_missing')`;

async function refusalsIn(db: Db, stretch: Stretch, filters: Narrow): Promise<AuditSummary['refusals']> {
  // Whoever is known is one, from wherever they come; whoever is not is an address.
  const address = sql<string | null>`case when subject is null then client_ip end`;
  const rows = await db
    .selectFrom(
      notAllowed(db, stretch, filters).where('decision', '=', 'deny').where(isAttempt).as('refused'),
    )
    .select((e) => [
      ...(['provider', 'subject', 'username'] as const),
      address.as('client_ip'),
      e.fn.sum<number>('count').as('count'),
      sql<string>`max(coalesce(last_at, at))`.as('last_at'),
    ])
    .groupBy(['provider', 'subject', 'username', address])
    .orderBy('count', 'desc')
    .orderBy('last_at', 'desc')
    .limit(shown)
    .execute();
  return rows.map((row) => ({ ...row, count: Number(row.count) }));
}

async function failedSignIns(
  db: Db,
  stretch: Stretch,
  filters: Narrow,
): Promise<AuditSummary['failed_sign_ins']> {
  const rows = await db
    .selectFrom(notAllowed(db, stretch, filters).where('kind', '=', 'sign-in').as('failed'))
    .select((e) => [
      ...(['provider', 'subject', 'username', 'client_ip', 'reason'] as const),
      e.fn.sum<number>('count').as('count'),
      sql<string>`max(coalesce(last_at, at))`.as('last_at'),
    ])
    .groupBy(['provider', 'subject', 'username', 'client_ip', 'reason'])
    .orderBy('count', 'desc')
    .orderBy('last_at', 'desc')
    .limit(shown)
    .execute();
  return rows.map((row) => ({ ...row, count: Number(row.count) }));
}

const facetColumns = ['kind', 'decision', 'username', 'resource', 'tool', 'reason'] as const;

/** Which values occur how often in the newest events of a stretch that match. */
export async function facetsIn(db: Db, { from, to }: Stretch, filters: Narrow): Promise<AuditFacets> {
  const matching = db
    .selectFrom('audit_events')
    .select([...facetColumns, 'count'])
    .where('at', '>=', iso(from))
    .where('at', '<', iso(to))
    .where((e) => e.and(restOf(e, filters)))
    .orderBy('at', 'desc')
    .limit(lookedAt);
  const facets = {} as AuditFacets;
  for (const column of facetColumns) {
    const rows = await db
      .selectFrom(matching.as('matching'))
      .select((e) => [e.ref(column).as('value'), e.fn.sum<number>('count').as('count')])
      .where(column, 'is not', null)
      .groupBy(column)
      .orderBy('count', 'desc')
      .orderBy(column)
      .limit(shown)
      .execute();
    facets[column] = rows.map(({ value, count }) => ({
      ...{ value: value ?? '', count: Number(count), name: null },
    }));
    await setImmediate();
  }
  const ids = [...facets.resource, ...facets.username].map(({ value }) => value);
  const names = await namesOf(db, ids);
  const named = (one: AuditFacets['resource'][number]) => ({ ...one, name: names.get(one.value) ?? null });
  return { ...facets, resource: facets.resource.map(named), username: facets.username.map(named) };
}

/** What the tokens, clients, requests and applications are called whose ids are among `ids`; those without a name are left out. */
async function namesOf(db: Db, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const [tokens, clients, requests, people] = await Promise.all([
    db.selectFrom('tokens').select(['id', 'description', 'username']).where('id', 'in', ids).execute(),
    db.selectFrom('oauth_clients').select(['client_id', 'name']).where('client_id', 'in', ids).execute(),
    db.selectFrom('access_requests').select(['id', 'username', 'path']).where('id', 'in', ids).execute(),
    db.selectFrom('people').select(['username', 'name']).where('username', 'in', ids).execute(),
  ]);
  return new Map(
    [
      ...tokens.map((one) => [one.id, [one.description, one.username].filter(Boolean).join(' · ')] as const),
      ...clients.map((one) => [one.client_id, one.name] as const),
      ...requests.map((one) => [one.id, `${one.username} · ${one.path}`] as const),
      // A person is known by the user name; an application's is its id.
      ...people.flatMap(({ username, name }) =>
        username.includes('@') || name === null ? [] : [[username, name] as const],
      ),
    ].filter(([, name]) => name !== ''),
  );
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
