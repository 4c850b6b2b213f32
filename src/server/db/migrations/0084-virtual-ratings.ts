import type { Kysely } from 'kysely';

/** How people and programs rate virtual servers, one rating each. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('virtual_ratings')
    .addColumn('virtual_id', 'text', (c) => c.notNull())
    .addColumn('rater', 'text', (c) => c.notNull())
    .addColumn('username', 'text', (c) => c.notNull())
    .addColumn('rating', 'integer', (c) => c.notNull())
    .addColumn('rated_at', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('virtual_ratings_key', ['virtual_id', 'rater'])
    .execute();
}
