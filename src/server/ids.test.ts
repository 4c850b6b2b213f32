import { expect, test } from 'vitest';
import { createIds } from './ids.ts';

test('ids are UUIDs of version 7, each greater than the one before, also when the clock goes back', () => {
  let at = 1_700_000_000_000;
  const newId = createIds(() => at--);
  const ids = Array.from({ length: 10_000 }, () => newId());
  expect(
    ids.filter((id) => !/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.test(id)),
  ).toEqual([]);
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
});

test('two makers at the same time make different ids', () => {
  const [one, other] = [createIds(() => 1), createIds(() => 1)];
  expect(one()).not.toBe(other());
});
