import type { Db } from '../../db/tables.ts';
import { Failure } from '../../failure/errors.ts';

/** Somebody known here, as far as access is concerned. */
export interface Somebody {
  /** The groups that were last known. */
  readonly groups: readonly string[];
  readonly provider?: string;
  /** The stable id of a person; absent for applications. */
  readonly subject?: string;
}

/**
 * Somebody by name: a person by user name, an application by client id or name. `not_found` for
 * strangers, `conflict` when several go by that name.
 */
export async function somebodyCalled(db: Db, name: string): Promise<Somebody> {
  const lower = name.toLowerCase();
  const people = await db
    .selectFrom('people')
    .select(['provider', 'subject', 'groups'])
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
  return { ...one, groups: JSON.parse(one.groups) as string[] };
}
