import { expect, test } from 'vitest';
import { cli, problem, type Said, scripted } from '../../../test/cli-trial.ts';
import { type Job, jobEndpoints } from '../../contract/people/jobs.ts';
import { untilInterrupted } from '../main.ts';

const clientId = '6b1f0c1e-0000-4000-8000-000000000001';
const secret = 'abc8Q~not-a-real-secret';
const names = ['created', 'principal', 'secret', 'something new'];

function aJob(done: number, parts: Partial<Job> & { account?: object } = {}) {
  const { account, ...more } = parts;
  const steps = names.map((name, at) => ({
    name,
    state: at < done ? ('done' as const) : at === done ? ('running' as const) : ('waiting' as const),
    done_at: at < done ? '2026-01-01T00:00:00.000Z' : null,
  }));
  return jobEndpoints['jobs.get'].output.parse({
    ...{ id: '7', kind: 'm2m', name: 'my-ai-agent', steps, trouble: null, created_by: 'alice' },
    ...{ state: done === names.length ? 'done' : 'running', secret: done > 2 ? 'waiting' : 'none' },
    ...{ created_at: '2026-01-01T00:00:00.000Z', updated_at: '2026-01-01T00:00:00.000Z' },
    ...more,
    account: {
      ...{ client_id: clientId, client_uuid: 'uuid', service_principal_id: 'sp-1' },
      ...{ groups: ['public-mcp-users'], groups_assigned: ['public-mcp-users'], groups_failed: [] },
      ...account,
    },
  });
}

/** A registry whose job is as these say, one look after the other. */
async function making(looks: object[], more: Record<string, Said> = {}) {
  const bodies: unknown[] = [];
  const left = [...looks];
  const registry = await scripted({
    'POST /api/management/iam/users/m2m': ({ url, text }) => {
      bodies.push([url.search, JSON.parse(text)]);
      const { id, state, steps, account } = aJob(0);
      return {
        body: { ...account, client_secret: null, secret_expires_at: null, job: { id, state, steps } },
      };
    },
    'GET /api/management/iam/jobs/7': () => ({ body: left.length > 1 ? left.shift() : left[0] }),
    'POST /api/management/iam/jobs/7/secret': {
      body: { client_id: clientId, client_secret: secret, expires_at: '2026-07-01T00:00:00.000Z' },
    },
    ...more,
  });
  return { registry, bodies };
}

const atOnce = { clock: { now: Date.now, pause: async () => undefined } };
const create = ['user-create-m2m', '--name', 'my-ai-agent', '--groups', 'public-mcp-users'];

test('user-create-m2m says how far it is, and then shows the block of the guide', async () => {
  const waiting = { code: 'directory_busy', detail: 'the directory asks to wait' };
  const looks = [aJob(0), aJob(2), aJob(2, { trouble: waiting }), aJob(2, { trouble: waiting }), aJob(4)];
  const { registry, bodies } = await making(looks);
  const line = [...create, '--description', 'AI coding assistant', '--secret-days', '90'];
  const { code, out, err } = await cli(line, { registry, terminal: atOnce });
  expect(code).toBe(0);
  expect(out.split('\n')).toEqual([
    `Client ID: ${clientId}`,
    `Client Secret: ${secret}`,
    'Groups: public-mcp-users',
    'Service Principal ID: sp-1',
    '',
    'IMPORTANT: Save the client secret securely - it cannot be retrieved later.',
    '',
  ]);
  expect(err.split('\n')).toEqual([
    '[1/4] registered in the directory',
    '[2/4] has a service principal',
    'waiting: the directory asks to wait',
    '[3/4] has a secret',
    '[4/4] something new',
    'The secret is valid until 2026-07-01T00:00:00.000Z.',
    '',
  ]);
  expect(bodies).toEqual([
    [
      '?wait=false',
      {
        ...{ name: 'my-ai-agent', groups: ['public-mcp-users'] },
        ...{ description: 'AI coding assistant', secret_days: 90 },
      },
    ],
  ]);
});

test('with --json there is one document, and the secret is in it', async () => {
  const { registry } = await making([aJob(1), aJob(4)]);
  const { out, err } = await cli([...create, '--json'], { registry, terminal: atOnce });
  expect(err).toBe('');
  expect(JSON.parse(out)).toMatchObject({
    ...{ client_id: clientId, client_secret: secret, client_uuid: 'uuid', service_principal_id: 'sp-1' },
    job: { id: '7', state: 'done' },
  });
});

test('a secret that came with the first answer is not asked for again', async () => {
  const { id, state, steps, account } = aJob(4);
  const body = { ...account, client_secret: secret, secret_expires_at: 'then', job: { id, state, steps } };
  const { registry } = await making([aJob(4)], { 'POST /api/management/iam/users/m2m': { body } });
  const { code, out } = await cli(create, { registry, terminal: atOnce });
  expect([code, out.includes(`Client Secret: ${secret}\n`)]).toEqual([0, true]);
  expect(registry.asked).not.toContain('POST /api/management/iam/jobs/7/secret');
});

