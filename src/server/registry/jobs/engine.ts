import { ifLeased, type Lease } from '../../db/lease.ts';
import { asFailure, type Failure } from '../../failure/errors.ts';
import type { Directory } from '../../iam/directory.ts';
import { takeStep, undo } from './steps.ts';
import { findJob, jobsUnderWay, type StoredJob, saveJob, stepNames } from './store.ts';
import type { JobsWorld } from './world.ts';

/** Waits between attempts of a step that failed for a passing reason, in seconds; after the last it has failed for good. */
const waits = [2, 5, 10, 20, 40];

/** The jobs that go on in this process. */
export interface JobEngine {
  /** Goes on with a job until it has ended; at once when it does already. */
  run(id: string): Promise<void>;
  /** Goes on with all that is under way and that no other process works on. */
  resume(): Promise<void>;
  /** Takes no further step; what is under way is gone on with by the next process. */
  close(): void;
}

/**
 * Takes the steps of jobs, one after the other, each stored before the next, so that a job goes on where it was after any
 * crash. A lease says which process works on a job; one that lost it stores nothing more.
 */
export function createJobEngine(world: JobsWorld): JobEngine {
  const running = new Map<string, Promise<void>>();
  let closed = false;

  const advance = async (directory: Directory, job: StoredJob): Promise<StoredJob> => {
    try {
      return await (job.state === 'undoing' ? undone(world, directory, job) : further(world, directory, job));
    } catch (error) {
      return failed(world, job, asFailure(error));
    }
  };
  const go = async (id: string, { renew }: Pick<Lease, 'renew'>): Promise<void> => {
    const { directory, db } = world;
    let job = await findJob(db, id);
    while (directory && job && !closed && isUnderWay(job)) {
      const next: StoredJob = await advance(directory, job);
      // What came in after the end of this process is not stored: the next one takes the step again.
      if (closed || !(await renew())) return;
      await saveJob(db, next);
      if (!isUnderWay(next)) record(world, next);
      else if (next.trouble && next.progress.attempts > 0)
        await world.pause((waits[next.progress.attempts - 1] ?? 0) * 1000);
      job = next;
    }
  };
  return {
    run(id) {
      const known = running.get(id);
      if (known) return known;
      const run = ifLeased(world.db, `job ${id}`, (lease) => go(id, lease))
        .catch((error: unknown) => world.log.error({ err: error, job: id }, 'a job cannot continue'))
        .finally(() => running.delete(id));
      running.set(id, run);
      return run;
    },
    async resume() {
      for (const id of await jobsUnderWay(world.db)) void this.run(id);
    },
    close() {
      closed = true;
    },
  };
}

function isUnderWay({ state }: StoredJob): boolean {
  return state === 'running' || state === 'undoing';
}

async function further(world: JobsWorld, directory: Directory, job: StoredJob): Promise<StoredJob> {
  const step = stepNames.find((name) => job.progress.doneAt[name] === undefined);
  if (step === undefined) return { ...job, state: 'done' };
  const next = await takeStep(world, directory, step, job);
  return step === stepNames.at(-1) ? { ...next, state: 'done' } : next;
}

async function undone(world: JobsWorld, directory: Directory, job: StoredJob): Promise<StoredJob> {
  await undo(world, directory, job);
  return ended(world, job, 'undone');
}

/** Without its secret: nobody can use it any more. */
function ended(world: JobsWorld, job: StoredJob, state: 'undone' | 'stuck'): StoredJob {
  const updatedAt = new Date(world.now()).toISOString();
  return { ...job, state, secretSealed: null, secretState: 'none', updatedAt };
}

/** A step failed: it is taken again, or what was made is removed, or there is nothing more that can be done. */
function failed(world: JobsWorld, job: StoredJob, failure: Failure): StoredJob {
  const { code, message: detail } = failure;
  const attempts = job.progress.attempts + 1;
  const updatedAt = new Date(world.now()).toISOString();
  const trouble = job.state === 'undoing' && job.trouble ? job.trouble : { code, detail };
  if (code === 'directory_unavailable' && attempts <= waits.length)
    return { ...job, trouble, progress: { ...job.progress, attempts }, updatedAt };
  if (job.state === 'running')
    return { ...job, state: 'undoing', trouble, progress: { ...job.progress, attempts: 0 }, updatedAt };
  const both = { ...trouble, detail: `${trouble.detail} What was created could not be removed: ${detail}` };
  return ended(world, { ...job, trouble: both }, 'stuck');
}

function record({ trail, now }: JobsWorld, job: StoredJob): void {
  const { account, assigned, failed: groupsFailed } = job.progress;
  const isDone = job.state === 'done';
  trail.record({
    ...{
      kind: 'change',
      at: new Date(now()).toISOString(),
      correlationId: job.id,
      who: null,
      clientIp: null,
    },
    ...{ action: 'jobs.m2m', resource: job.name, decision: isDone ? 'allow' : 'error' },
    ...{ reason: job.trouble?.code, status: isDone ? 200 : 502 },
    durationMs: now() - Date.parse(job.createdAt),
    detail: {
      ...{ state: job.state, created_by: job.createdBy, client_id: account?.clientId ?? null },
      ...{ groups_assigned: assigned, groups_failed: groupsFailed },
    },
  });
}
