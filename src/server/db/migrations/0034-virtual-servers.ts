import type { Kysely } from 'kysely';

/** Virtual servers, shared and personal, and the MCP sessions that clients of the legacy eras hold through them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('virtual_servers')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('path', 'text', (c) => c.notNull())
    .addColumn('owner', 'text', (c) => c.notNull())
    .addColumn('definition', 'text', (c) => c.notNull())
    .addColumn('is_enabled', 'integer', (c) => c.notNull())
    .addColumn('created_by', 'text', (c) => c.notNull())
    .addColumn('created_at', 'text', (c) => c.notNull())
    .addColumn('updated_at', 'text', (c) => c.notNull())
    .addColumn('revision', 'integer', (c) => c.notNull())
    .addUniqueConstraint('virtual_servers_path', ['path', 'owner'])
    .execute();
  await db.schema
    .createTable('virtual_sessions')
    .addColumn('session', 'text', (c) => c.notNull())
    .addColumn('member', 'text', (c) => c.notNull())
    .addColumn('sealed', 'text', (c) => c.notNull())
    .addColumn('created_at', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('virtual_sessions_key', ['session', 'member'])
    .execute();
  await db.schema.createIndex('virtual_sessions_age').on('virtual_sessions').column('created_at').execute();
  await db.schema
    .createTable('virtual_replies')
    .addColumn('key', 'text', (c) => c.primaryKey())
    .addColumn('sealed', 'text', (c) => c.notNull())
    .addColumn('created_at', 'text', (c) => c.notNull())
    .execute();
}
