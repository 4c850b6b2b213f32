/** One fault of a scope file: where it is (both counted from 1) and what is wrong, with the remedy. */
export interface ScopeFileFault {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** How many faults the message spells out; `faults` holds them all. */
const shown = 25;

/** A scope file that cannot be used; `faults` is never empty and in the order of the file. */
export class ScopesFault extends Error {
  readonly file: string;
  readonly faults: readonly ScopeFileFault[];
  constructor(file: string, faults: readonly ScopeFileFault[]) {
    const inOrder = faults.toSorted((a, b) => a.line - b.line || a.column - b.column);
    const lines = inOrder
      .slice(0, shown)
      .map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`);
    if (inOrder.length > shown) lines.push(`and ${inOrder.length - shown} more`);
    super(lines.join('\n'));
    this.name = 'ScopesFault';
    this.file = file;
    this.faults = inOrder;
  }
}
