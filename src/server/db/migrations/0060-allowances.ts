import type { Kysely } from 'kysely';

/** How often something was done that all replicas together limit: for each name, from when on all of it is free again. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('allowances')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('free_at', 'bigint', (c) => c.notNull())
    .execute();
}
