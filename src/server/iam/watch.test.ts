import { expect, test } from 'vitest';
import type { Diagnosis } from '../../contract/doctor.ts';
import { watchProviders } from './watch.ts';

test('what is not well is logged with its remedy, and a look within a minute asks nobody', async () => {
  const remedy = { portal: 'there', command: 'az something' };
  const finding = { id: 'secret-expiry', group: 'Credentials', why: '', what: 'It ends.', remedy };
  const diagnosis: Diagnosis = {
    healthy: true,
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
    { log, now: () => now },
  );
  expect(await watch.look()).toBe(diagnosis);
  await Promise.resolve();
  expect(warned).toEqual([
    [{ check: 'secret-expiry', level: 'warn', remedy }, 'Identity provider: It ends.'],
  ]);
  now = 50_000;
  await watch.look();
  expect(asked).toBe(1);
  now = 70_000;
  await watch.look();
  expect(asked).toBe(2);
  watch.close();
});
