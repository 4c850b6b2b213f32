import type { Handlers } from '../../../contract/endpoint.ts';
import { type favouriteEndpoints, mostFavourites } from '../../../contract/people/favourites.ts';
import type { Caller } from '../../access/caller.ts';
import type { Grants } from '../../access/grants.ts';
import type { Db } from '../../db/tables.ts';
import { Failure } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import { assertUnlimited } from '../limited.ts';

/** Serves the endpoints of favourites. */
export function favouriteHandlers({
  db,
  now,
  grants,
}: {
  db: Db;
  now: () => number;
  grants: () => Grants;
}): Handlers<typeof favouriteEndpoints, Caller<Identity>> {
  const ofCaller = ({ provider, subject }: Identity) =>
    db.selectFrom('favourites').where('provider', '=', provider).where('subject', '=', subject);
  return {
    async 'favourites.list'(_, { identity }) {
      const rows = await ofCaller(identity)
        .select(['kind', 'path'])
        .orderBy('at', 'desc')
        .orderBy('path')
        .limit(mostFavourites)
        .execute();
      return {
        favourites: rows.map(({ kind, path }) => ({
          kind: kind === 'agent' ? ('agent' as const) : ('server' as const),
          path,
        })),
      };
    },

    async 'favourites.add'({ params: { kind, path } }, { identity }) {
      assertUnlimited(identity, grants(), 'change favourites');
      const { count } = await ofCaller(identity)
        .select((e) => e.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      if (Number(count) >= mostFavourites)
        throw new Failure(
          'too_many_requests',
          `You have ${mostFavourites} favourites, which is the limit. Remove one first.`,
        );
      const { provider, subject } = identity;
      await db
        .insertInto('favourites')
        .values({ provider, subject, kind, path, at: new Date(now()).toISOString() })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      return undefined;
    },

    async 'favourites.remove'({ params: { kind, path } }, { identity }) {
      assertUnlimited(identity, grants(), 'change favourites');
      await db
        .deleteFrom('favourites')
        .where('provider', '=', identity.provider)
        .where('subject', '=', identity.subject)
        .where('kind', '=', kind)
        .where('path', '=', path)
        .execute();
      return undefined;
    },
  };
}
