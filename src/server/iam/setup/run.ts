import type { Plan, SetupOptions, SetupResult, SetupTalk } from '../../../contract/diagnosis/setup.ts';
import { asFailure, Failure } from '../../failure/errors.ts';
import type { Step } from './step.ts';

/** Everything that is to be done, or taken back. */
export interface Work<World> {
  /** In the order in which they are taken; they are undone in the reverse order. */
  readonly steps: readonly Step<World>[];
  readonly world: World;
  /** Where it is done, such as `tenant 1234`. */
  readonly place: string;
  /** What would be taken back, a line each. */
  readonly removal: readonly string[];
  /** Looks again while what the step before made is not known everywhere; at once when left out. */
  readonly settled?: <T>(look: () => Promise<T>) => Promise<T>;
}

/** What the gateway keeps to afterwards, whatever it is permitted there; who agrees to setup agrees to that. */
const bounds = [
  'From then on the gateway changes only groups that scopes map or that it created, and deletes only accounts that it created',
  '  - IAM_MANAGES=own in .env leaves it what it created, IAM_MANAGES=all everything that its permissions allow (docs/iam.md)',
];

/** Shows the plan, and carries it out when it is agreed to; or takes everything back. */
export async function carryOut<World>(
  work: Work<World>,
  options: SetupOptions,
  talk: SetupTalk,
): Promise<SetupResult> {
  if (options.remove) return takeBack(work, talk);
  const plan = await planSetup(work);
  if (options.plan || plan.length === 0) return { plan, done: plan.length === 0 };
  const lines = plan.flatMap(({ title, changes }) => [title, ...changes.map((change) => `  - ${change}`)]);
  if (!(await talk.agree(`In ${work.place} and in this folder:`, [...lines, ...bounds])))
    return { plan, done: false };
  await applySetup(work, (title) => talk.say(`done: ${title}`));
  return { plan, done: true };
}

async function takeBack<World>(work: Work<World>, talk: SetupTalk): Promise<SetupResult> {
  const isAgreed = await talk.agree(`Remove from ${work.place}, as far as setup made it:`, work.removal);
  if (!isAgreed) return { plan: [], done: false, removed: [] };
  return { plan: [], done: true, removed: await removeSetup(work) };
}

/** What would be changed, step by step; empty when everything is in place. Changes nothing. */
export async function planSetup<World>({
  steps,
  world,
}: Pick<Work<World>, 'steps' | 'world'>): Promise<Plan> {
  const plan: Plan = [];
  for (const { id, title, plan: look } of steps) {
    const changes = [...(await look(world))];
    if (changes.length > 0) plan.push({ id, title, changes });
  }
  return plan;
}

/** Takes every step that has something to change; `done` hears of each. May be stopped and started again at any point. */
export async function applySetup<World>(
  { steps, world, settled = (look) => look() }: Pick<Work<World>, 'steps' | 'world' | 'settled'>,
  done: (title: string) => void,
): Promise<void> {
  for (const step of steps) {
    const changes = await settled(() => step.plan(world));
    if (changes.length === 0) continue;
    await step.apply(world);
    done(step.title);
  }
}

/**
 * Takes back what setup made, last things first; answers what is gone. Where something cannot be removed the rest is, and a
 * Failure says what is left and what is gone.
 */
export async function removeSetup<World>({
  steps,
  world,
}: Pick<Work<World>, 'steps' | 'world'>): Promise<string[]> {
  const gone: string[] = [];
  const failures: Failure[] = [];
  for (const step of [...steps].reverse())
    try {
      gone.push(...((await step.undo?.(world, (what) => gone.push(what))) ?? []));
    } catch (error) {
      failures.push(asFailure(error));
    }
  const [first] = failures;
  if (!first) return gone;
  const removed = gone.length > 0 ? ` Removed: ${gone.join('; ')}.` : ' Nothing else was removed.';
  throw new Failure(first.code, `${failures.map(({ message }) => message).join(' ')}${removed}`, {
    cause: first,
  });
}
