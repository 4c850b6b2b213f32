import type { Kysely } from 'kysely';

/** Scopes made through the API: when, and which group of the directory was made with them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('scopes').addColumn('created_at', 'text').execute();
  await db.schema.alterTable('scopes').addColumn('idp_group_id', 'text').execute();
}
