import type { Kysely } from 'kysely';

/** Which issuer or tenant a provider's name stood for: what is kept of its people is theirs alone. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('provider_realms')
    .addColumn('provider', 'text', (c) => c.primaryKey())
    .addColumn('realm', 'text', (c) => c.notNull())
    .addColumn('since', 'text', (c) => c.notNull())
    .execute();
}
