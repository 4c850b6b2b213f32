import { misuse } from '../trouble.ts';
import type { Meaning } from './nouns.ts';

type Value = Record<string, unknown>;

/** The one JSON shape of lists; `next` is what to give as --offset, --skip or --cursor, or null at the end. */
export interface ListShape {
  readonly items: unknown[];
  /** How many there are in all; null where that is not counted. */
  readonly total: number | null;
  readonly next: number | string | null;
}

/** A list that a command shows, in the one shape. */
export function asList(value: unknown, rows: NonNullable<Meaning['verb']['rows']>): ListShape {
  const from = value as Value;
  const items = (typeof rows === 'string' ? from[rows] : rows(from)) as unknown[];
  const total = from.total_count ?? from.total;
  const known = typeof total === 'number' ? total : undefined;
  const next = nextOf(from, items.length, known);
  return { items, total: known ?? ('next_cursor' in from ? null : items.length), next };
}

function nextOf(from: Value, count: number, total: number | undefined): number | string | null {
  for (const given of [from.next, from.next_cursor]) if (typeof given === 'string') return given;
  const start = Number(from.offset ?? from.skip ?? Number.NaN);
  if (typeof from.has_next === 'boolean') return from.has_next ? start + count : null;
  return total !== undefined && start + count < total ? start + count : null;
}

/** The names of what a command shows, one a line. */
export function namesOf(value: unknown, meaning: Meaning | undefined): string[] {
  const { rows, id } = meaning?.verb ?? {};
  if (id === undefined) throw misuse('This command has no names to print.', 'Use -o json, or leave -o out.');
  const found = rows === undefined ? [value] : asList(value, rows).items;
  return found
    .map((one) => (one as Value | undefined)?.[id] ?? (one as Value | undefined)?.server_name)
    .filter((name) => name !== undefined && name !== null)
    .map(String);
}
