import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What is tried with each client, in the order of the table. */
export const columns = {
  eras: 'protocol',
  full: 'full scope',
  narrow: 'narrow scope',
  restart: 'server restarted',
  signIn: 'signs in',
  refresh: 'refreshes',
  again: 'ended, signs in again',
  six: 'virtual server of six',
} as const;

/** One fact about a client in one column; several of one column are listed beside each other. */
export interface Seen {
  readonly client: string;
  readonly version: string;
  readonly column: keyof typeof columns | 'note';
  readonly value: string;
}

/** Keeps what a test saw for the table; does nothing where no run collects it. */
export function keep(seen: Seen): void {
  const folder = process.env.CLIENTS_RESULTS;
  if (folder) appendFileSync(join(folder, `${process.pid}.jsonl`), `${JSON.stringify(seen)}\n`);
}

const [begin, end] = ['<!-- written by npm run test:clients -->', '<!-- end -->'];

/** Writes the table of docs/clients.md from what the tests kept. */
export async function writeTable(folder: string): Promise<void> {
  const seen = readdirSync(folder)
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n'))
    .map((line) => JSON.parse(line) as Seen);
  const file = 'docs/clients.md';
  const [before, rest = ''] = readFileSync(file, 'utf8').split(begin);
  const after = rest.split(end)[1];
  if (after === undefined) throw new Error(`${file} has no place for the table`);
  const text = `${before}${begin}\n\n${table(seen)}\n\n${end}${after}`;
  if (text === readFileSync(file, 'utf8')) return;
  writeFileSync(file, text);
  console.log(`${file} says what was seen`);
}

function table(seen: readonly Seen[]): string {
  const rows = [...Map.groupBy(seen, ({ client, version }) => `${client}|${version}`)]
    .sort(([one], [other]) => one.localeCompare(other, 'en'))
    .map(([key, facts]) => {
      const [client = '', version = ''] = key.split('|');
      const all = [...Object.keys(columns), 'note'].map((column) => {
        const values = facts.filter((fact) => fact.column === column).map(({ value }) => value);
        return [...new Set(values)].sort().join(', ') || '-';
      });
      return [client, version, ...all];
    });
  const head = ['client', 'version', ...Object.values(columns), 'what else'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
