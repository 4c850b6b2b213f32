import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The verdicts of one scenario: `check id: SUCCESS`, in their order, with how many events were only noted left out. */
export type Verdicts = Readonly<Record<string, readonly string[]>>;

interface Check {
  readonly id: string;
  readonly status: string;
  readonly errorMessage?: string;
}

const command = resolve('node_modules/@modelcontextprotocol/conformance/dist/index.js');

/** Runs the official conformance suite with `args` and answers the verdicts by scenario. */
export async function runSuite(args: readonly string[], env: Record<string, string> = {}): Promise<Verdicts> {
  const directory = mkdtempSync(join(tmpdir(), 'conformance-'));
  try {
    await new Promise<void>((done) => {
      const options = { env: { PATH: process.env.PATH, HOME: directory, ...env }, maxBuffer: 1 << 26 };
      // Its exit code is 1 when a scenario fails; what counts is what it wrote down.
      execFile(process.execPath, [command, ...args, '-o', directory], options, () => done());
    });
    return verdictsIn(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function verdictsIn(directory: string): Verdicts {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('checks.json'))
    .sort();
  const verdicts: Record<string, string[]> = {};
  for (const name of files) {
    const checks = JSON.parse(readFileSync(join(directory, name), 'utf8')) as Check[];
    // The name is that of the scenario and the time of the run.
    const scenario = name.replace(/-\d{4}-\d\d-\d\dT[^/\\]*[/\\]checks\.json$/, '');
    verdicts[scenario] = checks
      .filter(({ status }) => status !== 'INFO')
      .map(({ id, status, errorMessage }) => `${id}: ${status}${errorMessage ? ` (${errorMessage})` : ''}`);
  }
  return verdicts;
}
