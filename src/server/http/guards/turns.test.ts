import { expect, test } from 'vitest';
import { createSlots, createTurns, whenOver } from './turns.ts';

test('who sends many stands in line for them alone', async () => {
  const turn = createTurns();
  const order: string[] = [];
  const asked = (who: string) => turn(who).then(() => void order.push(who));
  const all = [
    ...Array.from({ length: 50 }, () => asked('greedy')),
    asked('one'),
    asked('other'),
    asked('one'),
  ];
  await Promise.all(all);
  expect(order).toHaveLength(53);
  // One of each before anybody has another.
  expect(order.slice(0, 3).sort()).toEqual(['greedy', 'one', 'other']);
  expect(order.slice(0, 5).filter((who) => who === 'one')).toHaveLength(2);
  await asked('late');
  expect(order.at(-1)).toBe('late');
});

test('a place that is left goes to who waits for it, once', async () => {
  const slots = createSlots(1);
  const leave = await slots.take('a', true);
  expect(await slots.take('a', false)).toBeUndefined();
  expect(await slots.take('b', false)).toBeTypeOf('function');
  const next = slots.take('a', true);
  leave?.();
  leave?.();
  const leaveNext = await next;
  expect(await slots.take('a', false)).toBeUndefined();
  leaveNext?.();
  expect(await slots.take('a', false)).toBeTypeOf('function');
});

test('a stream that fails is over, and fails', async () => {
  let times = 0;
  const failing = new ReadableStream<Uint8Array>({
    pull() {
      throw new Error('the database is away');
    },
  });
  const stream = whenOver(failing, () => {
    times += 1;
  });
  await expect(new Response(stream).text()).rejects.toThrow('the database is away');
  expect(times).toBe(1);
});
