import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { de } from './de.ts';
import { count, t } from './words.ts';

const directory = new URL('..', import.meta.url);

/** Every English text that the pages have translated, and the names in braces in it. */
function textsOfPages(): Set<string> {
  const texts = new Set<string>();
  for (const file of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    if (!/\.tsx?$/.test(file) || file.endsWith('.test.ts') || file.startsWith('words')) continue;
    const source = readFileSync(new URL(file.replaceAll('\\', '/'), directory), 'utf8');
    for (const [, single, double] of source.matchAll(/\bt\(\s*(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)")/g))
      texts.add((single ?? double ?? '').replaceAll("\\'", "'"));
    for (const [, one, other] of source.matchAll(
      /\bcount\(\s*[^;']*?,\s*'((?:\\.|[^'\\])*)',\s*'((?:\\.|[^'\\])*)',?\s*\)/g,
    ))
      for (const text of [one, other]) if (text !== undefined) texts.add(text);
  }
  return texts;
}

const placeholders = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();

test('German has every text, with the same values in it, and none that is not used', () => {
  const texts = textsOfPages();
  expect(texts.size).toBeGreaterThan(300);
  expect([...texts].filter((text) => de[text] === undefined)).toEqual([]);
  expect(Object.keys(de).filter((text) => !texts.has(text))).toEqual([]);
  for (const [english, german] of Object.entries(de))
    expect(placeholders(german), english).toEqual(placeholders(english));
});

test('values and numbers are put into a text, and what has no value stays', () => {
  expect(t('{name} has {n}', { name: '{n}', n: 1234 })).toBe('{n} has 1,234');
  expect(t('{missing}')).toBe('{missing}');
  expect([count(1, '{n} tool', '{n} tools'), count(0, '{n} tool', '{n} tools')]).toEqual([
    '1 tool',
    '0 tools',
  ]);
});
