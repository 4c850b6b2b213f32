import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cli, scripted } from '../../../test/cli-trial.ts';
import type { Diagnosis } from '../../contract/diagnosis/doctor.ts';
import type { EntraRecord } from '../../contract/diagnosis/entra-record.ts';
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
  expect(out).toBe('Tenant\n  ok    The clock agrees.\n\nAll checks passed.\n');
});

test('a fault is exit code 1 with reason, portal path and command', async () => {
  const { code, out } = await doctor(broken);
  expect(code).toBe(1);
  expect(out).toContain(`  fail  Entra ID refuses the gateway.
        Nobody can sign in.
        Portal:  Certificates & secrets
        Command: az ad app credential reset

1 failed, 0 warnings, 1 passed.`);
});

test('--json is the diagnosis as it is', async () => {
  const { code, out } = await doctor(broken, '--json');
  expect(code).toBe(1);
  expect(JSON.parse(out)).toEqual(broken);
});

test('faulty settings are exit code 2; which provider is examined is the one asked for', async () => {
  const faulty = Object.assign(new Error('faults'), { faults: ['ENTRA_TENANT_ID: is missing'] });
  const world = { runDoctor: () => Promise.reject(faulty) };
  expect(await cli(['doctor', 'entra'], { world })).toMatchObject({
    code: 2,
    err: expect.stringContaining('ENTRA_TENANT_ID'),
  });
  const asked: string[] = [];
  const runDoctor = async (provider: string) => {
    asked.push(provider);
    return fine;
  };
  expect((await cli(['doctor', 'keycloak'], { world: { runDoctor } })).code).toBe(0);
  expect(asked).toEqual(['keycloak']);
});

test('doctor gateway asks the one that runs to look again', async () => {
  const registry = await scripted({ 'GET /api/doctor': { body: broken } });
  const { code, out } = await cli(['doctor', 'gateway'], { registry });
  expect([code, out]).toEqual([1, expect.stringContaining(broken.findings[0]!.what)]);
  expect(registry.asked).toContain('GET /api/doctor?max_age=0');
});

const plan = [{ id: 'registration', title: 'Register', changes: ["register 'x'"] }];

test('setup --plan lists what would be changed', async () => {
  const seen: unknown[] = [];
  const runSetup = async (...asked: unknown[]) => {
    seen.push(asked.slice(0, 2));
    return { plan, done: false };
  };
  const { code, out } = await cli(['setup', 'entra', '--plan', '--role', 'admin', 'user'], {
    world: { runSetup },
  });
  expect({ code, out }).toEqual({ code: 0, out: "Register\n  - register 'x'\n" });
  expect(seen).toEqual([['entra', { plan: true, role: ['admin', 'user'] }]]);
});

test.each([
  ['yes\n', 'It is set up.'],
  ['no\n', 'Nothing was changed.'],
])('setup asks before it changes something: %j', async (stdin, said) => {
  const world: Partial<World> = {
    runSetup: async (_provider, _options, { agree }) => ({
      plan,
      done: await agree('In tenant t:', ['Register']),
    }),
  };
  const { code, out, err } = await cli(['setup', 'entra'], { world, stdin, tty: true });
  expect(code).toBe(0);
  expect(err).toContain('In tenant t:\nRegister\nContinue? (yes/no)');
  expect(out).toContain(said);
});

test('without a person to ask, setup wants --yes', async () => {
  const world: Partial<World> = {
    runSetup: async (_provider, _options, { agree }) => ({ plan, done: await agree('In tenant t:', []) }),
  };
  expect(await cli(['setup', 'entra'], { world })).toMatchObject({
    code: 2,
    err: expect.stringContaining('Add --yes'),
  });
  expect((await cli(['setup', 'entra', '--yes'], { world })).code).toBe(0);
});

test.each([
  ['entra', ['--realm', 'company'], '--realm is an option of setup keycloak; it means nothing to entra'],
  ['entra', ['--password-stdin'], '--password-stdin is an option of setup keycloak'],
  [
    'keycloak',
    ['--secret-days', '90'],
    '--secret-days is an option of setup entra; it means nothing to keycloak',
  ],
  ['keycloak', ['--print', 'az'], '--print is an option of setup entra'],
])('setup %s refuses %j, an option of the other provider', async (provider, flags, said) => {
  const { code, err } = await cli(['setup', provider, ...flags]);
  expect(code).toBe(2);
  expect(err).toContain(said);
});

