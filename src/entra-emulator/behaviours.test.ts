import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readBehaviours, withTable } from './behaviours.ts';

const root = 'src/entra-emulator';
const behaviours = readBehaviours();

/** `file: title` of every test in a folder of the room. */
function titles(files: readonly string[]): string[] {
  const title = /^(?:test\(|test\.each\([\s\S]*?\)\(\s*)(['"])((?:\\.|(?!\1).)*)\1/gm;
  return files.flatMap((file) =>
    [...readFileSync(`${root}/${file}`, 'utf8').matchAll(title)].map(([, , text]) => `${file}: ${text}`),
  );
}

const all = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.test.ts'),
);
/** Files whose tests speak of Entra and Graph, not of the emulator's own workings. */
const emulating = all.filter((file) => /^(sts|graph\/(objects|query)|main|clients)/.test(file));

test('every behaviour names tests that exist', () => {
  const known = new Set(titles(all));
  expect(
    behaviours.flatMap(({ id, tests }) =>
      tests.filter((one) => !known.has(one)).map((one) => `${id}: ${one}`),
    ),
  ).toEqual([]);
  expect(behaviours.filter(({ tests }) => tests.length === 0)).toEqual([]);
});

test('every test of what Entra does belongs to a behaviour', () => {
  const named = new Set(behaviours.flatMap(({ tests }) => tests));
  expect(titles(emulating).filter((title) => !named.has(title))).toEqual([]);
});

test('every behaviour says how it is known, from where and since when', () => {
  const ids = behaviours.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { evidence, source, date, statement } of behaviours) {
    expect(['captured', 'documented', 'reported', 'observed', 'assumed']).toContain(evidence);
    expect(source.length).toBeGreaterThan(3);
    expect(date).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(statement).toMatch(/\.$/);
  }
});

test('every undecided behaviour has a strict form that is tested', () => {
  const undecided = behaviours.filter((one) => one.undecided !== undefined);
  expect(undecided.length).toBeGreaterThan(5);
  for (const { id, undecided: strict, tests } of undecided) {
    expect(strict, id).toMatch(/\.$/);
    expect(
      tests.some((test) => /strict/.test(test)),
      id,
    ).toBe(true);
  }
});

test('the table in docs/entra-emulator.md is the one that the data makes (node src/entra-emulator/behaviours.ts)', () => {
  const text = readFileSync('docs/entra-emulator.md', 'utf8');
  expect(withTable(text, behaviours)).toBe(text);
});
