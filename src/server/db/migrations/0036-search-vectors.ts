import type { Kysely } from 'kysely';

/** Vectors that a service of embeddings made of texts, so that each text is sent to it once. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('search_vectors')
    .addColumn('hash', 'text', (c) => c.primaryKey())
    .addColumn('vector', 'text', (c) => c.notNull())
    .addColumn('created_at', 'text', (c) => c.notNull())
    .execute();
}
