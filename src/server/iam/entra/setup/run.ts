import type { Plan } from '../../../../contract/setup.ts';
import { settled } from '../settled.ts';
import { steps } from './index.ts';
import type { SetupWorld } from './step.ts';

/** What would be changed, step by step; empty when everything is in place. Changes nothing. */
export async function planSetup(world: SetupWorld): Promise<Plan> {
  const plan: Plan = [];
  for (const { id, title, plan: look } of steps) {
    const changes = [...(await look(world))];
    if (changes.length > 0) plan.push({ id, title, changes });
  }
  return plan;
}

/** Takes every step that has something to change; `done` hears of each. May be stopped and started again at any point. */
export async function applySetup(world: SetupWorld, done: (title: string) => void): Promise<void> {
  for (const step of steps) {
    const changes = await settled(world, () => step.plan(world));
    if (changes.length === 0) continue;
    await step.apply(world);
    done(step.title);
  }
}

/** Takes back what setup made, last things first; answers what is gone. */
export async function removeSetup(world: SetupWorld): Promise<string[]> {
  const gone: string[] = [];
  for (const step of [...steps].reverse()) gone.push(...((await step.undo?.(world)) ?? []));
  return gone;
}
