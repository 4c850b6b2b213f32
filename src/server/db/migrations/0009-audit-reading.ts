import { type Kysely, sql } from 'kysely';

/**
 * Indexes to read the audit trail by: pages from the newest on and counts over time come from the first alone; refusals are
 * few, so an index of only these costs next to nothing to keep.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('audit_events_by_time').execute();
  await db.schema
    .createIndex('audit_events_by_time')
    .on('audit_events')
    .columns(['at', 'id', 'decision'])
    .execute();
  await db.schema
    .createIndex('audit_events_not_allowed')
    .on('audit_events')
    .columns(['at', 'kind'])
    .where(sql<boolean>`decision <> 'allow'`)
    .execute();
  await db.schema
    .createIndex('audit_events_by_correlation')
    .on('audit_events')
    .column('correlation_id')
    .execute();
}
