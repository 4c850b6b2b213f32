import type { Kysely } from 'kysely';

/** When a server's health became another: what its history is drawn from. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('health_changes')
    .addColumn('server_id', 'text', (c) => c.notNull())
    .addColumn('at', 'text', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('reason', 'text')
    .addColumn('detail', 'text')
    .addPrimaryKeyConstraint('health_changes_pk', ['server_id', 'at'])
    .execute();
}
