import type { Db } from '../../db/tables.ts';

/** What we know of an application besides what its provider says. */
export interface M2mClient {
  /** Groups that somebody gave it by hand; null for an account in the directory, whose groups only the directory tells. */
  readonly groups: readonly string[] | null;
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
    .select(['groups', 'is_enabled', 'source'])
    .where('provider', '=', provider)
    .where('client_id', '=', clientId.toLowerCase())
    .executeTakeFirst();
  if (!row) return undefined;
  const isByHand = row.source === 'manual';
  return { groups: isByHand ? (JSON.parse(row.groups) as string[]) : null, enabled: row.is_enabled === 1 };
}
