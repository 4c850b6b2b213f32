import type { VirtualServerRatings } from '../../../contract/servers/virtual-servers.ts';
import type { Db } from '../../db/tables.ts';
import type { Identity } from '../../identity/identity.ts';
import { ownerOf } from './store.ts';

/** How many ratings are shown one by one; the mean is that of all. */
const mostShown = 500;

/** Keeps somebody's rating of a virtual server in the place of their earlier one. */
export async function rate(
  db: Db,
  virtualId: string,
  { identity, rating, at }: { identity: Identity; rating: number; at: string },
): Promise<void> {
  const said = { username: identity.username, rating, rated_at: at };
  await db
    .insertInto('virtual_ratings')
    .values({ virtual_id: virtualId, rater: ownerOf(identity), ...said })
    .onConflict((conflict) => conflict.columns(['virtual_id', 'rater']).doUpdateSet(said))
    .execute();
}

/** The mean of a virtual server's ratings, 0 where there are none, and the latest of them with who gave each. */
export async function ratingsOf(db: Db, virtualId: string): Promise<VirtualServerRatings> {
  const latest = await db
    .selectFrom('virtual_ratings')
    .select(['username', 'rating'])
    .where('virtual_id', '=', virtualId)
    .orderBy('rated_at', 'desc')
    .orderBy('rater')
    .limit(mostShown)
    .execute();
  return {
    num_stars: (await starsOf(db, [virtualId])).get(virtualId) ?? 0,
    rating_details: latest.map(({ username, rating }) => ({ user: username, rating })),
  };
}

/** The mean of the ratings of each of these virtual servers that has any. */
export async function starsOf(db: Db, virtualIds: readonly string[]): Promise<Map<string, number>> {
  if (virtualIds.length === 0) return new Map();
  const sums = await db
    .selectFrom('virtual_ratings')
    .select(({ fn }) => ['virtual_id', fn.sum('rating').as('sum'), fn.countAll().as('count')])
    .where('virtual_id', 'in', virtualIds)
    .groupBy('virtual_id')
    .execute();
  return new Map(sums.map(({ virtual_id, sum, count }) => [virtual_id, Number(sum) / Number(count)]));
}
