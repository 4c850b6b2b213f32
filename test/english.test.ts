import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { proseOf, sentencesOf, unnative, words } from './english.ts';

/** Pages that quote test titles or generated tables, and texts that no reader sees. */
const exceptions: Readonly<Record<string, string>> = {
  'docs/security.md': 'its table quotes the titles of tests',
  'src/server/config/secret-strength.ts': 'a list of words that are no secret',
  'src/server/gateway/connected.ts': 'an error of the program itself, for its authors',
  'src/server/registry/scopes/file-watch.ts': 'a mark in memory',
};

function list(folder: string, ending: RegExp): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((name) => ending.test(name) && !/\.test(-support)?\.tsx?$/.test(name) && !(name in exceptions));
}

test('the pages are in plain English', () => {
  const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...list('docs', /\.md$/)];
  expect(pages.length).toBeGreaterThan(80);
  expect(pages.flatMap((page) => unnative(page, proseOf(page)))).toEqual([]);
});

test.each([
  ['command line', ['src/cli']],
  ['web interface', ['src/ui']],
  ['API', ['src/server', 'src/contract', 'src/samples']],
])('what the %s says is in plain English', (_, folders) => {
  const files = folders.flatMap((folder) => list(folder, /\.tsx?$/));
  expect(files.length).toBeGreaterThan(50);
  const found = files.flatMap((file) =>
    sentencesOf(file).flatMap(({ line, text }) => unnative(file, text, line)),
  );
  expect(found).toEqual([]);
});

test('the check finds what it is for, and lets the rest be', () => {
  const found = (text: string): number => unnative('x', text).length;
  expect(words.every(([pattern]) => !pattern.global)).toBe(true);
  expect(found('Nobody may see what is in force; say --force.')).toBe(4);
  expect(found('No one can see what is active; add --force.')).toBe(0);
});
