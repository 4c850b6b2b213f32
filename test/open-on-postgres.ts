import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import pg from 'pg';
import { inject } from 'vitest';
import type { OpenDatabase } from '../src/server/db/open.ts';
import { openPostgres } from '../src/server/db/postgres/open.ts';
import type { Db } from '../src/server/db/tables.ts';

export * from '../src/server/db/open.ts';

/** Databases of this test file that nobody uses right now. Making one takes long, emptying one does not. */
const free: string[] = [];

/** What `openMemory` is while the suite runs over PostgreSQL: an empty database on a real server. */
export async function openMemory(): Promise<OpenDatabase> {
  const url = free.pop() ?? (await copyTemplate());
  const settings = { url, directUrl: null, ca: null, client: null, passwordFile: null, poolSize: 4 };
  const open = await openPostgres(settings);
  await sql.raw(emptying).execute(open.db);
  const tables = await countTables(open.db);
  return {
    ...open,
    async close() {
      // A test that dropped a table has spoilt its database for others.
      const isWhole = (await countTables(open.db)) === tables;
      await open.close();
      if (isWhole) free.push(url);
    },
  };
}

async function countTables(db: Db): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from pg_tables where schemaname = 'public'`.execute(db);
  return rows[0]?.count ?? 0;
}

/** A new database, copied from one that has been migrated; it goes with the server. */
export async function copyTemplate(): Promise<string> {
  const template = inject('postgres');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const admin = new pg.Client({ connectionString: template.replace(/\/[^/]+$/, '/postgres') });
  await admin.connect();
  await admin.query(`create database ${name} template ${template.split('/').at(-1)}`);
  await admin.end();
  return template.replace(/\/[^/]+$/, `/${name}`);
}

/** Leaves the tables as the migrations made them: no migration writes a row into an empty database. */
const emptying = `do $$
declare one record;
begin
  for one in select tablename from pg_tables where schemaname = 'public' and tablename not like 'kysely%' loop
    execute format('delete from %I', one.tablename);
  end loop;
  -- What a test added to make a table refuse rows.
  for one in select conrelid::regclass as place, conname from pg_constraint where not convalidated loop
    execute format('alter table %s drop constraint %I', one.place, one.conname);
  end loop;
  for one in select sequencename from pg_sequences where schemaname = 'public' loop
    execute format('alter sequence %I restart', one.sequencename);
  end loop;
end $$`;