test.each([
  {
    stdin: 'root\nsecret\nyes\n',
    tty: true,
    flags: [],
    shown: 'User: Password: \nIn realm r:\nContinue? (yes/no): ',
  },
  {
    stdin: 'secret\n',
    tty: false,
    flags: ['--password-stdin', '--username', 'root', '--yes'],
    shown: 'In realm r:\n',
  },
])('setup keycloak gets user name and password with %o', async ({ stdin, tty, flags, shown }) => {
  const world: Partial<World> = {
    async runSetup(provider, options, { ask, agree }) {
      expect(provider).toBe('keycloak');
      expect(options.username ?? (await ask('User: '))).toBe('root');
      expect(await ask('Password: ', { isSecret: true })).toBe('secret');
      return { plan, done: await agree('In realm r:', []) };
    },
  };
  const { code, out, err } = await cli(['setup', 'keycloak', ...flags], { world, stdin, tty });
  expect({ code, err }).toEqual({ code: 0, err: shown });
  expect(out).toContain('It is set up.');
});

test('without a person to ask, setup keycloak names both other ways to sign in', async () => {
  const world: Partial<World> = {
    runSetup: async (_provider, _options, { ask }) => ({ plan, done: Boolean(await ask('User: ')) }),
  };
  const { code, err } = await cli(['setup', 'keycloak'], { world });
  expect(code).toBe(2);
  expect(err).toMatch(/--password-stdin.*KEYCLOAK_SETUP_CLIENT_ID/);
});

const record: EntraRecord = {
  kind: 'entra-record',
  version: 1,
  date: '2026-11-29',
  observations: [
    { id: 'one', asked: 'something', status: 200, headers: {}, otherHeaders: [], body: '<text>' },
  ],
};

test('doctor entra --record shows what it would write, and writes it only when that is agreed to', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'record-test-'));
  const world = { recordEntra: async () => record };
  const argv = ['doctor', 'entra', '--record', 'tenant.json'];
  const unasked = await cli(argv, { world, cwd });
  expect([unasked.code, unasked.err]).toEqual([2, expect.stringContaining('"status": 200')]);
  expect(existsSync(join(cwd, 'tenant.json'))).toBe(false);
  const agreed = await cli([...argv, '--yes'], { world, cwd });
  expect([agreed.code, agreed.err]).toEqual([0, expect.stringContaining('"body": "<text>"')]);
  expect(agreed.out).toContain('entra-emulator --compare tenant.json');
  expect(JSON.parse(readFileSync(join(cwd, 'tenant.json'), 'utf8'))).toEqual(record);
  expect((await cli(['doctor', 'keycloak', '--record', 'x'], { world, cwd })).code).toBe(2);
  rmSync(cwd, { recursive: true });
});

test('entra-emulator --compare says where it differs, with exit code 1 only for what is decided', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'record-test-'));
  writeFileSync(join(cwd, 'tenant.json'), JSON.stringify(record));
  const given: unknown[] = [];
  const compare = (verdict: 'same' | 'strict' | 'different') =>
    cli(['entra-emulator', '--compare', 'tenant.json'], {
      ...{ cwd },
      world: {
        compareEmulator: async (value: unknown) => {
          given.push(value);
          return [
            { id: 'one', asked: 'something', verdict, differences: ['status: recorded 200, emulator 400'] },
          ];
        },
      },
    });
  expect(await compare('same')).toMatchObject({ code: 0, out: '1 of 1 answers are the same.\n' });
  expect(await compare('strict')).toMatchObject({
    code: 0,
    out: expect.stringContaining('as with --strict'),
  });
  expect(await compare('different')).toMatchObject({
    code: 1,
    out: 'one (something): different\n  status: recorded 200, emulator 400\n0 of 1 answers are the same.\n',
  });
  expect(given[0]).toEqual(record);
  rmSync(cwd, { recursive: true });
});
