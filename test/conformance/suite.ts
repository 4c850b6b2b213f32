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
      // A sixth of the time of such a run goes to reading the suite's own program.
      const compiled = { NODE_COMPILE_CACHE: resolve('.cache/compiled') };
      const options = {
        ...{ env: { PATH: process.env.PATH, HOME: directory, ...compiled, ...env } },
        maxBuffer: 1 << 26,
      };
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

/** What the scenarios say of two ways to the same thing: directly, and through the gateway. */
export interface BothWays {
  readonly direct: Verdicts;
  readonly through: Verdicts;
}

/**
 * Runs scenarios (absent: all) directly and through the gateway. The suite waits by clocks of its own, which a busy machine
 * misses: what differs or fails, and is not known to, is run again both ways, twice at most; a real difference stays one.
 */
export async function bothWays(
  run: (way: keyof BothWays, scenarios?: readonly string[]) => Promise<Verdicts>,
  isKnown: (scenario: string) => boolean = () => false,
): Promise<BothWays> {
  let direct = await run('direct');
  let through = await run('through');
  for (let again = 0; again < 2; again += 1) {
    const open = Object.keys({ ...direct, ...through }).filter(
      (name) =>
        !isKnown(name) &&
        (String(direct[name]) !== String(through[name]) || failed({ [name]: direct[name] ?? [] }).length > 0),
    );
    if (open.length === 0) break;
    direct = { ...direct, ...(await run('direct', open)) };
    through = { ...through, ...(await run('through', open)) };
  }
  return { direct, through };
}

/** The checks that failed, each behind the name of its scenario. */
export function failed(verdicts: Verdicts): string[] {
  return Object.entries(verdicts).flatMap(([scenario, all]) =>
    all.filter((one) => one.includes(': FAILURE')).map((one) => `${scenario}: ${one}`),
  );
}

/** Runs what a revision requires of servers at this address, or some scenarios of it one by one. */
export async function runServer(
  revision: string,
  url: string,
  scenarios?: readonly string[],
): Promise<Verdicts> {
  if (!scenarios) return runSuite(['server', '--requirements', revision, '--url', url]);
  const found: Record<string, readonly string[]> = {};
  for (const name of scenarios) {
    const one = ['--scenario', name.replace(/^server-/, ''), '--spec-version', revision];
    Object.assign(found, await runSuite(['server', ...one, '--url', url]));
  }
  return found;
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
