import { noPlace } from '../../provider/page-place.ts';
import type { Page } from '../directory.ts';

/** Items that Cognito answers at most at a time. */
export const mostAtATime = 60;
/** Round trips for one page at most: a search that finds little in a large pool goes on at the next page. */
const mostTrips = 25;

/** Where a list goes on: in which of several passes over the pool, by which token, and after how many items of that answer. */
export interface PagePlace {
  readonly pass: number;
  readonly token: string | undefined;
  readonly skip: number;
}

/** What was read in one round trip, and the token of the next; undefined at the end of the pass. */
export interface Trip<T> {
  readonly items: readonly T[];
  readonly token: string | undefined;
}

/**
 * Reads until a page is full, pass after pass. `read` answers every item of its trip, undefined for those that do not
 * count, since `skip` counts them too.
 */
export async function readPage<T extends { readonly id: string }>(
  { limit, from, passes }: { limit: number; from: string | null | undefined; passes: number },
  read: (place: PagePlace) => Promise<Trip<T | undefined>>,
): Promise<Page<T>> {
  const items = new Map<string, T>();
  let at: PagePlace | null = placeOf(from, passes);
  for (let trips = 0; at && trips < mostTrips && items.size < limit; trips++) {
    const { pass, skip, token }: PagePlace = at;
    const trip = await read({ pass, skip, token });
    let taken: number = skip;
    for (; taken < trip.items.length && items.size < limit; taken++) {
      const item = trip.items[taken];
      if (item) items.set(item.id, item);
    }
    if (taken < trip.items.length) at = { pass, token, skip: taken };
    else if (trip.token !== undefined) at = { pass, token: trip.token, skip: 0 };
    else at = pass + 1 < passes ? { pass: pass + 1, token: undefined, skip: 0 } : null;
  }
  return { items: [...items.values()], next: at && textOf(at), total: null };
}

function textOf({ pass, token = '', skip }: PagePlace): string {
  return `${pass}.${skip}.${token}`;
}

function placeOf(from: string | null | undefined, passes: number): PagePlace {
  if (from === null || from === undefined || from === '') return { pass: 0, token: undefined, skip: 0 };
  const [, pass, skip, token] = /^(\d)\.(\d{1,2})\.(\S*)$/.exec(from) ?? [];
  if (pass === undefined || Number(pass) >= passes) throw noPlace();
  return { pass: Number(pass), skip: Number(skip), token: token || undefined };
}
