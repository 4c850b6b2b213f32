import { expect, test } from 'vitest';
import { metadata } from './metadata.ts';

function nested(levels: number): unknown {
  let value: unknown = {};
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? { a: value } : [value];
  return { a: value };
}

test.each<[what: string, value: unknown]>([
  ['nested 2,100 deep', nested(2_100)],
  ['nested 200,000 deep', nested(200_000)],
  ['nested 17 deep', nested(17)],
  ['a text of 17 kB', { a: 'x'.repeat(17_000) }],
  ['a text whose escapes are 17 kB', { a: '"'.repeat(9_000) }],
  ['many short keys', Object.fromEntries(Array.from({ length: 5_000 }, (_, key) => [String(key), 0]))],
  ['a long list', { a: new Array(20_000).fill(0) }],
  ['a key of 17 kB', { ['k'.repeat(17_000)]: 0 }],
  ['a list', []],
  ['a text', 'x'],
])('%s is refused', (_, value) => {
  expect(metadata.safeParse(value).success).toBe(false);
});

test('what fits is kept as it is', () => {
  const value = { team: 'a', list: [1, 'two', null, { deep: true }], text: 'x'.repeat(16_000) };
  expect(metadata.parse(value)).toEqual(value);
  expect(metadata.parse(undefined)).toEqual({});
});
