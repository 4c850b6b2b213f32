import { clip, plainLine, widthOf } from '../../contract/values/plain-text.ts';
import type { Paint, Style } from './output.ts';

/** A column of a table: its title, what it shows of a row, and how that is painted. */
export interface Column<R> {
  readonly title: string;
  readonly show: (row: R) => string;
  readonly style?: (row: R) => Style | undefined;
}

const gap = '  ';
const narrowest = 8;

/** Rows as aligned columns with a head; `room` is the width to keep to, by cutting the widest columns. */
export function table<R>(
  rows: readonly R[],
  columns: readonly Column<R>[],
  room: number | undefined,
  paint: Paint,
): string {
  const cells = rows.map((row) => columns.map((column) => plainLine(column.show(row))));
  const widths = columns.map((column, index) =>
    Math.max(widthOf(column.title), ...cells.map((line) => widthOf(line[index] ?? ''))),
  );
  if (room !== undefined) shrink(widths, room - gap.length * (columns.length - 1));
  const lay = (texts: readonly string[], style: (index: number) => Style | undefined): string =>
    texts
      .map((text, index) => {
        const clipped = clip(text, widths[index] ?? 0);
        const padding = index === texts.length - 1 ? 0 : (widths[index] ?? 0) - widthOf(clipped);
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
  ].join('\n');
}

/** Takes columns away from the widest until the sum fits or all are as narrow as a column may get. */
function shrink(widths: number[], room: number): void {
  let excess = widths.reduce((sum, width) => sum + width, 0) - room;
  while (excess > 0) {
    const widest = Math.max(...widths);
    if (widest <= narrowest) return;
    widths[widths.lastIndexOf(widest)] = widest - 1;
    excess -= 1;
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
      const text = typeof value === 'boolean' ? (value ? 'yes' : 'no') : plainLine(String(value));
      return `${paint('bold', `${name}:`)}${' '.repeat(width - widthOf(name) + 1)}${text}`;
    })
    .join('\n');
}
