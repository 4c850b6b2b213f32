import { expect, test } from 'vitest';
import { cli } from '../../../test/cli-trial.ts';
import type { Diagnosis } from '../../contract/doctor.ts';

const fine: Diagnosis = {
  healthy: true,
  findings: [{ id: 'clock', group: 'Tenant', level: 'ok', what: 'The clock agrees.', why: 'Time matters.' }],
};
const broken: Diagnosis = {
  healthy: false,
  findings: [
    ...fine.findings,
    {
      id: 'secret',
      group: 'Credentials',
      level: 'fail',
      what: 'Entra ID refuses the gateway.',
      why: 'Nobody can sign in.',
      remedy: { portal: 'Certificates & secrets', command: 'az ad app credential reset' },
    },
  ],
};
const doctor = (diagnosis: Diagnosis, ...more: string[]) =>
  cli(['doctor', 'entra', ...more], { world: { runDoctor: async () => diagnosis } });

test('a healthy tenant is exit code 0 and one calm page', async () => {
  const { code, out } = await doctor(fine);
  expect(code).toBe(0);
  expect(out).toBe('Tenant\n  ok    The clock agrees.\n\nEverything is as it should be.\n');
});

test('a fault is exit code 1 with reason, portal path and command', async () => {
  const { code, out } = await doctor(broken);
  expect(code).toBe(1);
  expect(out).toContain(`  fail  Entra ID refuses the gateway.
        Nobody can sign in.
        Portal:  Certificates & secrets
        Command: az ad app credential reset

1 to repair, 0 to look at, 1 in order.`);
});

test('--json is the diagnosis as it is', async () => {
  const { code, out } = await doctor(broken, '--json');
  expect(code).toBe(1);
  expect(JSON.parse(out)).toEqual(broken);
});

test('faulty settings are exit code 2, and so is another provider', async () => {
  const faulty = Object.assign(new Error('faults'), { faults: ['ENTRA_TENANT_ID: is missing'] });
  const world = { runDoctor: () => Promise.reject(faulty) };
  expect(await cli(['doctor', 'entra'], { world })).toMatchObject({
    code: 2,
    err: expect.stringContaining('ENTRA_TENANT_ID'),
  });
  expect((await cli(['doctor', 'okta'])).code).toBe(2);
});
