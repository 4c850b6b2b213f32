// What a spreadsheet takes for the beginning of a formula, in the full-width and small forms that some read as the same too, and
// behind what some leave out: blanks, controls, characters that nobody sees.
const formula = /^(?:[\t\r\n]|[\p{Z}\p{Cc}\p{Cf}]*[=+\-@＝＋－＠﹦﹢﹣﹫−])/u;

/**
 * One line of CSV (RFC 4180). Every cell is quoted, so that no separator of any locale splits it, and what a spreadsheet
 * would run gets an apostrophe in front. The one place that writes CSV.
 */
export function csvLine(cells: readonly unknown[]): string {
  return `${cells.map(cellOf).join(',')}\r\n`;
}

function cellOf(value: unknown): string {
  if (value === null || value === undefined) return '""';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  const safe = typeof value === 'string' && formula.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}
