import { Kysely, PostgresDialect, sql } from 'kysely';
import type { PostgresSettings } from '../../config/config-database.ts';
import { migrate } from '../migrate.ts';
import type { OpenDatabase } from '../open.ts';
import type { Db, Tables } from '../tables.ts';
import { PlacedClient, placesOf } from './places.ts';
import { poolOf } from './pool.ts';

/** Where notifications of the change feed go. */
const channel = 'mcp_gateway_changes';
/** Tells this program's advisory locks from those of others in the same database. */
const lockNumber = 0x6d6370;
/** The oldest version that is supported, as PostgreSQL counts them. */
const leastVersion = 150_000;

/**
 * Opens the database on PostgreSQL and brings it to the newest version: of several processes that start at once one
 * migrates, and the others wait for it.
 */
export async function openPostgres(settings: PostgresSettings): Promise<OpenDatabase> {
  const migrated = await migratePostgres(settings);
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: poolOf(settings, 'pooled', settings.poolSize) }),
  });
  const listener = listen(settings);
  return {
    ...{ db, reads: db, migrated, hint: listener.hint },
    history: () => timelineOf(db),
    async close() {
      await listener.close();
      await db.destroy();
    },
  };
}

/** What says that a server has no timelines, or tells this account nothing of them. */
const untold = /^(0A000|42501|42883)$/;

/** The timeline that the server writes: a standby that takes over begins another one. Empty where there is none to be told. */
async function timelineOf(db: Db): Promise<string> {
  try {
    const { rows } = await sql<{
      file: string;
    }>`select pg_walfile_name(pg_current_wal_insert_lsn()) as file`.execute(db);
    return rows[0]?.file.slice(0, 8) ?? '';
  } catch (error) {
    if (untold.test(String((error as { code?: unknown }).code))) return '';
    throw error;
  }
}

/** Uses the database as it is, without bringing it up to date and without limits on how long that takes. */
export async function withPostgresAsIs<T>(
  settings: PostgresSettings,
  use: (db: Db) => Promise<T>,
): Promise<T> {
  const pool = poolOf(settings, 'unlimited', 1);
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  try {
    return await use(db);
  } finally {
    await db.destroy();
  }
}

/** Brings the database to the newest version, without limits on how long that takes; returns the steps taken. */
export async function migratePostgres(settings: PostgresSettings): Promise<string[]> {
  const pool = poolOf(settings, 'unlimited', 2);
  const lock = await pool.connect();
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  try {
    const { rows } = await lock.query<{ server_version_num: string }>('show server_version_num');
    if (Number(rows[0]?.server_version_num) < leastVersion)
      throw new Error(
        'the database needs PostgreSQL 15 or newer; upgrade it, or use the embedded database (no DATABASE_URL)',
      );
    await lock.query('select pg_advisory_lock($1)', [lockNumber]);
    const migrated = await migrate(db);
    await lock.query(`
      create or replace function ${channel}() returns trigger language plpgsql as
        $$ begin perform pg_notify('${channel}', ''); return null; end $$;
      create or replace trigger ${channel} after insert on changes for each statement execute function ${channel}();
    `);
    return migrated;
  } finally {
    // Ending the connection ends the lock, also where a pooler would keep it.
    lock.release(true);
    await db.destroy();
  }
}

/** Listens for changes on a connection of its own; one that is lost is made anew, and what was missed is looked for. */
function listen(settings: PostgresSettings) {
  const places = placesOf(settings, 'direct');
  const wakes = new Set<() => void>();
  const wakeAll = (): void => {
    for (const wake of wakes) wake();
  };
  let client: PlacedClient | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const connect = async (): Promise<void> => {
    const made = new PlacedClient(places);
    client = made;
    const again = (): void => {
      if (client !== made || closed) return;
      client = undefined;
      made.end().catch(() => {});
      timer = setTimeout(() => void connect(), 1000).unref();
    };
    made.on('error', again);
    made.on('end', again);
    made.on('notification', wakeAll);
    try {
      await made.connect();
      await made.query(`listen ${channel}`);
      wakeAll();
    } catch {
      again();
    }
  };
  void connect();
  return {
    hint(wake: () => void): () => void {
      wakes.add(wake);
      return () => wakes.delete(wake);
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await client?.end().catch(() => {});
    },
  };
}
