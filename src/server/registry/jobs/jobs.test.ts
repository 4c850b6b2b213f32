import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { type Emulator, shippedTenant, startEmulator } from '../../../entra-emulator/main.ts';
import { adminGraph } from '../../../entra-emulator/testing/graph.ts';
import type { Directory } from '../../iam/directory.ts';
import { emulatedDirectory } from '../../iam/entra/directory/emulated.test-support.ts';
import { type AccountsTrial, startAccountsTrial } from '../users/accounts.test-support.ts';
import { stepNames } from './store.ts';

const { groups } = shippedTenant;
const emulator: Emulator = await startEmulator();
afterAll(() => emulator.close());

let trial: AccountsTrial;
beforeEach(async () => {
  emulator.reset();
  trial = await startAccountsTrial(emulator);
});
afterEach(() => trial.close());

const bot = { name: 'deploy-bot', groups: ['mcp-test-users'], description: 'Deploys' };
const create = (more: object = {}, wait = 'true') => ({ query: { wait }, body: { ...bot, ...more } });

/** The status that the token endpoint gives to these credentials. */
async function tokenStatus(clientId: string | null, secret: string | null): Promise<number> {
  const answer = await fetch(`${emulator.origin}/${emulator.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      ...{ grant_type: 'client_credentials', client_id: clientId ?? '', client_secret: secret ?? '' },
      scope: `${shippedTenant.appIdUri}/.default`,
    }),
  });
  return answer.status;
}

/** The names of the registrations that the gateway made, deleted ones too. */
async function registrations(): Promise<{ there: string[]; binned: string[] }> {
  const graph = await adminGraph(emulator);
  const names = async (path: string) =>
    ((await graph('GET', path)).body.value as { displayName: string; tags?: string[] }[])
      .filter(({ tags }) => tags?.includes('mcp-gateway:m2m-account'))
      .map(({ displayName }) => displayName);
  return {
    there: await names('/applications?$top=999'),
    binned: await names('/directory/deletedItems/microsoft.graph.application'),
  };
}

/** A directory whose calls of functions that change something, or prove, are counted and may never come back. */
function stopping(at: number, when: 'before' | 'after'): { directory: Directory; stopped: Promise<void> } {
  const { directory } = emulatedDirectory(emulator);
  const stopped = Promise.withResolvers<void>();
  let calls = 0;
  const never = () => {
    stopped.resolve();
    return new Promise<never>(() => {});
  };
  const wrap = <T extends object>(part: T, names: readonly (keyof T)[]): T => {
    const wrapped = { ...part };
    for (const name of names) {
      const work = part[name] as (...given: unknown[]) => Promise<unknown>;
      wrapped[name] = (async (...given: unknown[]) => {
        calls += 1;
        if (calls !== at) return work(...given);
        if (when === 'after') await work(...given);
        return never();
      }) as T[typeof name];
    }
    return wrapped;
  };
  return {
    stopped: stopped.promise,
    directory: {
      ...directory,
      memberships: wrap(directory.memberships, ['add']),
      ...(directory.serviceAccounts
        ? {
            serviceAccounts: wrap(directory.serviceAccounts, [
              ...(['create', 'enable', 'addSecret', 'permit', 'verify'] as const),
            ]),
          }
        : {}),
    },
  };
}

test('an account has all that was asked for, its secret is shown once, and the registry knows its groups', async () => {
  const made = await trial.call('users.createM2m', create({ secret_days: 30 }));
  expect(made).toMatchObject({
    ...{ groups: ['mcp-test-users'], groups_assigned: ['mcp-test-users'], groups_failed: [] },
    job: { state: 'done' },
  });
  expect(made.job.steps.map(({ name, state }) => [name, state])).toEqual(
    stepNames.map((name) => [name, 'done']),
  );
  expect(await tokenStatus(made.client_id, made.client_secret)).toBe(200);
  const days = (Date.parse(made.secret_expires_at ?? '') - emulator.clock.now()) / 86_400_000;
  expect(Math.round(days)).toBe(30);
  const params = { id: made.job.id };
  expect(await trial.refused('jobs.secret', { params })).toMatchObject({ code: 'conflict' });
  expect(await trial.call('jobs.get', { params })).toMatchObject({ secret: 'handed-out', state: 'done' });
  expect(await trial.call('m2mClients.get', { params: { client_id: made.client_id } })).toMatchObject({
    groups: [groups.users],
  });
  const stored = JSON.stringify(await trial.database.db.selectFrom('jobs').selectAll().execute());
  expect(stored + JSON.stringify([trial.notes, trial.events])).not.toContain(made.client_secret);
  expect(trial.events).toMatchObject([{ kind: 'change', action: 'jobs.m2m', decision: 'allow' }]);
});

test('without waiting the answer is the job, and its secret is fetched exactly once by whoever comes first', async () => {
  const started = await trial.call('users.createM2m', create({}, 'false'));
  expect(started).toMatchObject({ client_secret: null });
  await trial.engine.run(started.job.id);
  const params = { id: started.job.id };
  const fetched = await Promise.allSettled([1, 2, 3].map(() => trial.call('jobs.secret', { params })));
  const won = fetched.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  expect(won).toHaveLength(1);
  expect(await tokenStatus(won[0]?.client_id ?? null, won[0]?.client_secret ?? null)).toBe(200);
});

test('two callers at once make one account', async () => {
  const both = await Promise.allSettled([1, 2].map(() => trial.call('users.createM2m', create())));
  expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  const refused = both.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
  expect(refused.reason).toMatchObject({ code: 'conflict' });
  expect((await registrations()).there).toEqual(['deploy-bot']);
  expect(await trial.refused('users.createM2m', create({ name: 'DEPLOY-BOT' }))).toMatchObject({
    code: 'conflict',
  });
  expect((await trial.call('jobs.list')).total).toBe(1);
});

test.each([1, 2, 3, 4, 5, 6].flatMap((at) => [[at, 'before'] as const, [at, 'after'] as const]))(
  'a process that dies at call %i, %s it is carried out, is continued by the next one',
  async (at, when) => {
    const { directory, stopped } = stopping(at, when);
    const first = await trial.restart(directory);
    const started = await first.call('users.createM2m', create({}, 'false'));
    await stopped;
    const second = await first.restart();
    await second.engine.resume();
    await second.engine.run(started.job.id);
    const params = { id: started.job.id };
    expect(await second.call('jobs.get', { params })).toMatchObject({
      state: 'done',
      account: { groups_assigned: ['mcp-test-users'] },
    });
    const { client_id, client_secret } = await second.call('jobs.secret', { params });
    expect(await tokenStatus(client_id, client_secret)).toBe(200);
    expect(await registrations()).toEqual({ there: ['deploy-bot'], binned: [] });
    const account = await second.directory.serviceAccounts?.find(client_id);
    // A secret whose answer was lost does not stay.
    expect(await second.directory.serviceAccounts?.secrets?.(account?.id ?? '')).toHaveLength(1);
  },
);

/** The requests by which each step does its work, and how Graph may refuse them for good. */
const requests = [
  ['created', '/applications(uniqueName'],
  ['principal', '/servicePrincipals'],
  ['secret', '/addPassword'],
  ['member', `/groups/${groups.users}/members`],
  ['role', '/appRoleAssignedTo'],
  ['verified', 'token'],
] as const;

test.each(requests)(
  'when %s is refused for good, nothing is left and the answer says so',
  async (step, path) => {
    if (step === 'verified') {
      // The gateway's own token for Graph is in the cache by then.
      await trial.call('users.list');
      emulator.faults.add({ kind: 'aadsts', code: 700027, path, times: 1 });
    } else emulator.faults.add({ kind: 'status', status: 403, path, times: 1 });
    const failure = await trial.refused('users.createM2m', create());
    emulator.faults.clear();
    expect(failure.code).toMatch(/^directory_/);
    expect(failure.message).toContain('Nothing of the account');
    expect(await registrations()).toEqual({ there: [], binned: [] });
    const { jobs } = await trial.call('jobs.list');
    expect(jobs).toMatchObject([{ state: 'undone', secret: 'none' }]);
    const failedStep = jobs[0]?.steps.find(({ state }) => state === 'failed');
    expect(failedStep?.name).toBe(step);
    expect(trial.events).toMatchObject([{ decision: 'error', detail: { state: 'undone' } }]);
  },
);

test.each(requests)('when %s is not available for a while, it is waited for and done', async (step, path) => {
  if (step === 'verified') await trial.call('users.list');
  emulator.faults.add({ kind: 'status', status: 500, path, times: 2 });
  const made = await trial.call('users.createM2m', create());
  expect(made.job.state).toBe('done');
  expect(await tokenStatus(made.client_id, made.client_secret)).toBe(200);
  expect((await registrations()).there).toEqual(['deploy-bot']);
});

test('what could not be removed is told with its id, and can be deleted', async () => {
  const { directory } = emulatedDirectory(emulator);
  const { serviceAccounts } = directory;
  const remove = async () => {
    throw Object.assign(new Error('no'), {});
  };
  const stuck = await trial.restart({
    ...directory,
    ...(serviceAccounts ? { serviceAccounts: { ...serviceAccounts, remove } } : {}),
  });
  emulator.faults.add({ kind: 'status', status: 403, path: '/addPassword' });
  const failure = await stuck.refused('users.createM2m', create());
  expect(failure.message).toContain('is incomplete and still there: delete it');
  const [{ client_id } = { client_id: null }] = [
    (await stuck.call('jobs.get', { params: { id: (await stuck.call('jobs.list')).jobs[0]?.id } })).account,
  ];
  expect(failure.message).toContain(client_id);
  const next = await stuck.restart();
  await next.call('users.remove', { params: { username: client_id } });
  expect(await registrations()).toEqual({ there: [], binned: [] });
});

test('groups that could not be assigned are told, and the account stays', async () => {
  emulator.faults.add({ kind: 'status', status: 403, path: `/groups/${groups.developers}/members` });
  const made = await trial.call(
    'users.createM2m',
    create({ groups: ['mcp-test-users', 'mcp-test-developers'] }),
  );
  expect(made).toMatchObject({
    groups_assigned: ['mcp-test-users'],
    groups_failed: [{ group: 'mcp-test-developers', reason: expect.stringContaining('permission') }],
    job: { state: 'done' },
  });
});

test('more days for a secret than the settings allow are refused', async () => {
  expect(await trial.refused('users.createM2m', create({ secret_days: 181 }))).toMatchObject({
    code: 'invalid_input',
    faults: [{ at: 'body.secret_days' }],
  });
});

test('a rotated secret works beside the old one, which is removed when the overlap is over', async () => {
  const { removeRetired } = await import('./rotate.ts');
  const made = await trial.call('users.createM2m', create());
  const params = { client_id: made.client_id };
  const rotated = await trial.call('users.rotateSecret', { params, body: { overlap_days: 2 } });
  expect(rotated.old_secrets).toHaveLength(1);
  expect(JSON.stringify(trial.notes)).not.toContain(rotated.client_secret);
  for (const secret of [made.client_secret, rotated.client_secret])
    expect(await tokenStatus(made.client_id, secret)).toBe(200);
  const { db } = trial.database;
  const world = (days: number) => ({
    ...{ db, directory: trial.directory, log: { error() {} } },
    now: () => emulator.clock.now() + days * 86_400_000,
  });
  await removeRetired(world(1) as never);
  expect(await tokenStatus(made.client_id, made.client_secret)).toBe(200);
  await removeRetired(world(3) as never);
  expect(await tokenStatus(made.client_id, made.client_secret)).toBe(401);
  expect(await tokenStatus(made.client_id, rotated.client_secret)).toBe(200);
  const last = await trial.call('users.rotateSecret', { params, body: { overlap_days: 0 } });
  expect(await tokenStatus(made.client_id, rotated.client_secret)).toBe(401);
  expect(await tokenStatus(made.client_id, last.client_secret)).toBe(200);
});

test('a secret that nobody fetches within a day is thrown away, and the job forgotten after a month', async () => {
  const { tidyJobs } = await import('./store.ts');
  const started = await trial.call('users.createM2m', create({}, 'false'));
  await trial.engine.run(started.job.id);
  const params = { id: started.job.id };
  const { db } = trial.database;
  const later = (days: number): string => new Date(emulator.clock.now() + days * 86_400_000).toISOString();
  await tidyJobs(db, later(-1), later(-30));
  expect(await trial.call('jobs.get', { params })).toMatchObject({ secret: 'waiting' });
  await tidyJobs(db, later(0.001), later(-29));
  expect(await trial.refused('jobs.secret', { params })).toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('24 hours'),
  });
  await tidyJobs(db, later(30), later(1));
  expect(await trial.refused('jobs.get', { params })).toMatchObject({ code: 'not_found' });
});
