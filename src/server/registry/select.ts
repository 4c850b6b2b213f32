import { nameOfPath } from '../../contract/servers/servers.ts';

/** Which part of a list is asked for. */
export interface Selection {
  readonly query?: string | undefined;
  readonly limit: number;
  readonly offset: number;
}

/** What a list needs to know of a thing. */
export interface Listed {
  readonly path: string;
  readonly name: string;
  /** What a query may occur in besides path and name. */
  readonly texts: readonly string[];
}

/** One page of the things that `mayList` allows and in which the query occurs, by name; `total` counts all of these. */
export function select<T>(
  things: readonly T[],
  { query, limit, offset }: Selection,
  { listed, mayList }: { listed: (thing: T) => Listed; mayList: (name: string) => boolean },
): { page: T[]; total: number } {
  const wanted = query?.trim().toLowerCase() ?? '';
  const found = things
    .map((thing) => ({ thing, ...listed(thing) }))
    .filter(({ path }) => mayList(nameOfPath(path)))
    .filter(({ path, name, texts }) =>
      [path, name, ...texts].some((text) => text.toLowerCase().includes(wanted)),
    )
    .sort((a, b) => compare(a.name.toLowerCase(), b.name.toLowerCase()) || compare(a.path, b.path));
  return { page: found.slice(offset, offset + limit).map(({ thing }) => thing), total: found.length };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
