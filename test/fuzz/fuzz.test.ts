import { describe, expect, test } from 'vitest';
import { readCorpus, readCrashes } from './corpus.ts';
import { fuzz, type Target } from './engine.ts';
import { targets } from './targets.ts';

describe.each(targets)('$name', (target) => {
  test('no input breaks a promise', async () => {
    const corpus = readCorpus(target.name);
    // What runs over connections takes longer.
    const least = target.close ? 400 : 800;
    const { crash, executions, corpus: kept } = await fuzz(target, { seed: 1, executions: least, corpus });
    expect(crash && { input: crash.input.toString('latin1'), error: String(crash.error) }).toBe(undefined);
    expect(executions).toBeGreaterThanOrEqual(least);
    // Coverage guides it: more inputs are kept than it began with.
    expect(kept.length).toBeGreaterThan(target.seeds.length);
  });

  test('what broke a promise once does so no more', async () => {
    for (const { input } of readCrashes(target.name)) await target.run(input);
    await target.close?.();
  });
});

test('the engine finds what lies behind several conditions', async () => {
  const target: Target = {
    ...{ name: 'engine', seeds: ['aaaa'], words: ['F', 'U', 'Z'] },
    run(input) {
      deep(input);
    },
  };
  expect((await fuzz(target, { seed: 7, executions: 40_000 })).crash?.error).toEqual(new Error('found'));
});

function deep(input: Buffer): void {
  if (input[0] !== 0x46) return;
  if (input[1] !== 0x55) return;
  if (input[2] === 0x5a) throw new Error('found');
}
