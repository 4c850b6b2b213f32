import type { Kysely } from 'kysely';

/** Where the code of a consent was sent. One given before says nothing of it, so the person is asked once more. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('oauth_grants').addColumn('redirect_uri', 'text').execute();
}
