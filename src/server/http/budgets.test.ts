import { expect, test } from 'vitest';
import { Failure } from '../failure/errors.ts';
import type { Identity } from '../identity/identity.ts';
import { createBudgets } from './budgets.ts';

const alice = { provider: 'entra', subject: 'alice' } as Identity;
const bob = { provider: 'entra', subject: 'bob' } as Identity;

test('an identity has a burst, then a rate, and nobody else pays for it', () => {
  let time = 0;
  const take = createBudgets(() => time);
  const taken = (who: Identity): number => {
    for (let count = 0; ; count++)
      try {
        take('reach', { ...who });
      } catch (error) {
        expect(error).toBeInstanceOf(Failure);
        expect((error as Failure).retryAfter).toBe(2);
        return count;
      }
  };
  expect(taken(alice)).toBe(20);
  expect(taken(bob)).toBe(20);
  time += 2_000;
  expect(taken(alice)).toBe(1);
  take('heavy', alice);
  time += 3_600_000;
  expect(taken(alice)).toBe(20);
});