test('an account that is not in all its groups is shown, with exit code 1', async () => {
  const account = { groups_assigned: [], groups_failed: [{ group: 'public-mcp-users', reason: 'refused' }] };
  const { registry } = await making([aJob(4, { account })]);
  const { code, out, err } = await cli(create, { registry, terminal: atOnce });
  expect([code, out.includes(secret)]).toEqual([1, true]);
  expect(out).toContain('Groups: none');
  expect(err).toContain("warning: not in the group 'public-mcp-users': refused");
});

const trouble = { code: 'directory_forbidden', detail: 'the gateway may not make applications' };
test.each([
  ['undone', { client_id: null, client_uuid: null, service_principal_id: null }, 'Nothing of it is left.'],
  ['stuck', {}, '  - application uuid is left in the directory'],
] as const)('a job that ends %s is a failure that says what is left', async (state, account, said) => {
  const { registry } = await making([aJob(1, { state: 'undoing' }), aJob(1, { state, trouble, account })]);
  const { code, out, err } = await cli(create, { registry, terminal: atOnce });
  expect([code, out]).toEqual([1, '']);
  expect(err).toContain('It failed; what was created is being removed.');
  expect(err).toContain(trouble.detail);
  expect(err).toContain(said);
  expect(registry.asked).not.toContain('POST /api/management/iam/jobs/7/secret');
});

test('an interruption leaves the job to the registry, and says how to get the secret later', async () => {
  const { registry } = await making([aJob(1)]);
  let interrupt: () => void = () => undefined;
  const { code, err } = await cli(create, {
    registry,
    terminal: {
      untilInterrupted: (work) =>
        untilInterrupted((signal) => {
          const either = new AbortController();
          interrupt = () => either.abort();
          return work(AbortSignal.any([signal, either.signal]));
        }),
      clock: { now: Date.now, pause: async () => interrupt() },
    },
  });
  expect(code).toBe(1);
  expect(err).toContain('mcp-gateway app job-secret 7');
});

test('a job that cannot be looked at any more is not lost: its id is told', async () => {
  const { registry } = await making([], {
    'GET /api/management/iam/jobs/7': problem(503, 'overloaded', 'Too much to do.'),
  });
  const { code, err } = await cli(create, { registry, terminal: atOnce });
  expect(code).toBe(1);
  expect(err).toContain('error: Too much to do.\n');
  expect(err).toContain('mcp-gateway app job-secret 7');
});

test('a secret that somebody else has fetched is not lost silently', async () => {
  const gone = problem(409, 'conflict', 'The secret was handed out.');
  const { registry } = await making([aJob(4)], { 'POST /api/management/iam/jobs/7/secret': gone });
  const { code, err } = await cli(create, { registry, terminal: atOnce });
  expect(code).toBe(1);
  expect(err).toContain('The account was created, but its secret cannot be fetched any more.');
  expect(err).toContain(`mcp-gateway app rotate-secret ${clientId}`);
});

test('m2m-rotate-secret shows the new secret, and until when the old ones work', async () => {
  const bodies: unknown[] = [];
  const registry = await scripted({
    [`POST /api/management/iam/users/m2m/${clientId}/rotate-secret`]: ({ text }) => {
      bodies.push(JSON.parse(text));
      const old_secrets = [{ key_id: 'k1', removed_at: '2026-01-08T00:00:00.000Z' }];
      const expires_at = '2026-07-01T00:00:00.000Z';
      return { body: { client_id: clientId, client_secret: secret, key_id: 'k2', expires_at, old_secrets } };
    },
  });
  const line = ['m2m-rotate-secret', '--client-id', clientId];
  const { code, out, err } = await cli(line, { registry });
  expect(code).toBe(0);
  expect(out).toContain(
    `Client ID: ${clientId}\nClient Secret: ${secret}\n\nIMPORTANT: Save the client secret`,
  );
  expect(err).toContain('The old secret k1 stops working at 2026-01-08T00:00:00.000Z.');
  await cli([...line, '--overlap-days', '0', '--secret-days', '30'], { registry });
  expect(bodies).toEqual([{ overlap_days: 7 }, { overlap_days: 0, secret_days: 30 }]);
  const none = await cli(['m2m-rotate-secret', '--client-id', 'none'], { registry });
  expect(none).toMatchObject({ code: 1, err: expect.stringContaining('mcp-gateway app list') });
});

test('job-list and job-secret serve who comes back later', async () => {
  const { account: _, ...job } = aJob(1, { trouble, state: 'undone' });
  const { registry } = await making([], {
    'GET /api/management/iam/jobs': { body: { jobs: [job], total: 3 } },
  });
  const { out, err } = await cli(['job-list', '--limit', '1'], { registry });
  expect(out.split('\n')[1]).toMatch(/^7 +m2m my-ai-agent +undone +none +alice .*may not make applications$/);
  expect(err).toBe('1 of 3; for more: --limit\n');
  const fetched = await cli(['job-secret', '--id', '7'], { registry });
  expect(fetched.out).toContain(`Client Secret: ${secret}`);
  expect((await cli(['job-secret', '--id', '8'], { registry })).err).toContain('mcp-gateway app jobs');
});
