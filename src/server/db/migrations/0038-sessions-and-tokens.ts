import type { Kysely } from 'kysely';

/**
 * What tells sessions and tokens apart: where a session was opened from, which credential a call came with; and what people
 * keep at hand.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('sessions').addColumn('user_agent', 'text').execute();
  await db.schema.alterTable('sessions').addColumn('client_ip', 'text').execute();
  await db.schema.alterTable('audit_events').addColumn('credential_id', 'text').execute();
  await db.schema
    .createTable('favourites')
    .addColumn('provider', 'text', (c) => c.notNull())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('path', 'text', (c) => c.notNull())
    .addColumn('at', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('favourites_pk', ['provider', 'subject', 'kind', 'path'])
    .execute();
}
