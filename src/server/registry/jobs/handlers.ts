import type { z } from 'zod';
import type { Handlers, Input, Output } from '../../../contract/endpoint.ts';
import type { Job, jobEndpoints, m2mAccount } from '../../../contract/people/jobs.ts';
import type { userEndpoints } from '../../../contract/people/users.ts';
import { Failure } from '../../failure/errors.ts';
import { unseal } from '../../identity/keys.ts';
import { notedPower } from '../administrators.ts';
import { findRecordsNamed } from '../m2m-clients/store.ts';
import { assertManagesGroups, type ManagedWorld } from '../managed.ts';
import { wantedGroups } from '../users/wanted-groups.ts';
import { type AccountCaller, needAbility, needDirectory } from '../users/world.ts';
import type { JobEngine } from './engine.ts';
import { rotateSecret, secretDays } from './rotate.ts';
import { makersOf } from './steps.ts';
import {
  addJob,
  dropJob,
  findJob,
  findUnderWay,
  listJobs,
  type StoredJob,
  stepNames,
  takeSealed,
} from './store.ts';
import type { JobsWorld } from './world.ts';

/** A job as the API shows it; never its secret. */
function presentJob(job: StoredJob): Job {
  const { doneAt } = job.progress;
  const current = stepNames.find((name) => doneAt[name] === undefined);
  const currentState = job.state === 'running' ? 'running' : 'failed';
  return {
    ...{ id: job.id, kind: 'm2m', name: job.name, state: job.state },
    steps: stepNames.map((name) => ({
      name,
      state: doneAt[name] ? 'done' : name === current ? currentState : 'waiting',
      done_at: doneAt[name] ?? null,
    })),
    ...{ trouble: job.trouble, secret: job.secretState },
    ...{ created_by: job.createdBy, created_at: job.createdAt, updated_at: job.updatedAt },
  };
}

/** The account that a job has made so far. */
function presentAccount({ progress }: StoredJob): z.output<typeof m2mAccount> {
  const { account, principalId, groups, assigned, failed } = progress;
  return {
    ...{ client_id: account?.clientId ?? null, client_uuid: account?.id ?? null },
    service_principal_id: principalId,
    groups: groups.map(({ asked }) => asked),
    ...{ groups_assigned: [...assigned], groups_failed: [...failed] },
  };
}

type Create = (typeof userEndpoints)['users.createM2m'];
type Endpoints = typeof jobEndpoints & Pick<typeof userEndpoints, 'users.createM2m' | 'users.rotateSecret'>;

/** What the endpoints of jobs work with. */
export interface JobEndpointsWorld extends JobsWorld, ManagedWorld {
  readonly engine: JobEngine;
}

/** How long an answer waits for the end of a job, in milliseconds; afterwards the job is asked. */
const longestWait = 25_000;

/** The functions behind the endpoints of jobs, and of what jobs do. */
export function jobHandlers(world: JobEndpointsWorld): Handlers<Endpoints, AccountCaller> {
  const { db } = world;
  const known = async (id: string): Promise<StoredJob> => {
    const job = await findJob(db, id);
    if (job) return job;
    throw new Failure('not_found', `There is no job '${id}'; jobs are kept for 30 days.`);
  };
  return {
    'users.createM2m': ({ body, query }, caller) => createM2m(world, body, query.wait === 'true', caller),
    'users.rotateSecret': ({ params, body }, caller) => rotateSecret(world, params.client_id, body, caller),
    async 'jobs.list'({ query }) {
      const { jobs, total } = await listJobs(db, query);
      return { jobs: jobs.map(presentJob), total };
    },
    async 'jobs.get'({ params }) {
      const job = await known(params.id);
      return { ...presentJob(job), account: presentAccount(job) };
    },
    async 'jobs.secret'({ params }, caller) {
      const job = await known(params.id);
      const secret = await takeSecret(world, job);
      if (secret === undefined) throw new Failure('conflict', noSecret[job.secretState]);
      caller.note({ job: job.id, secret: 'handed-out' });
      const { account, secretExpiresAt } = job.progress;
      return {
        client_id: account?.clientId ?? '',
        client_secret: secret,
        expires_at: secretExpiresAt,
      };
    },
  };
}

