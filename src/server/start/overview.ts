import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { sql } from 'kysely';
import type { Output } from '../../contract/endpoint.ts';
import type { systemEndpoints } from '../../contract/system.ts';
import type { TrailRoom } from '../audit/room.ts';
import type { Config } from '../config/config.ts';
import type { DatabaseClock } from '../db/clock.ts';
import { databaseTime, isPostgres, usedBytes } from '../db/dialect.ts';
import type { Db } from '../db/tables.ts';
import type { Log } from '../log.ts';

type Overview = Output<(typeof systemEndpoints)['system.overview']>;

/** How often a process says that it serves, and for how long it is taken at its word, in milliseconds. */
const [saysEvery, counts] = [15_000, 60_000];

/** How far the clock may be from that of the database until it is said, in milliseconds. */
const clockMayBeOff = 5_000;

/** Has this process be known as one of those that serve, and sets its clock by that of the database; resolves to how to end that. */
export async function announceProcess(
  { db, log, clock }: { readonly db: Db; readonly log: Pick<Log, 'warn'>; readonly clock: DatabaseClock },
  { version, startedAt, id = randomUUID() }: { version: string; startedAt: string; id?: string },
): Promise<() => Promise<void>> {
  const say = async (): Promise<void> => {
    const seen_at = databaseTime(db);
    const said = { host: hostname(), pid: process.pid, version, started_at: startedAt, seen_at };
    const asked = Date.now();
    const { seen_at: time } = await db
      .insertInto('processes')
      .values({ id, ...said })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ seen_at }))
      .returning('seen_at')
      .executeTakeFirstOrThrow();
    warnOfClock(clock.set(Number(time), asked, Date.now()));
    await db
      .deleteFrom('processes')
      .where('seen_at', '<', sql<number>`${databaseTime(db)} - ${sql.lit(counts * 60)}`)
      .execute();
  };
  let isOff = false;
  const warnOfClock = (offMs: number): void => {
    const was = isOff;
    isOff = Math.abs(offMs) > clockMayBeOff;
    if (isOff && !was)
      log.warn(
        { offMs },
        'the clocks of this machine and of the database differ; set both by NTP. That of the database counts; OAuth codes and tokens of this gateway still go by that of this machine',
      );
  };
  const unless = (error: unknown): void =>
    log.warn({ err: error }, 'this process could not be noted as one that serves');
  await say().catch(unless);
  const timer = setInterval(() => void say().catch(unless), saysEvery).unref();
  return async () => {
    clearInterval(timer);
    await db.deleteFrom('processes').where('id', '=', id).execute().catch(unless);
  };
}

/** What an administrator wants to know of the whole gateway: who serves, where it is stored, how much of each there is. */
export async function overview(base: {
  readonly reads: Db;
  readonly config: Pick<Config, 'auditRoom' | 'auditRetentionDays'>;
  readonly trailRoom: () => TrailRoom;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}): Promise<Overview> {
  // A long trail takes a while to count: not on the thread that calls go over.
  const { reads: db, config, trailRoom, now } = base;
  const at = new Date(now()).toISOString();
  const room = trailRoom();
  const processes = await db
    .selectFrom('processes')
    .select(['host', 'pid', 'version', 'started_at'])
    .where('seen_at', '>', sql<number>`${databaseTime(db)} - ${sql.lit(counts)}`)
    .orderBy('started_at')
    .orderBy('host')
    .orderBy('pid')
    .execute();
  const oldest = await db
    .selectFrom('audit_events')
    .select((e) => e.fn.min<string | null>('at').as('at'))
    .executeTakeFirst();
  return {
    processes,
    database: {
      kind: isPostgres(db) ? 'postgresql' : 'embedded',
      bytes: isPostgres(db) ? await databaseBytes(db) : await usedBytes(db, 'servers'),
    },
    audit: {
      bytes: room.bytes,
      free_bytes: room.freeBytes,
      max_bytes: config.auditRoom.maxBytes || null,
      alarm: room.alarm,
      retention_days: config.auditRetentionDays,
      events: await countOf(db.selectFrom('audit_events')),
      oldest: oldest?.at ?? null,
    },
    counts: {
      servers: await countOf(db.selectFrom('servers')),
      agents: await countOf(db.selectFrom('agents')),
      virtual_servers: await countOf(db.selectFrom('virtual_servers')),
      people: await countOf(db.selectFrom('people')),
      sessions: await countOf(
        db.selectFrom('sessions').where('ended_at', 'is', null).where('expires_at', '>', at),
      ),
      tokens: await countOf(
        db.selectFrom('tokens').where('revoked_at', 'is', null).where('expires_at', '>', at),
      ),
      connected_clients: await countOf(
        db.selectFrom('oauth_grants').where('revoked_at', 'is', null).where('expires_at', '>', at),
      ),
      requests_waiting: await countOf(db.selectFrom('access_requests').where('status', '=', 'pending')),
    },
  };
}

/** Counts the rows of a query; whichever table it is of. */
async function countOf(query: { select(of: (e: CountBuilder) => unknown): unknown }): Promise<number> {
  const counting = query.select((e) => e.fn.countAll().as('n')) as {
    executeTakeFirstOrThrow(): Promise<{ n: number | string }>;
  };
  return Number((await counting.executeTakeFirstOrThrow()).n);
}

interface CountBuilder {
  readonly fn: { countAll(): { as(name: 'n'): unknown } };
}

async function databaseBytes(db: Db): Promise<number> {
  const { rows } = await sql<{
    bytes: number | string;
  }>`select pg_database_size(current_database()) as bytes`.execute(db);
  return Number(rows[0]?.bytes ?? 0);
}
