import type { Db } from '../../db/tables.ts';
import { Failure } from '../../failure/errors.ts';

/**
 * The groups that were last known of somebody: a person by user name, an application by client id or name. `not_found` for
 * strangers, `conflict` when several go by that name.
 */
export async function groupsOfSomebody(db: Db, name: string): Promise<readonly string[]> {
  const lower = name.toLowerCase();
  const people = await db
    .selectFrom('people')
    .select(['provider', 'groups'])
    .where((e) => e(e.fn<string>('lower', ['username']), '=', lower))
    .execute();
  const clients = await db
    .selectFrom('m2m_clients')
    .select(['provider', 'groups'])
    .where((e) => e.or([e('client_id', '=', lower), e('name', '=', name)]))
    .execute();
  const found = [...people, ...clients];
  const [one] = found;
  if (!one)
    throw new Failure(
      'not_found',
      `Nobody called '${name}' has signed in, and no application of that name is known here. Give their groups instead.`,
    );
  if (found.length > 1)
    throw new Failure(
      'conflict',
      `${found.length} accounts go by '${name}' (${found.map(({ provider }) => provider).join(', ')}). Give the groups instead.`,
    );
  return JSON.parse(one.groups) as string[];
}
