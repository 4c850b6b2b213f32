import { sql } from 'kysely';
import type { Scope, ScopeSet } from '../../access/scope-set.ts';
import { changing, recordChange } from '../../changes/record.ts';
import type { Db } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';

/** Where a scope comes from: the scope file, the roles built in where there is no such file, or somebody through the API. A name belongs to one of them. */
export type ScopeSource = 'file' | 'built_in' | 'api';

/** Rows per statement, far below the number of values that either database takes in one. */
const batch = 500;

/** A scope as it is stored. */
export interface StoredScope {
  readonly scope: Scope;
  readonly source: ScopeSource;
  /** The directory's id of the group that was made with it; null when none was. */
  readonly idpGroupId: string | null;
  /** ISO 8601 in UTC; null for scopes of the file. */
  readonly createdAt: string | null;
  readonly updatedAt: string;
}

/** Stored scopes by name, in their order. */
export type StoredScopes = ReadonlyMap<string, StoredScope>;

/** All stored scopes, those of the file (or built in) first, each source in its own order. */
export async function readStored(db: Db): Promise<StoredScopes> {
  const rows = await db
    .selectFrom('scopes')
    .selectAll()
    .orderBy('source', 'desc')
    .orderBy('position')
    .orderBy('name')
    .execute();
  return new Map(
    rows.map((row) => [
      row.name,
      {
        scope: { name: row.name, ...(JSON.parse(row.definition) as Omit<Scope, 'name'>) },
        source: row.source as ScopeSource,
        idpGroupId: row.idp_group_id,
        createdAt: row.created_at,
        updatedAt: row.updated_at,
      },
    ]),
  );
}

/** All stored scopes without where they come from. */
export async function readScopes(db: Db): Promise<ScopeSet> {
  return new Map([...(await readStored(db))].map(([name, { scope }]) => [name, scope]));
}

/** Stores a scope of the API, new or in the place of the former one; false when the name belongs to the file. */
export async function putScope(
  db: Db,
  { scope, idpGroupId }: Pick<StoredScope, 'scope' | 'idpGroupId'>,
  at: string,
): Promise<boolean> {
  const said = { definition: rowOf(scope).definition, updated_at: at, idp_group_id: idpGroupId };
  return inTransaction(db, async (trx) => {
    const written = await trx
      .insertInto('scopes')
      .values((e) => ({
        ...{ name: scope.name, source: 'api', ...said },
        position: e
          .selectFrom('scopes as others')
          .select((of) => of.fn.coalesce(sql<number>`max(others.position) + 1`, of.lit(0)).as('next'))
          .where('others.source', '=', 'api'),
        created_at: at,
      }))
      .onConflict((conflict) => conflict.column('name').doUpdateSet(said).where('scopes.source', '=', 'api'))
      .returning('name')
      .executeTakeFirst();
    if (!written) return false;
    await recordChange(trx, 'scope', scope.name);
    return true;
  });
}

/** Removes a scope of the API; false when there is none of that name. */
export async function removeScope(db: Db, name: string): Promise<boolean> {
  const gone = await changing(
    db,
    'scope',
    (trx) =>
      trx
        .deleteFrom('scopes')
        .where('name', '=', name)
        .where('source', '=', 'api')
        .returning('name')
        .executeTakeFirst(),
    () => [name],
  );
  return gone !== undefined;
}

/**
 * Puts `scopes` in the place of everything that `source` held, and a file's in that of the built-in ones, in one transaction: readers see all of the old or all of
 * the new. A name that another source holds stays as it is there; those names are returned. What is stored already is not
 * written again, so that several processes with the same file do not do so in turn.
 */
export async function replaceScopes(
  db: Db,
  source: ScopeSource,
  scopes: ScopeSet,
  now: number,
): Promise<string[]> {
  return inTransaction(db, async (trx) => {
    const stored = await trx
      .selectFrom('scopes')
      .select(['name', 'source', 'definition'])
      .orderBy('position')
      .execute();
    const goes = (row: { readonly source: string }): boolean =>
      row.source === source || (source === 'file' && row.source === 'built_in');
    const others = stored.filter((row) => !goes(row));
    const taken = new Set(others.map(({ name }) => name));
    const rows = [...scopes.values()]
      .map((scope, position) => ({
        ...rowOf(scope),
        source,
        position,
        updated_at: new Date(now).toISOString(),
      }))
      .filter(({ name }) => !taken.has(name));
    const textOf = (list: readonly { name: string; definition: string }[]): string =>
      JSON.stringify(list.map(({ name, definition }) => [name, definition]));
    const kept = [...scopes.keys()].filter((name) => taken.has(name));
    const gone = stored.filter(goes);
    if (gone.every((row) => row.source === source) && textOf(rows) === textOf(gone)) return kept;
    const sources = [...new Set([source, ...gone.map((row) => row.source)])];
    await trx.deleteFrom('scopes').where('source', 'in', sources).execute();
    await recordChange(trx, 'scope', '*');
    for (let start = 0; start < rows.length; start += batch)
      await trx
        .insertInto('scopes')
        .values(rows.slice(start, start + batch))
        .execute();
    return kept;
  });
}

function rowOf({ name, ...definition }: Scope): { name: string; definition: string } {
  return { name, definition: JSON.stringify(definition) };
}
