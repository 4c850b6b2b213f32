import { expect, test } from 'vitest';
import { createDatabaseClock } from './clock.ts';

test('the clock of a process follows that of the database, and its own where both are about the same', () => {
  let own = 1_000_000;
  const clock = createDatabaseClock(() => own);
  expect(clock.now()).toBe(1_000_000);
  // Two minutes behind the database, two ahead; asked for 500 ms.
  expect(clock.set(1_120_500, 1_000_000, 1_000_500)).toBe(120_000);
  own = 1_010_000;
  expect(clock.now()).toBe(1_130_000);
  expect(clock.set(880_000, 1_000_000, 1_000_500)).toBe(-120_000);
  expect(clock.now()).toBe(890_000);
  // A slow answer says nothing against a clock, nor does less than a second.
  expect(clock.set(1_020_000, 1_000_000, 1_030_000)).toBe(0);
  expect(clock.now()).toBe(own);
  expect(clock.set(1_000_400, 1_000_000, 1_000_000)).toBe(400);
  expect(clock.now()).toBe(own);
});
