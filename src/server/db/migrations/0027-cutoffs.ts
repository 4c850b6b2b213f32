import type { Kysely } from 'kysely';

/** From when on a provider's own tokens of somebody count, so that an ending reaches those that are out already. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('cutoffs')
    .addColumn('provider', 'text', (c) => c.notNull())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('tokens_before', 'text')
    .addColumn('groups_before', 'text')
    .addColumn('gone_at', 'text')
    .addColumn('because', 'text')
    .addPrimaryKeyConstraint('cutoffs_key', ['provider', 'subject'])
    .execute();
}
