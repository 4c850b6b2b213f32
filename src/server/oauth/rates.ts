import type { Db } from '../db/tables.ts';
import { hashOf } from '../identity/keys.ts';

/** How much is allowed within a window of time. */
export interface RateWindow {
  readonly most: number;
  readonly withinMs: number;
}

/**
 * Counts one use of what `name` and `whose` say and tells whether it is within the rate. Counted in the database by one
 * statement, so that the limit holds over all replicas; windows begin at multiples of their length.
 */
export async function takeTurn(
  db: Db,
  [name, whose]: readonly [string, string],
  { most, withinMs }: RateWindow,
  now: number,
): Promise<boolean> {
  const window = Math.floor(now / withinMs);
  const values = {
    key: hashOf(`${name} ${window} ${whose}`),
    count: 1,
    ends_at: new Date((window + 1) * withinMs).toISOString(),
  };
  const { count } = await db
    .insertInto('oauth_rates')
    .values(values)
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet((e) => ({ count: e('oauth_rates.count', '+', 1) })),
    )
    .returning('count')
    .executeTakeFirstOrThrow();
  return Number(count) <= most;
}

/** Notes that a thing was used that may be used once; false when it was used before. `endsAt`: when it is worth nothing anyhow. */
export async function useOnce(
  db: Db,
  [name, whose]: readonly [string, string],
  endsAt: number,
): Promise<boolean> {
  const first = await db
    .insertInto('oauth_rates')
    .values({ key: hashOf(`${name} once ${whose}`), count: 1, ends_at: new Date(endsAt).toISOString() })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .returning('count')
    .executeTakeFirst();
  return first !== undefined;
}
