import type { Kysely } from 'kysely';

/** Requests for access to servers with what came of them, and who owns a server by more than a name. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('servers').addColumn('owner', 'text').execute();
  await db.schema
    .createTable('access_requests')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('provider', 'text', (c) => c.notNull())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('username', 'text', (c) => c.notNull())
    .addColumn('path', 'text', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('open_key', 'text', (c) => c.unique())
    .addColumn('created_at', 'text', (c) => c.notNull())
    .addColumn('server_id', 'text')
    .addColumn('tools', 'text')
    .addColumn('note', 'text')
    .addColumn('decided_at', 'text')
    .addColumn('decided_by', 'text')
    .addColumn('ends_at', 'text')
    .addColumn('ended_at', 'text')
    .addColumn('ended_by', 'text')
    .execute();
  await db.schema
    .createIndex('access_requests_by_person')
    .on('access_requests')
    .columns(['provider', 'subject', 'created_at'])
    .execute();
  await db.schema
    .createIndex('access_requests_by_status')
    .on('access_requests')
    .columns(['status', 'created_at'])
    .execute();
}
