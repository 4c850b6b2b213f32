import type { Selectable } from 'kysely';
import { keyOf, recordChange } from '../../changes/record.ts';
import type { Db, M2mClientsTable } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';

/** What the registry itself knows of an application. */
export interface M2mRecord {
  /** The identity provider whose tokens it is for. */
  readonly provider: string;
  /** In lower case. */
  readonly clientId: string;
  readonly name: string;
  readonly description: string;
  /** As tokens would name them. */
  readonly groups: readonly string[];
  readonly isEnabled: boolean;
  /** `manual`, or the provider in whose directory the gateway made the account. */
  readonly source: string;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** A record of that provider and client id. */
export async function findRecord(db: Db, provider: string, clientId: string): Promise<M2mRecord | undefined> {
  const row = await db
    .selectFrom('m2m_clients')
    .selectAll()
    .where('provider', '=', provider)
    .where('client_id', '=', clientId.toLowerCase())
    .executeTakeFirst();
  return row && recordOf(row);
}

/** The records of that client id, whichever provider's tokens they are for. */
export async function findRecordsOf(db: Db, clientId: string): Promise<M2mRecord[]> {
  const rows = await db
    .selectFrom('m2m_clients')
    .selectAll()
    .where('client_id', '=', clientId.toLowerCase())
    .orderBy('provider')
    .execute();
  return rows.map(recordOf);
}

/** Records that somebody may mean: of that client id, or of that name whatever its case. */
export async function findRecordsNamed(db: Db, provider: string, idOrName: string): Promise<M2mRecord[]> {
  const lower = idOrName.toLowerCase();
  const rows = await db
    .selectFrom('m2m_clients')
    .selectAll()
    .where('provider', '=', provider)
    .where((e) => e.or([e('client_id', '=', lower), e(e.fn<string>('lower', ['name']), '=', lower)]))
    .execute();
  return rows.map(recordOf);
}

/** All records by client id, page by page; `source` narrows. */
export async function listRecords(
  db: Db,
  { source, limit, skip }: { source?: string | undefined; limit: number; skip: number },
): Promise<{ items: M2mRecord[]; total: number }> {
  const all =
    source === undefined
      ? db.selectFrom('m2m_clients')
      : db.selectFrom('m2m_clients').where('source', '=', source);
  const { total } = await all.select((e) => e.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  const rows = await all
    .selectAll()
    .orderBy('client_id')
    .orderBy('provider')
    .limit(limit)
    .offset(skip)
    .execute();
  return { items: rows.map(recordOf), total: Number(total) };
}

/** Adds a record; false when there is one of that client already. */
export async function addRecord(db: Db, record: M2mRecord): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    const { numInsertedOrUpdatedRows } = await trx
      .insertInto('m2m_clients')
      .values({
        provider: record.provider,
        client_id: record.clientId.toLowerCase(),
        name: record.name,
        source: record.source,
        created_by: record.createdBy,
        created_at: record.createdAt,
        ...changeable(record),
      })
      .onConflict((conflict) => conflict.columns(['provider', 'client_id']).doNothing())
      .executeTakeFirst();
    if (Number(numInsertedOrUpdatedRows) === 0) return false;
    await recordM2mClient(trx, record.provider, record.clientId);
    return true;
  });
}

/** Stores what may change of a record. */
export async function changeRecord(db: Db, record: M2mRecord): Promise<void> {
  await inTransaction(db, async (trx) => {
    await trx
      .updateTable('m2m_clients')
      .set({ name: record.name, ...changeable(record) })
      .where('provider', '=', record.provider)
      .where('client_id', '=', record.clientId)
      .execute();
    await recordM2mClient(trx, record.provider, record.clientId);
  });
}

/** Forgets a record. */
export async function removeRecord(db: Db, provider: string, clientId: string): Promise<void> {
  await inTransaction(db, async (trx) => {
    await trx
      .deleteFrom('m2m_clients')
      .where('provider', '=', provider)
      .where('client_id', '=', clientId.toLowerCase())
      .execute();
    await recordM2mClient(trx, provider, clientId);
  });
}

/** Records that what an application may do has changed, also where it did so in the directory alone. */
export function recordM2mClient(db: Db, provider: string, clientId: string): Promise<void> {
  return recordChange(db, 'm2m_client', keyOf(provider, clientId.toLowerCase()));
}

function changeable({ description, groups, isEnabled, updatedAt }: M2mRecord) {
  return {
    ...{ description, groups: JSON.stringify(groups), is_enabled: Number(isEnabled) },
    updated_at: updatedAt,
  };
}

function recordOf(row: Selectable<M2mClientsTable>): M2mRecord {
  return {
    ...{ provider: row.provider, clientId: row.client_id, name: row.name, description: row.description },
    groups: JSON.parse(row.groups) as string[],
    isEnabled: row.is_enabled === 1,
    ...{
      source: row.source,
      createdBy: row.created_by,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    },
  };
}
