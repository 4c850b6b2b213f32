import type { Kysely } from 'kysely';

/** A row of the audit trail may stand for many refusals of callers that nobody knows: how many, and when the last one was. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('audit_events')
    .addColumn('count', 'integer', (c) => c.notNull().defaultTo(1))
    .execute();
  await db.schema.alterTable('audit_events').addColumn('last_at', 'text').execute();
}
