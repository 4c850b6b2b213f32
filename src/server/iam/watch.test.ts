import { expect, test, vi } from 'vitest';
import type { Diagnosis } from '../../contract/diagnosis/doctor.ts';
import { watchProviders } from './watch.ts';

const isOurTurn = async () => true;

test('what is not well is logged with its remedy, and a look within a minute asks nobody', async () => {
  const remedy = { portal: 'there', command: 'az something' };
  const finding = { id: 'secret-expiry', group: 'Credentials', why: '', what: 'It ends.', remedy };
  const diagnosis: Diagnosis = {
    healthy: true,
    credentials: [{ kind: 'secret', expires_at: new Date(20 * 86_400_000).toISOString() }],
    findings: [
      { ...finding, level: 'warn' },
      { id: 'clock', group: 'Tenant', level: 'ok', what: 'Fine.', why: '' },
    ],
  };
  let [asked, now] = [0, 0];
  const warned: unknown[][] = [];
  const log = { warn: (...words: unknown[]) => void warned.push(words), info: () => {} };
  const watch = watchProviders(
    async () => {
      asked++;
      return diagnosis;
    },
    { log, now: () => now, isOurTurn },
  );
  expect(await watch.look()).toBe(diagnosis);
  await Promise.resolve();
  expect(warned).toEqual([[{ check: 'secret-expiry', level: 'warn', remedy }, 'Doctor: It ends.']]);
  now = 50_000;
  await watch.look();
  expect(asked).toBe(1);
  now = 70_000;
  await watch.look(100_000);
  expect(asked).toBe(1);
  await watch.look();
  expect(asked).toBe(2);
  await Promise.all([watch.look(0), watch.look(0)]);
  expect(asked).toBe(3);
  watch.close();
});

test('the days that a credential has left are known also while nobody can be asked', async () => {
  const credentials = [{ kind: 'secret' as const, expires_at: new Date(20 * 86_400_000).toISOString() }];
  const answers = [credentials, []];
  let now = 0;
  const log = { warn: () => {}, info: () => {} };
  const run = async () => ({ healthy: true, findings: [], credentials: answers.shift() ?? [] });
  const watch = watchProviders(run, { log, now: () => now, isOurTurn });
  expect(watch.daysLeft().size).toBe(0);
  await watch.look();
  now = 5 * 86_400_000;
  await watch.look(0);
  expect([...watch.daysLeft()]).toEqual([['secret', 15]]);
  watch.close();
});

test('a doctor that throws is told to the log and to whoever asks, and asked again', async () => {
  let fails = true;
  const warned: string[] = [];
  const log = { warn: (_: object, text: string) => void warned.push(text), info: () => {} };
  const run = async (): Promise<Diagnosis> => {
    if (fails) throw new Error('the doctor fell ill');
    return { healthy: true, credentials: [], findings: [] };
  };
  const watch = watchProviders(run, { log: log as never, now: () => 0, isOurTurn });
  await expect(watch.look()).rejects.toThrow('fell ill');
  fails = false;
  expect(await watch.look()).toMatchObject({ healthy: true });
  expect(warned).toEqual([expect.stringContaining('could not be examined')]);
  watch.close();
});

test('what is found after the end is told to nobody', async () => {
  const warned: unknown[][] = [];
  const log = { warn: (...words: unknown[]) => void warned.push(words), info: () => {} };
  const ends = Promise.withResolvers<Diagnosis>();
  const watch = watchProviders(() => ends.promise, { log, now: () => 0, isOurTurn });
  watch.close();
  ends.reject(new Error('the connection was closed'));
  await expect(watch.look()).rejects.toThrow();
  await Promise.resolve();
  expect(warned).toEqual([]);
});

test('of several processes one looks each day, all of them at the start', async () => {
  vi.useFakeTimers();
  let [looked, turns] = [0, 1];
  const run = async () => {
    looked += 1;
    return { healthy: true, credentials: [], findings: [] };
  };
  const log = { warn: () => {}, info: () => {} };
  const turn = async () => turns-- > 0;
  const watches = [1, 2, 3].map(() => watchProviders(run, { log, now: Date.now, isOurTurn: turn }));
  await vi.advanceTimersByTimeAsync(1000);
  expect(looked).toBe(3);
  await vi.advanceTimersByTimeAsync(86_400_000);
  expect(looked).toBe(4);
  for (const watch of watches) watch.close();
  vi.useRealTimers();
});
