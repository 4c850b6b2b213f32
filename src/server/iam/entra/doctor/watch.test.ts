import { expect, test } from 'vitest';
import type { Diagnosis } from '../../../../contract/doctor.ts';
import { watchEntra } from './watch.ts';

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
  const watch = watchEntra(
    async () => {
      asked++;
      return diagnosis;
    },
    { log, now: () => now },
  );
  expect(await watch.look()).toBe(diagnosis);
  await Promise.resolve();
  expect(warned).toEqual([[{ check: 'secret-expiry', level: 'warn', remedy }, 'Entra ID: It ends.']]);
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
  const watch = watchEntra(run, { log, now: () => now });
  expect(watch.daysLeft().size).toBe(0);
  await watch.look();
  now = 5 * 86_400_000;
  await watch.look(0);
  expect([...watch.daysLeft()]).toEqual([['secret', 15]]);
  watch.close();
});
