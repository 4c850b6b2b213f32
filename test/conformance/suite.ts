import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

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

/** The scenarios that a revision requires of clients. */
export async function clientScenarios(revision: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[command, 'list', '--client', '--requirements', revision],
  ]);
  // What follows is run by the suite as well, but not required: `    - name [client]`.
  const [, required = ''] = /\nClient scenarios[^\n]*\n((?: {2}- [^\n]*\n)+)/.exec(stdout) ?? [];
  return required
    .trim()
    .split('\n')
    .map((line) => line.replace(/^ *- /, ''));
}

/**
 * Runs `scenarios` of a client that the suite starts, two at a time: all at once, as the suite would, they run into its
 * limits of time. Each verdict is answered once, as how often a client repeats what it does depends on its pace.
 */
export async function runClient(
  scenarios: readonly string[],
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Verdicts> {
  const left = [...scenarios];
  const verdicts: Record<string, readonly string[]> = {};
  const work = async (): Promise<void> => {
    for (let scenario = left.shift(); scenario !== undefined; scenario = left.shift()) {
      const found = await runSuite(['client', '--scenario', scenario, ...args], env);
      verdicts[scenario] = [...new Set(Object.values(found).flat())].sort();
    }
  };
  await Promise.all([work(), work()]);
  return verdicts;
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
