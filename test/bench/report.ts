import type { Run } from './measure.ts';

/** The runs of one subject in one scenario, in their order. */
export interface Row {
  readonly scenario: string;
  readonly subject: string;
  readonly runs: readonly Run[];
  /** What each run costs as a multiple of what it is compared with, run by run. */
  readonly ratios?: { readonly to: string; readonly values: readonly number[] };
}

/** The middle one of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** How a subject's runs compare with those of another beside them. */
export function ratiosTo(to: string, runs: readonly Run[], others: readonly Run[]): Row['ratios'] {
  const values = runs.flatMap(({ cpu }, at) => {
    const other = others[at];
    return other && other.cpu > 0 ? [cpu / other.cpu] : [];
  });
  return values.length > 0 ? { to, values } : undefined;
}

/** The table in Markdown. */
export function tableOf(rows: readonly Row[]): string {
  const head = [
    '| scenario | | requests/s | p50 ms | p99 ms | CPU us/request | CPU ratio: min / median / max | to | MiB |',
    '|---|---|--:|--:|--:|--:|--:|---|--:|',
  ];
  return [...head, ...rows.map(lineOf)].join('\n');
}

function lineOf({ scenario, subject, runs, ratios }: Row): string {
  const of = (what: (run: Run) => number, digits: number): string => median(runs.map(what)).toFixed(digits);
  const spread = ratios
    ? [Math.min(...ratios.values), median(ratios.values), Math.max(...ratios.values)]
        .map((value) => value.toFixed(2))
        .join(' / ')
    : '';
  const cells = [
    ...[scenario, subject, of((run) => run.perSecond, 0), of((run) => run.p50, 2), of((run) => run.p99, 2)],
    ...[of((run) => run.cpu, 1), spread, ratios?.to ?? '', of((run) => run.memory, 0)],
  ];
  return `| ${cells.join(' | ')} |`;
}

/** What went wrong in the runs: other statuses than expected, and broken connections. */
export function oddities(row: Row, expected: string): string[] {
  return row.runs.flatMap(({ statuses, broken }) => {
    const others = Object.entries(statuses).filter(([status]) => status !== expected);
    const found = others.map(([status, count]) => `${count} answers with status ${status}`);
    if (broken > 0) found.push(`${broken} broken connections`);
    return found.map((what) => `${row.scenario}, ${row.subject}: ${what}`);
  });
}
