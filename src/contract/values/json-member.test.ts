import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memberText } from './json-member.ts';

test.each([
  ['{"card": { "a" : 1.0 } , "x": 1}', '{ "a" : 1.0 }'],
  ['{"x": {"card": 1}, "card" :\n[1,\t2]}', '[1,\t2]'],
  ['{"c\\u0061rd": "}\\",{"}', '"}\\",{"'],
  ['{"card": 1, "card": 2e0}', '2e0'],
  ['{"x": "card", "card": null}', 'null'],
  ['{"x": [{"card": 1}]}', undefined],
  ['{}', undefined],
])('the member card of %s is %s', (json, text) => {
  expect(memberText(json, 'card')).toBe(text);
});

test('what is found parses to what JSON.parse finds, whatever else the object holds', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.jsonValue(),
      fc.nat(4),
      (others, card, space) => {
        const json = JSON.stringify({ ...others, card }, null, space);
        expect(JSON.parse(memberText(json, 'card') ?? '')).toEqual(JSON.parse(json).card);
      },
    ),
  );
});

test.each(['x', '\\', '"', '{'])('a member of a megabyte of %j is found', (character) => {
  const card = JSON.stringify(character.repeat(500_000));
  expect(memberText(`{"a": 1, "card": ${card}}`, 'card')).toBe(card);
});
