import type { Run } from './command.ts';
import type { Outcome } from './generate-tokens.ts';
import type { Entry } from './input/identities.ts';
import { asTrouble } from './trouble.ts';

/** The identities file is looked at again this often, in milliseconds: an edit takes effect without a restart. */
const lookAgain = 60_000;
const leastPause = 1_000;
const firstPause = 5_000;
const longestPause = 5 * 60_000;

/** How identities are read and tokens made. */
export interface Keeping {
  read(): Promise<readonly Entry[]>;
  generate(entries: readonly Entry[]): Promise<readonly Outcome[]>;
  tell(outcome: Outcome): void;
}

interface Kept {
  readonly of: string;
  readonly dueAt: number;
  readonly failures: number;
  readonly outcome: Outcome;
}

/**
 * Renews each token before it expires, and tries again with growing pauses what has failed, until the signal is aborted;
 * then it resolves with what each identity came to lastly.
 */
export async function keepTokens(
  { terminal, output }: Run,
  { read, generate, tell }: Keeping,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const { clock } = terminal;
  const kept = new Map<string, Kept>();
  let entries = await read();
  while (!signal.aborted) {
    for (const key of kept.keys()) if (!entries.some((entry) => keyOf(entry) === key)) kept.delete(key);
    const due = entries.filter((entry) => isDue(kept.get(keyOf(entry)), entry, clock.now()));
    const outcomes = await generate(due);
    for (const [at, outcome] of outcomes.entries()) {
      const entry = due[at] as Entry;
      const before = kept.get(keyOf(entry));
      const failures = outcome.error === null ? 0 : (before?.failures ?? 0) + 1;
      const dueAt = outcome.renewAt ?? clock.now() + pauseAfter(failures);
      kept.set(keyOf(entry), { of: JSON.stringify(entry), dueAt, failures, outcome });
      if (outcome.error !== before?.outcome.error || outcome.error === null) tell(outcome);
    }
    const next = Math.min(...[...kept.values()].map(({ dueAt }) => dueAt - clock.now()), lookAgain);
    await clock.pause(Math.max(leastPause, next), signal);
    if (!signal.aborted) entries = await readAgain(read, entries, output);
  }
  return [...kept.values()].map(({ outcome }) => outcome);
}

/** The entries as they are now, or as they were when the file cannot be read at the moment. */
async function readAgain(
  read: Keeping['read'],
  before: readonly Entry[],
  output: Run['output'],
): Promise<readonly Entry[]> {
  try {
    return await read();
  } catch (error) {
    output.warn(`${asTrouble(error).message} The previous identities are kept.`);
    return before;
  }
}

/** An identity by its name; what is none by all that is known of it, as several may have one name. */
function keyOf(entry: Entry): string {
  return 'identity' in entry ? entry.name : JSON.stringify(entry);
}

function isDue(kept: Kept | undefined, entry: Entry, now: number): boolean {
  return kept === undefined || kept.of !== JSON.stringify(entry) || kept.dueAt <= now;
}

function pauseAfter(failures: number): number {
  return Math.min(firstPause * 2 ** (failures - 1), longestPause);
}
