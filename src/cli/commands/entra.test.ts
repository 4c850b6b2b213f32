import { expect, test } from 'vitest';
import { cli } from '../../../test/cli-trial.ts';
import type { Diagnosis } from '../../contract/doctor.ts';
import type { World } from '../terminal.ts';

const fine: Diagnosis = {
  healthy: true,
  credentials: [],
  findings: [{ id: 'clock', group: 'Tenant', level: 'ok', what: 'The clock agrees.', why: 'Time matters.' }],
};
const broken: Diagnosis = {
  healthy: false,
  credentials: [],
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

const plan = [{ id: 'registration', title: 'Register', changes: ["register 'x'"] }];

test('setup --plan lists what would be changed', async () => {
  const seen: unknown[] = [];
  const runSetup = async (options: unknown) => {
    seen.push(options);
    return { plan, done: false };
  };
  const { code, out } = await cli(['setup', 'entra', '--plan', '--role', 'admin', 'user'], {
    world: { runSetup },
  });
  expect({ code, out }).toEqual({ code: 0, out: "Register\n  - register 'x'\n" });
  expect(seen).toEqual([{ plan: true, role: ['admin', 'user'] }]);
});

test.each([
  ['yes\n', 'It is set up.'],
  ['no\n', 'Nothing was changed.'],
])('setup asks before it changes something: %j', async (stdin, said) => {
  const world: Partial<World> = {
    runSetup: async (_, { agree }) => ({ plan, done: await agree('In tenant t:', ['Register']) }),
  };
  const { code, out, err } = await cli(['setup', 'entra'], { world, stdin, tty: true });
  expect(code).toBe(0);
  expect(err).toContain('In tenant t:\nRegister\nGo ahead? (yes/no)');
  expect(out).toContain(said);
});

test('without a person to ask, setup wants --yes', async () => {
  const world: Partial<World> = {
    runSetup: async (_, { agree }) => ({ plan, done: await agree('In tenant t:', []) }),
  };
  expect(await cli(['setup', 'entra'], { world })).toMatchObject({
    code: 2,
    err: expect.stringContaining('Say --yes'),
  });
  expect((await cli(['setup', 'entra', '--yes'], { world })).code).toBe(0);
});
