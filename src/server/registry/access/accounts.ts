import { groupKey } from '../../access/names.ts';
import type { Db } from '../../db/tables.ts';

/** Somebody known here, with the groups that were last known. */
export interface ExplainedAccount {
  readonly kind: 'person' | 'application';
  readonly provider: string;
  readonly name: string;
  readonly groups: readonly string[];
}

/** Rows that are read at a time. */
const page = 1000;

/** The people who have signed in and the applications kept here that are in one of the groups, by name. */
export async function accountsIn(db: Db, groups: readonly string[]): Promise<ExplainedAccount[]> {
  const wanted = new Set(groups.map(groupKey));
  const found: ExplainedAccount[] = [];
  const add = (kind: ExplainedAccount['kind'], provider: string, name: string, json: string): void => {
    const held = JSON.parse(json) as string[];
    if (held.some((group) => wanted.has(groupKey(group)))) found.push({ kind, provider, name, groups: held });
  };
  for (let from = 0; ; from += page) {
    const rows = await db
      .selectFrom('people')
      .select(['provider', 'username', 'groups'])
      .orderBy('provider')
      .orderBy('subject')
      .limit(page)
      .offset(from)
      .execute();
    for (const { provider, username, groups: held } of rows) add('person', provider, username, held);
    if (rows.length < page) break;
  }
  const clients = await db
    .selectFrom('m2m_clients')
    .select(['provider', 'client_id', 'name', 'groups'])
    .execute();
  for (const { provider, client_id, name, groups: held } of clients)
    add('application', provider, name || client_id, held);
  return found.sort((one, other) => one.name.localeCompare(other.name));
}
