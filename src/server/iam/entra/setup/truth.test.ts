import { readdirSync } from 'node:fs';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { asFailure } from '../../../failure/errors.ts';
import { applySetup, planSetup, removeSetup } from '../../setup/run.ts';
import { workIn } from './index.ts';
import { setupTrial } from './trial.test-support.ts';

const trial = await setupTrial();
const { emulator, world } = trial;
afterAll(() => emulator.close());
let folder: string;
beforeEach(() => {
  folder = trial.begin();
  return trial.end;
});

/** Names of what setup made, in the directory and in the bin. */
function left(): { directory: string[]; bin: string[] } {
  const [, tenant] = JSON.parse(emulator.snapshot()).tenants.$map[0];
  const made = (name: string) => name.startsWith('mcp-gateway');
  const names = (kind: string): string[] =>
    tenant[kind].$map.map(([, object]: [string, { displayName: string }]) => object.displayName);
  const binned: { object: { displayName: string } }[] = tenant.deleted.$map.map(
    ([, one]: [string, never]) => one,
  );
  return {
    directory: [...new Set(['applications', 'servicePrincipals', 'groups'].flatMap(names))].filter(made),
    bin: [...new Set(binned.map(({ object }) => object.displayName))].filter(made),
  };
}

/** Removes, and holds what is said against what is there; whether all is gone. */
async function removeAndCompare(what: string): Promise<boolean> {
  const outcome = await removeSetup(workIn(await world())).then(
    (removed) => ({ removed, message: '' }),
    (error: unknown) => ({ removed: [], message: asFailure(error).message }),
  );
  const { directory, bin } = left();
  const there = [...directory, ...bin];
  const [kept = '', gone = ''] = outcome.message.split(/ Removed: | Nothing else was removed/);
  for (const line of [...outcome.removed, ...gone.split('; ')]) {
    const name = /'([^']+)'/.exec(line)?.[1];
    if (name && !line.includes('its name is taken')) expect(there, `${what}: ${line}`).not.toContain(name);
  }
  if (outcome.message === '') expect(there, `${what}: ${outcome.removed.join('; ')}`).toEqual([]);
  else {
    expect(kept, what).toMatch(/Not everything is removed|is not known/);
    // The first thing that it names is there, unless it says that it cannot tell.
    if (!kept.includes('is not known'))
      expect(there, `${what}: ${kept}`).toContain(/'([^']+)'/.exec(kept)?.[1]);
    expect(directory, what).toEqual([]);
  }
  return outcome.message === '';
}

/** Dies in `run` at each change of tenant or folder; calls `then` after each. Returns how many there were. */
async function killedEverywhere(
  run: (at: number) => Promise<unknown>,
  then: (what: string) => Promise<void>,
): Promise<number> {
  for (let at = 1; at < 60; at += 1) {
    const killed = await run(at).then(
      () => false,
      () => true,
    );
    await then(`killed after change ${at}`);
    if (!killed) return at;
  }
  throw new Error('it never ends');
}

test('setup killed at each step, then removed with a lagging bin, then run again: never a lie', {
  timeout: 120_000,
}, async () => {
  const count = await killedEverywhere(
    async (at) => {
      trial.end();
      folder = trial.begin();
      // What was made is not everywhere at once, and what was deleted is not in the bin at once.
      emulator.faults.add({ kind: 'replicationDelay', milliseconds: 3000 });
      emulator.faults.add({ kind: 'binDelay', milliseconds: 40_000 });
      await applySetup(workIn(await trial.dying(at)), () => {});
    },
    async (what) => {
      expect(await removeAndCompare(what), what).toBe(true);
      expect(readdirSync(folder), what).toEqual([]);
      await applySetup(workIn(await world()), () => {});
      // Nothing was brought back: all of it was gone, as was said.
      expect(trial.said, what).toEqual([]);
      emulator.clock.advance(5000);
      expect(await planSetup(workIn(await world())), what).toEqual([]);
    },
  );
  expect(count).toBeGreaterThan(15);
});

test('a removal killed at each step is finished by the next, with the bin lagging: never a lie', {
  timeout: 120_000,
}, async () => {
  const count = await killedEverywhere(
    async (at) => {
      trial.end();
      folder = trial.begin();
      await applySetup(workIn(await world()), () => {});
      emulator.faults.add({ kind: 'binDelay', milliseconds: 40_000 });
      await removeSetup(workIn(await trial.dying(at)));
    },
    async (what) => {
      let rounds = 0;
      // Killed between a purge and the note of it, the bin has to be watched for as long as it may lag.
      while (!(await removeAndCompare(what)) && rounds < 20) {
        emulator.clock.advance(120_000);
        rounds += 1;
      }
      expect(left(), what).toEqual({ directory: [], bin: [] });
      expect(readdirSync(folder), what).toEqual([]);
      await applySetup(workIn(await world()), () => {});
      expect(trial.said, what).toEqual([]);
    },
  );
  expect(count).toBeGreaterThan(8);
});

test('while the bin lags for an hour, setup and removal say so, and both work afterwards', async () => {
  await applySetup(workIn(await world()), () => {});
  emulator.faults.add({ kind: 'binDelay', milliseconds: 3_600_000 });
  expect(await removeAndCompare('first')).toBe(false);
  await expect(applySetup(workIn(await world()), () => {})).rejects.toThrow(
    /keeps its name for 30 days, and the bin does not show it yet.*--purge-deleted/,
  );
  emulator.clock.advance(3_600_000);
  const [first] = await planSetup(workIn(await world()));
  expect(first?.changes[0]).toMatch(/^restore the registration/);
  expect(await removeAndCompare('second')).toBe(true);
  await applySetup(workIn(await world()), () => {});
  expect(await planSetup(workIn(await world()))).toEqual([]);
});
