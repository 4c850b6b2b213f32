import type { Kysely } from 'kysely';

/** Refresh, ending and listing of sessions; groups of applications that their provider does not tell. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const columns: readonly (readonly [string, string])[] = [
    ['people', 'tenant'],
    ['people', 'refresh_sealed'],
    ['people', 'refused_at'],
    ['people', 'refused_because'],
    ['sessions', 'sid'],
    ['sessions', 'ended_at'],
    ['sessions', 'ended_because'],
    ['sessions', 'claims'],
  ];
  for (const [table, column] of columns)
    await db.schema.alterTable(table).addColumn(column, 'text').execute();
  await db.schema.createIndex('sessions_by_owner').on('sessions').columns(['provider', 'subject']).execute();
  await db.schema.createIndex('sessions_by_sid').on('sessions').columns(['provider', 'sid']).execute();
  await db.schema
    .createTable('m2m_clients')
    .addColumn('provider', 'text', (c) => c.notNull())
    .addColumn('client_id', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('description', 'text', (c) => c.notNull())
    .addColumn('groups', 'text', (c) => c.notNull())
    .addColumn('is_enabled', 'integer', (c) => c.notNull())
    .addColumn('created_by', 'text', (c) => c.notNull())
    .addColumn('created_at', 'text', (c) => c.notNull())
    .addColumn('updated_at', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('m2m_clients_key', ['provider', 'client_id'])
    .execute();
}
