import { expect, test } from 'vitest';
import { createAllow } from '../../db/allowance.ts';
import { createRate } from '../sign-in.ts';

function trial(perMinute: number) {
  const clock = { now: 1_000_000 };
  const rate = createRate(
    'test',
    perMinute,
    createAllow(() => clock.now),
  );
  const waitOf = async (address: string | null): Promise<number> => {
    try {
      await rate(address);
      return 0;
    } catch (error) {
      return (error as { retryAfter: number }).retryAfter;
    }
  };
  return { clock, waitOf };
}

test('an address may do it so many times at once, and again as time passes', async () => {
  const { clock, waitOf } = trial(6);
  for (let times = 0; times < 6; times += 1) expect(await waitOf('192.0.2.1')).toBe(0);
  expect(await waitOf('192.0.2.1')).toBe(10);
  expect(await waitOf('192.0.2.2')).toBe(0);
  clock.now += 10_000;
  expect([await waitOf('192.0.2.1'), await waitOf('192.0.2.1')]).toEqual([0, 10]);
  clock.now += 3_600_000;
  for (let times = 0; times < 6; times += 1) expect(await waitOf('192.0.2.1')).toBe(0);
});

test.each([
  ['2001:db8::1', '2001:db8::ffff:2', true],
  ['2001:db8:0:0:1::1', '2001:db8::1', true],
  ['2001:0db8:0000:0000:5::1', '2001:db8::1', true],
  ['2001:db8:0:1::1', '2001:db8:0:2::1', false],
  ['::1', '::2', true],
  ['192.0.2.1', '192.0.2.2', false],
])('%s and %s count as one address: %s', async (one, other, isOne) => {
  const { waitOf } = trial(1);
  expect(await waitOf(one)).toBe(0);
  expect((await waitOf(other)) > 0).toBe(isOne);
});

test('0 is no limit', async () => {
  const { waitOf } = trial(0);
  for (let times = 0; times < 1000; times += 1) expect(await waitOf('192.0.2.1')).toBe(0);
});
