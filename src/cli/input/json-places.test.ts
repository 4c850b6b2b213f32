import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonPlaces } from './json-places.ts';

test.each([
  ['', 1, 1, 'a value is expected, not the end of the text'],
  ['{\n  "a": 1,\n}', 3, 1, "a name in double quotes is expected, not '}'"],
  ['{\n  "a" 1}', 2, 7, "':' is expected, not '1'"],
  ['{"a": yes}', 1, 7, "a value is expected, not 'y'"],
  ['[1 2]', 1, 4, "',' or ']' is expected, not '2'"],
  ["{'a': 1}", 1, 2, "a name in double quotes or '}' is expected, not '''"],
  ['["a\nb"]', 1, 2, 'this text has no end, or holds a line break or a wrong escape'],
  ['{} x', 1, 4, "there is 'x' after the end of the value"],
  ['[01]', 1, 2, "a value is expected, not '0'"],
])('%j has its fault at line %i, column %i', (text, line, column, message) => {
  expect(jsonPlaces(text).fault).toEqual({ line, column, message });
});

test('values are found by their path', () => {
  const { at, fault } = jsonPlaces('{\n  "a": {"b": [1, true]},\n  "c": "x"\n}');
  expect(fault).toBeUndefined();
  expect([at(''), at('a.b.1'), at('c'), at('d')]).toEqual([
    { line: 1, column: 1 },
    { line: 2, column: 18 },
    { line: 3, column: 8 },
    undefined,
  ]);
});

test('a fault is found exactly when JSON.parse finds one', () => {
  const agrees = (text: string): void => {
    let valid = true;
    try {
      JSON.parse(text);
    } catch {
      valid = false;
    }
    expect(jsonPlaces(text).fault === undefined).toBe(valid);
  };
  fc.assert(fc.property(fc.json(), agrees));
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"',
    '\\',
    ' ',
    '\n',
    '-',
    '1',
    '0.5e3',
    'null',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => agrees(pieces.join(''))),
    { numRuns: 2000 },
  );
});

test('deep nesting is a fault, not a crash', () => {
  expect(jsonPlaces('['.repeat(100_000)).fault?.message).toContain('nested');
});
