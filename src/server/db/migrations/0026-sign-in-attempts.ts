import type { Kysely } from 'kysely';

/**
 * Sign-ins under way are held by their browsers, so only what was used is stored. Those of before the upgrade, ten
 * minutes old at most, have to be started anew.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('login_attempts').execute();
  await db.schema
    .createTable('used_sign_ins')
    .addColumn('state_hash', 'text', (c) => c.primaryKey())
    .addColumn('expires_at', 'text', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('used_sign_ins_by_end').on('used_sign_ins').column('expires_at').execute();
}
