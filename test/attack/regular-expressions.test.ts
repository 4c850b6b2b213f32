import { globSync, readFileSync } from 'node:fs';
import { parseSync } from 'vite';
import { expect, test } from 'vitest';
import { slowTextFor } from './regex-steps.ts';

/** Expressions that take more than linear time, with what bounds the texts that they meet. */
const bounded: Readonly<Record<string, string>> = {
  'src/server/gateway/lists/sse.ts: /[\\r\\n]*$/': 'a line of an event, which has one end',
  'src/server/gateway/lists/sse.ts: /[\\r\\n]+$/': 'a line of an event, which has one end',
};

interface Found {
  readonly file: string;
  readonly source: string;
  readonly flags: string;
}

function nameOf({ file, source, flags }: Found): string {
  return `${file}: /${source}/${flags}`;
}

/** Every literal regular expression of a file. */
function expressionsIn(file: string): Found[] {
  const found: Found[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { regex } = node as { regex?: { pattern: string; flags: string } };
    if (regex) found.push({ file, source: regex.pattern, flags: regex.flags });
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseSync(file, readFileSync(file, 'utf8')).program);
  return found;
}

const files = globSync('src/{server,contract}/**/*.ts').filter(
  (file) => !/\.test(?:-support)?\.ts$/.test(file),
);
const all = files.flatMap(expressionsIn);

test.each([
  ['(a+)+$', ''],
  ['eyJ[\\w-]{8,}\\.eyJ[\\w-]{8,}', 'g'],
  ['\\s+$', ''],
  ['^(?:a|a)*$', ''],
  ['\\/+$', ''],
  ['x*x*y', ''],
])('the check finds /%s/%s', (source, flags) => {
  expect(slowTextFor(source, flags)).toBeDefined();
});

test.each([
  ['^[a-z]+$', ''],
  ['^\\/+|\\/$', ''],
  ['^(?:[a-z]+\\.)*[a-z]+$', ''],
  ['[a-z]', 'g'],
])('the check lets /%s/%s pass', (source, flags) => {
  expect(slowTextFor(source, flags)).toBeUndefined();
});

test('no regular expression takes more than linear time, but for those whose texts are known to be short', () => {
  expect(all.length).toBeGreaterThan(50);
  const slow = all.flatMap(({ file, source, flags }) => {
    const text = slowTextFor(source, flags);
    const name = nameOf({ file, source, flags });
    return text === undefined || bounded[name] ? [] : [`${name} ${text}`];
  });
  expect(slow).toEqual([]);
});

test('every exception is there and needed', () => {
  const slow = new Set(all.filter(({ source, flags }) => slowTextFor(source, flags)).map(nameOf));
  expect(Object.keys(bounded).filter((name) => !slow.has(name))).toEqual([]);
});
