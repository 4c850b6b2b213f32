import type { Db } from '../db/tables.ts';

/** What we know of an application besides what its provider says. */
export interface M2mClient {
  readonly groups: readonly string[];
  readonly enabled: boolean;
}

/** The application of that provider and client id; undefined when we have nothing to say about it. */
export async function findM2mClient(
  db: Db,
  provider: string,
  clientId: string,
): Promise<M2mClient | undefined> {
  const row = await db
    .selectFrom('m2m_clients')
    .select(['groups', 'is_enabled'])
    .where('provider', '=', provider)
    .where('client_id', '=', clientId.toLowerCase())
    .executeTakeFirst();
  return row && { groups: JSON.parse(row.groups) as string[], enabled: row.is_enabled === 1 };
}
