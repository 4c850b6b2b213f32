import { type Kysely, sql } from 'kysely';

/** Accounts in the directory: jobs that make them, secrets that are to go, and where a record of an application is from. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('m2m_clients')
    .addColumn('source', 'text', (c) => c.notNull().defaultTo('manual'))
    .execute();
  await db.schema
    .createTable('jobs')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('name_key', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('progress', 'text', (c) => c.notNull())
    .addColumn('trouble', 'text')
    .addColumn('secret_sealed', 'text')
    .addColumn('secret_state', 'text', (c) => c.notNull())
    .addColumn('created_by', 'text', (c) => c.notNull())
    .addColumn('created_at', 'text', (c) => c.notNull())
    .addColumn('updated_at', 'text', (c) => c.notNull())
    .execute();
  // Two callers at once make one account: the second finds the first one's job.
  await sql`create unique index jobs_under_way on jobs (name_key) where state in ('running', 'undoing')`.execute(
    db,
  );
  await db.schema.createIndex('jobs_by_time').on('jobs').column('created_at').execute();
  await db.schema
    .createTable('retired_secrets')
    .addColumn('account_id', 'text', (c) => c.notNull())
    .addColumn('key_id', 'text', (c) => c.notNull())
    .addColumn('removed_at', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('retired_secrets_key', ['account_id', 'key_id'])
    .execute();
}
