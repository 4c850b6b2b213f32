import { expect, test } from 'vitest';
import { createAllow } from '../../db/allowance.ts';
import { Failure } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import { createBudgets } from '../mount.ts';

const alice = { provider: 'entra', subject: 'alice' } as Identity;
const bob = { provider: 'entra', subject: 'bob' } as Identity;

test('an identity has a burst, then a rate, and no one else pays for it', async () => {
  let time = 0;
  const take = createBudgets(createAllow(() => time));
  const taken = async (who: Identity): Promise<number> => {
    for (let count = 0; ; count++)
      try {
        await take('reach', { ...who });
      } catch (error) {
        expect(error).toBeInstanceOf(Failure);
        expect((error as Failure).retryAfter).toBe(2);
        return count;
      }
  };
  expect(await taken(alice)).toBe(20);
  expect(await taken(bob)).toBe(20);
  time += 2_000;
  expect(await taken(alice)).toBe(1);
  await take('heavy', alice);
  time += 3_600_000;
  expect(await taken(alice)).toBe(20);
});
