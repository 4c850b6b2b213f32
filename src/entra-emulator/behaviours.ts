// Writes the table of docs/entra-emulator.md: node src/entra-emulator/behaviours.ts
import { readFileSync, writeFileSync } from 'node:fs';

/** How we know a behaviour: from the real service, its documentation, public reports, client libraries, or not at all. */
export type Evidence = 'captured' | 'documented' | 'reported' | 'observed' | 'assumed';

/** One behaviour of Entra or Graph that the emulator shows, and the tests that hold it. */
export type Behaviour = {
  id: string;
  statement: string;
  evidence: Evidence;
  source: string;
  /** Where the evidence does not decide: what the emulator does with `--strict`, the worst for a client. */
  undecided?: string;
  date: string;
  /** `file: title` of each test. */
  tests: string[];
};

const page = 'docs/entra-emulator.md';
const [begin, end] = ['<!-- behaviours -->', '<!-- /behaviours -->'];

/** Every behaviour in `behaviours.json`. */
export function readBehaviours(): Behaviour[] {
  return JSON.parse(readFileSync('src/entra-emulator/behaviours.json', 'utf8'));
}

/** The page with its table made anew; assumptions come first, since they are what a reader must know. */
export function withTable(text: string, behaviours: readonly Behaviour[]): string {
  const order: Evidence[] = ['assumed', 'reported', 'observed', 'captured', 'documented'];
  const sorted = [...behaviours].sort(
    (one, other) => order.indexOf(one.evidence) - order.indexOf(other.evidence),
  );
  const rows = sorted.map(
    ({ id, statement, evidence, source, undecided }) =>
      `| ${id} | ${statement}${undecided ? ` **Undecided**; with \`--strict\`: ${undecided}` : ''} | ${evidence} | ${source} |`,
  );
  const table = [
    '| behaviour | what the emulator does | evidence | source |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n');
  const [before] = text.split(begin);
  const after = text.split(end)[1] ?? '\n';
  return `${before}${begin}\n${table}\n${end}${after}`;
}

if (import.meta.main) writeFileSync(page, withTable(readFileSync(page, 'utf8'), readBehaviours()));