const noSecret: Readonly<Record<Job['secret'], string>> = {
  none: 'The job has made no secret.',
  waiting: 'The job has not ended yet; fetch its secret when it is done.',
  'handed-out': 'The secret was handed out already, once; rotate it to get another.',
  expired: 'The secret was not retrieved within 24 hours and has been deleted; rotate it to get a new one.',
};

async function createM2m(
  world: JobEndpointsWorld,
  body: Input<Create>['body'],
  wait: boolean,
  caller: AccountCaller,
): Promise<Output<Create>> {
  const directory = needDirectory(world);
  makersOf(directory);
  await needAbility(directory, 'writeServiceAccounts', 'create accounts of applications');
  await needAbility(directory, 'writeServiceMemberships', 'put applications into groups');
  const days = secretDays(world, body.secret_days);
  const wanted = await wantedGroups(directory, body.groups);
  await assertManagesGroups(world, directory, wanted);
  const at = new Date(world.now()).toISOString();
  const job: StoredJob = {
    ...{ id: world.newId(), name: body.name, state: 'running', trouble: null },
    ...{ secretSealed: null, secretState: 'none' },
    ...{ createdBy: caller.identity.username, createdAt: at, updatedAt: at },
    progress: {
      ...{ description: body.description ?? '', secretDays: days },
      groups: wanted.map(({ asked, group }) => ({ asked, id: group.id, mapping: group.mapping })),
      ...{ account: null, principalId: null, secretExpiresAt: null },
      ...{ assigned: [], failed: [], doneAt: {}, attempts: 0 },
    },
  };
  await claimName(world, job);
  const run = world.engine.run(job.id);
  if (wait) await Promise.race([run, world.pause(longestWait)]);
  return answer(world, job, caller);
}

/** Takes the name for the job, or refuses: there is an account of that name, or one is being made. */
async function claimName(world: JobsWorld, job: StoredJob): Promise<void> {
  const { db, directory } = world;
  if (!(await addJob(db, job))) {
    const other = await findUnderWay(db, job.name);
    throw new Failure(
      'conflict',
      `An account '${job.name}' is already being created${other ? ` (job ${other.id})` : ''}; wait until that is finished.`,
    );
  }
  try {
    const taken = await directory?.serviceAccounts?.find(job.name);
    const records = await findRecordsNamed(db, directory?.provider ?? '', job.name);
    const [id] = [taken?.clientId, records[0]?.clientId].filter((found) => found !== undefined);
    if (id === undefined) return;
    throw new Failure(
      'conflict',
      `There is an account '${job.name}' already (${id}). Give another name, or rotate its secret.`,
    );
  } catch (error) {
    await dropJob(db, job.id);
    throw error;
  }
}

async function answer(
  world: JobEndpointsWorld,
  { id }: StoredJob,
  caller: AccountCaller,
): Promise<Output<Create>> {
  const job = await findJob(world.db, id);
  if (!job) throw new Failure('internal', 'The job is gone.');
  if (job.state === 'undone' || job.state === 'stuck') {
    caller.note({ job: id, state: job.state });
    throw failureOf(job);
  }
  const secret = await takeSecret(world, job);
  const account = presentAccount(job);
  const mapped = job.progress.groups.map(({ mapping }) => mapping);
  const groups = world.qualify(world.directory?.provider ?? '', mapped);
  caller.note({ job: id, before: null, after: account, ...notedPower(world, [], groups) });
  const { state, steps } = presentJob(job);
  return {
    ...account,
    client_secret: secret ?? null,
    secret_expires_at: job.progress.secretExpiresAt,
    job: { id, state, steps },
  };
}

function failureOf({ id, name, state, trouble, progress }: StoredJob): Failure {
  const rest =
    state === 'undone'
      ? `Nothing of the account '${name}' is left; repeat this when the cause is gone.`
      : `The account '${name}' (${progress.account?.clientId ?? 'without an id'}) is incomplete and still there: delete it.`;
  return new Failure(trouble?.code ?? 'internal', `${trouble?.detail ?? ''} ${rest} (job ${id})`.trim());
}

/** The secret of a job that is done, once. */
async function takeSecret({ db, key, now }: JobsWorld, { id }: StoredJob): Promise<string | undefined> {
  const sealed = await takeSealed(db, id, new Date(now()).toISOString());
  return sealed === undefined ? undefined : unseal(key, sealed, id);
}
