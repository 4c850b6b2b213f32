import type { Kysely } from 'kysely';

/**
 * What was last seen of two ways in which power comes from outside: the groups that tokens of a provider name of somebody,
 * and the groups that settings map. What is new of either is recorded once, whichever process sees it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('token_groups')
    .addColumn('provider', 'text', (c) => c.notNull())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('groups', 'text', (c) => c.notNull())
    .addColumn('seen_at', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('token_groups_pk', ['provider', 'subject'])
    .execute();
  await db.schema
    .createTable('seen_settings')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('value', 'text', (c) => c.notNull())
    .addColumn('seen_at', 'text', (c) => c.notNull())
    .execute();
}
