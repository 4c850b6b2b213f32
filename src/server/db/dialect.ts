import { type Kysely, PostgresAdapter, type RawBuilder, sql } from 'kysely';
import { Failure } from '../failure/errors.ts';
import type { Db, Tables } from './tables.ts';

/** Whether the database is PostgreSQL; otherwise it is the embedded SQLite. */
export function isPostgres<T>(db: Kysely<T>): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

/** The database's own clock in milliseconds since 1970: the same for every process, whatever their clocks say. */
export function databaseTime<T>(db: Kysely<T>): RawBuilder<number> {
  return isPostgres(db)
    ? sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`
    : sql<number>`cast(unixepoch('subsec') * 1000 as integer)`;
}

/**
 * Bytes that a table takes, about: in PostgreSQL its rows by the size of the newest ones, with half as much for indexes,
 * since its files do not shrink with it; in SQLite the pages of the whole database that are in use.
 */
export async function usedBytes(db: Db, table: keyof Tables): Promise<number> {
  const query = isPostgres(db)
    ? sql<{ bytes: number | string | null }>`
        select (select n_live_tup from pg_stat_user_tables
                where relid = cast(${table} as regclass)) * 1.5 *
               (select avg(pg_column_size(sample.*)) from (select * from ${sql.table(table)} limit 1000) sample) as bytes`
    : sql<{ bytes: number | string | null }>`
        select (c.page_count - f.freelist_count) * s.page_size as bytes
        from pragma_page_count() c, pragma_freelist_count() f, pragma_page_size() s`;
  const { rows } = await query.execute(db);
  return Math.round(Number(rows[0]?.bytes ?? 0));
}

/** The type of a column, as PostgreSQL calls it. */
export type ColumnType = 'text' | 'integer' | 'real';

/**
 * Inserts many rows by one parameter, a JSON array of objects: a parameter for each value cost the process three times as
 * much, most of it to write the statement. Rows that are there already stay.
 */
export async function insertRows(
  db: Db,
  table: keyof Tables,
  columns: Readonly<Record<string, ColumnType>>,
  rows: string,
): Promise<void> {
  const names = sql.join(Object.keys(columns).map((name) => sql.ref(name)));
  const typed = sql.join(
    Object.entries(columns).map(([name, type]) => sql`${sql.ref(name)} ${sql.raw(type)}`),
  );
  await sql`insert into ${sql.table(table)} (${names})
    select ${names} from json_to_recordset(${rows}::json) as given(${typed}) on conflict do nothing`.execute(
    db,
  );
}

/**
 * Refuses text with NUL among the parameters of a statement: PostgreSQL stores and compares no such text, and what the embedded
 * database took could not be moved there. In front of both, so that no way in has to think of it.
 */
export function assertStorable(parameters: readonly unknown[]): void {
  for (const value of parameters)
    if (typeof value === 'string' && value.includes('\0'))
      throw new Failure('bad_request', 'Text may not contain the character NUL (U+0000). Leave it out.');
}
