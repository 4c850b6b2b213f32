import { clip, plainLine, widthOf } from '../../contract/values/plain-text.ts';
import type { Paint, Style } from './output.ts';

const timestamp = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

const units = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const satisfies [Intl.RelativeTimeFormatUnit, number][];

/** Text whose ISO 8601 times are written as `3 days ago` or `in 5 min`; without `now` (milliseconds) they stay. */
function relativeTimes(text: string, now: number | undefined): string {
  if (now === undefined || !text.includes('T')) return text;
  return text.replace(timestamp, (time) => relative(Date.parse(time) - now) ?? time);
}

function relative(ms: number): string | undefined {
  if (Number.isNaN(ms)) return undefined;
  const seconds = Math.abs(ms) / 1000;
  const [unit, length] = units.find(([, least]) => seconds >= least) ?? [];
  if (unit === undefined || length === undefined) return ms > 0 ? 'in a moment' : 'just now';
  const count = Math.floor(seconds / length);
  const words = unit === 'minute' ? `${count} min` : `${count} ${unit}${count === 1 ? '' : 's'}`;
  return ms > 0 ? `in ${words}` : `${words} ago`;
}

/** A column of a table: its title, what it shows of a row, and how that is painted. The first column is the key if no other is. */
export interface Column<R> {
  readonly title: string;
  readonly show: (row: R) => string;
  readonly style?: (row: R) => Style | undefined;
  /** It names the row for other commands, so it is never cut. */
  readonly isKey?: boolean;
  /** It is left out first where there is no room for all. */
  readonly isMinor?: boolean;
}

const gap = '  ';
const narrowest = 8;

/**
 * Rows as aligned columns with a head. `room` is the width to keep to: the widest columns are cut, then the last ones are
 * left out; what names a row is neither.
 */
export function table<R>(
  rows: readonly R[],
  columns: readonly Column<R>[],
  room: number | undefined,
  paint: Paint,
): string {
  const cells = rows.map((row) =>
    columns.map((column) => plainLine(relativeTimes(column.show(row), paint.now))),
  );
  const widths = columns.map((column, index) =>
    cells.reduce((most, line) => Math.max(most, widthOf(line[index] ?? '')), widthOf(column.title)),
  );
  const isKey = columns.map((column, index) =>
    columns.some((one) => one.isKey) ? column.isKey === true : index === 0,
  );
  const isMinor = columns.map((column) => column.isMinor === true);
  const shown =
    room === undefined ? columns.map((_, index) => index) : squeeze(widths, { isKey, isMinor }, room);
  const lay = (texts: readonly string[], style: (index: number) => Style | undefined): string =>
    shown
      .map((index) => {
        const clipped = clip(texts[index] ?? '', widths[index] ?? 0);
        const padding = index === shown.at(-1) ? 0 : (widths[index] ?? 0) - widthOf(clipped);
        return paint(style(index), clipped) + ' '.repeat(Math.max(0, padding));
      })
      .join(gap)
      .trimEnd();
  return [
    lay(
      columns.map((column) => column.title),
      () => 'bold',
    ),
    ...rows.map((row, at) => lay(cells[at] ?? [], (index) => columns[index]?.style?.(row))),
    ...leftOut(columns, shown, paint),
  ].join('\n');
}

function leftOut(columns: readonly Column<never>[], shown: readonly number[], paint: Paint): string[] {
  const missing = columns.filter((_, index) => !shown.includes(index)).map(({ title }) => title);
  return missing.length === 0 ? [] : [paint('dim', `Not shown: ${missing.join(', ')}. Add -o wide.`)];
}

/** Narrows columns in place until the table fits, and returns the indexes of those that it has room for. */
function squeeze(
  widths: number[],
  { isKey, isMinor }: { readonly isKey: readonly boolean[]; readonly isMinor: readonly boolean[] },
  room: number,
): number[] {
  const full = [...widths];
  const shown = widths.map((_, index) => index);
  for (;;) {
    // With a column less there is more room for the others.
    for (const index of shown) widths[index] = full[index] ?? 0;
    let excess = shown.reduce((sum, index) => sum + (widths[index] ?? 0) + gap.length, -gap.length) - room;
    const others = shown.filter((index) => !isKey[index]);
    while (excess > 0) {
      const widest = others.reduce<number | undefined>(
        (most, index) => ((widths[index] ?? 0) >= (widths[most ?? -1] ?? narrowest + 1) ? index : most),
        undefined,
      );
      if (widest === undefined) break;
      widths[widest] = (widths[widest] ?? 0) - 1;
      excess -= 1;
    }
    const last = others.findLast((index) => isMinor[index]) ?? others.at(-1);
    if (excess <= 0 || last === undefined) return shown;
    shown.splice(shown.indexOf(last), 1);
  }
}

/** Names and values, one pair a line with the values aligned; pairs without a value are left out. */
export function fields(
  pairs: readonly (readonly [name: string, value: string | number | boolean | null | undefined])[],
  paint: Paint,
): string {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== '');
  const width = Math.max(...shown.map(([name]) => widthOf(name)));
  return shown
    .map(([name, value]) => {
      const text =
        typeof value === 'boolean'
          ? value
            ? 'yes'
            : 'no'
          : plainLine(relativeTimes(String(value), paint.now));
      return `${paint('bold', `${name}:`)}${' '.repeat(width - widthOf(name) + 1)}${text}`;
    })
    .join('\n');
}
