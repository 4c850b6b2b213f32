import type { Kysely } from 'kysely';

/** What the gateway proves itself to a server with, encrypted. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('servers').addColumn('credential', 'text').execute();
}
