import { nameOfPath } from '../../../contract/servers.ts';
import type { ServerRow } from './store.ts';

/** Which part of a list is asked for. */
export interface Asked {
  readonly query?: string | undefined;
  readonly limit: number;
  readonly offset: number;
}

/** One page of the servers that `mayList` allows and in which the query occurs, by name; `total` counts all of these. */
export function select(
  rows: readonly ServerRow[],
  { query, limit, offset }: Asked,
  mayList: (name: string) => boolean,
): { page: ServerRow[]; total: number } {
  const wanted = query?.trim().toLowerCase() ?? '';
  const found = rows
    .filter((row) => mayList(nameOfPath(row.path)) && mentions(row, wanted))
    .sort((a, b) => compare(nameOf(a), nameOf(b)) || compare(a.path, b.path));
  return { page: found.slice(offset, offset + limit), total: found.length };
}

function mentions({ path, definition }: ServerRow, wanted: string): boolean {
  const texts = [path, definition.server_name, definition.description, ...definition.tags];
  return texts.some((text) => text.toLowerCase().includes(wanted));
}

function nameOf(row: ServerRow): string {
  return row.definition.server_name.toLowerCase();
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
