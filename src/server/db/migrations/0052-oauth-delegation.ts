import { type Kysely, sql } from 'kysely';

/** How a grant came about, who acts by it, what it came of and what it is narrowed to; and counters of requests. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const grants = () => db.schema.alterTable('oauth_grants');
  await grants()
    .addColumn('via', 'text', (c) => c.notNull().defaultTo(sql.lit('consent')))
    .execute();
  await grants()
    .addColumn('actors', 'text', (c) => c.notNull().defaultTo(sql.lit('[]')))
    .execute();
  await grants().addColumn('parent_id', 'text').execute();
  await grants().addColumn('only_at', 'text').execute();
  await db.schema.createIndex('oauth_grants_parent').on('oauth_grants').column('parent_id').execute();
  await db.schema
    .createTable('oauth_rates')
    .addColumn('key', 'text', (c) => c.primaryKey())
    .addColumn('count', 'integer', (c) => c.notNull())
    .addColumn('ends_at', 'text', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('oauth_rates_end').on('oauth_rates').column('ends_at').execute();
}
