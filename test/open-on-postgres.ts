import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import type { OpenDatabase } from '../src/server/db/open.ts';
import { openPostgres } from '../src/server/db/postgres/open.ts';

export * from '../src/server/db/open.ts';

/** What `openMemory` is while the suite runs over PostgreSQL: a new database, copied from one that has been migrated. */
export async function openMemory(): Promise<OpenDatabase> {
  const template = inject('postgres');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const admin = new pg.Client({ connectionString: template.replace(/\/[^/]+$/, '/postgres') });
  await admin.connect();
  await admin.query(`create database ${name} template ${template.split('/').at(-1)} strategy file_copy`);
  const url = template.replace(/\/[^/]+$/, `/${name}`);
  const settings = { url, directUrl: null, ca: null, client: null, passwordFile: null, poolSize: 4 };
  const open = await openPostgres(settings);
  return {
    ...open,
    async close() {
      await open.close();
      await admin.query(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}
