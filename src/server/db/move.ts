import { sql } from 'kysely';
import type { Db, Tables } from './tables.ts';

/** What was carried from one database to another. */
export interface Moved {
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>;
}

/** What belongs to one database alone: its own change feed and who is doing what right now. */
const left: ReadonlySet<string> = new Set(['changes', 'leases', 'allowances', 'processes']);
/** Values per statement, below what either database takes. */
const valuesAtOnce = 30_000;

/**
 * Copies every row of every table into an empty database of the same version, in one transaction: all of it or nothing.
 * Fails when the target has rows already.
 */
export async function moveRows(from: Db, to: Db): Promise<Moved> {
  const tables = (await from.introspection.getTables())
    .map(({ name }) => name)
    .filter((name) => !left.has(name) && !name.startsWith('kysely_') && !name.startsWith('sqlite_'))
    .sort() as (keyof Tables)[];
  const rows: Record<string, number> = {};
  await to.transaction().execute(async (trx) => {
    for (const table of tables) {
      const taken = await trx.selectFrom(table).select(sql<number>`1`.as('one')).limit(1).execute();
      if (taken.length > 0)
        throw new Error(`the target has rows in '${table}' already; move into a new, empty database`);
    }
    for (const table of tables) rows[table] = await copy(from, trx, table);
  });
  return { rows };
}

/** In pages by row id, so that a long audit trail does not have to fit in memory. */
async function copy(from: Db, to: Db, table: keyof Tables): Promise<number> {
  let [count, last] = [0, -1];
  for (;;) {
    const page = (await from
      .selectFrom(table)
      .selectAll()
      .select(sql<number>`rowid`.as('__row'))
      .where(sql<boolean>`rowid > ${last}`)
      .orderBy(sql`rowid`)
      .limit(1000)
      .execute()) as unknown as ({ __row: number } & Record<string, unknown>)[];
    if (page.length === 0) return count;
    last = page.at(-1)?.__row ?? last;
    const values = page.map(({ __row: _, ...row }) => row);
    const together = Math.max(1, Math.floor(valuesAtOnce / Object.keys(values[0] ?? {}).length));
    for (let at = 0; at < values.length; at += together)
      await to
        .insertInto(table)
        .values(values.slice(at, at + together) as never)
        .execute();
    count += values.length;
  }
}
