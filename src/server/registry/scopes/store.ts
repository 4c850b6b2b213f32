import type { Scope, ScopeSet } from '../../access/scope-set.ts';
import type { Db } from '../../db/tables.ts';

/** Where a scope comes from: the scope file, or somebody through the API. A name belongs to one of them. */
export type ScopeSource = 'file' | 'api';

/** Rows per statement, far below the number of values that either database takes in one. */
const batch = 500;

/** All stored scopes, those of the file first, each source in its own order. */
export async function readScopes(db: Db): Promise<ScopeSet> {
  const rows = await db
    .selectFrom('scopes')
    .select(['name', 'definition'])
    .orderBy('source', 'desc')
    .orderBy('position')
    .orderBy('name')
    .execute();
  return new Map(
    rows.map(({ name, definition }) => [name, { name, ...(JSON.parse(definition) as Omit<Scope, 'name'>) }]),
  );
}

/**
 * Puts `scopes` in the place of everything that `source` held, in one transaction: readers see all of the old or all of
 * the new. A name that another source holds stays as it is there; those names are answered.
 */
export async function replaceScopes(
  db: Db,
  source: ScopeSource,
  scopes: ScopeSet,
  now: number,
): Promise<string[]> {
  return await db.transaction().execute(async (trx) => {
    await trx.deleteFrom('scopes').where('source', '=', source).execute();
    const others = await trx.selectFrom('scopes').select('name').execute();
    const taken = new Set(others.map(({ name }) => name));
    const rows = [...scopes.values()]
      .map((scope, position) => ({
        ...rowOf(scope),
        source,
        position,
        updated_at: new Date(now).toISOString(),
      }))
      .filter(({ name }) => !taken.has(name));
    for (let start = 0; start < rows.length; start += batch)
      await trx
        .insertInto('scopes')
        .values(rows.slice(start, start + batch))
        .execute();
    return [...scopes.keys()].filter((name) => taken.has(name));
  });
}

function rowOf({ name, ...definition }: Scope): { name: string; definition: string } {
  return { name, definition: JSON.stringify(definition) };
}
