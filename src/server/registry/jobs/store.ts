import type { Selectable } from 'kysely';
import type { Job } from '../../../contract/people/jobs.ts';
import type { Db, JobsTable } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import type { FailureCode } from '../../failure/errors.ts';
import type { FailedGroup } from '../users/wanted-groups.ts';

/** The steps of an M2M account, in order. */
export const stepNames = ['created', 'principal', 'secret', 'member', 'role', 'verified'] as const;

/** One of them. */
export type StepName = (typeof stepNames)[number];

/** What was asked for, and what is there of it: all that a job needs to go on after a restart, but for the secret. */
export interface Progress {
  readonly description: string;
  readonly secretDays: number;
  readonly groups: readonly { readonly asked: string; readonly id: string; readonly mapping: string }[];
  readonly account: { readonly id: string; readonly clientId: string } | null;
  readonly principalId: string | null;
  readonly secretExpiresAt: string | null;
  readonly assigned: readonly string[];
  readonly failed: readonly FailedGroup[];
  /** When each step was done. */
  readonly doneAt: Readonly<Partial<Record<StepName, string>>>;
  /** How often the step under way has failed so far. */
  readonly attempts: number;
}

/** What went wrong. */
export interface Trouble {
  readonly code: FailureCode;
  readonly detail: string;
}

/** A job as it is stored. */
export interface StoredJob {
  readonly id: string;
  readonly name: string;
  readonly state: Job['state'];
  readonly progress: Progress;
  readonly trouble: Trouble | null;
  readonly secretSealed: string | null;
  readonly secretState: Job['secret'];
  readonly createdBy: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Job states in which something is still done. */
const underWay = ['running', 'undoing'] as const;

/** Adds a job; false when one of the same name is under way. */
export async function addJob(db: Db, job: StoredJob): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('jobs')
    .values({
      ...{ id: job.id, kind: 'm2m', name: job.name, name_key: nameKey(job.name) },
      ...{ created_by: job.createdBy, created_at: job.createdAt },
      ...changeable(job),
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return Number(numInsertedOrUpdatedRows) > 0;
}

/** Stores what may change of a job. */
export async function saveJob(db: Db, job: StoredJob): Promise<void> {
  await db.updateTable('jobs').set(changeable(job)).where('id', '=', job.id).execute();
}

/** Takes a job back before its first step. */
export async function dropJob(db: Db, id: string): Promise<void> {
  await db.deleteFrom('jobs').where('id', '=', id).execute();
}

/** The job of that id. */
export async function findJob(db: Db, id: string): Promise<StoredJob | undefined> {
  const row = await db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst();
  return row && jobOf(row);
}

/** The job under way that makes an account of that name. */
export async function findUnderWay(db: Db, name: string): Promise<StoredJob | undefined> {
  const row = await db
    .selectFrom('jobs')
    .selectAll()
    .where('name_key', '=', nameKey(name))
    .where('state', 'in', underWay)
    .executeTakeFirst();
  return row && jobOf(row);
}

/** Jobs, newest first, and how many there are. */
export async function listJobs(
  db: Db,
  { state, limit }: { state?: Job['state'] | undefined; limit: number },
): Promise<{ jobs: StoredJob[]; total: number }> {
  const all = state === undefined ? db.selectFrom('jobs') : db.selectFrom('jobs').where('state', '=', state);
  const { total } = await all.select((e) => e.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  const rows = await all.selectAll().orderBy('created_at', 'desc').orderBy('id').limit(limit).execute();
  return { jobs: rows.map(jobOf), total: Number(total) };
}

/** Ids of the jobs that are under way. */
export async function jobsUnderWay(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('jobs').select('id').where('state', 'in', underWay).execute();
  return rows.map(({ id }) => id);
}

/** Hands the sealed secret out, once; undefined when there is none to hand out. */
export async function takeSealed(db: Db, id: string, at: string): Promise<string | undefined> {
  return inTransaction(db, async (trx) => {
    // The update comes first: on PostgreSQL the second of two waits here, and then finds nothing that waits.
    const taken = await trx
      .updateTable('jobs')
      .set({ secret_state: 'handed-out', updated_at: at })
      .where('id', '=', id)
      .where('secret_state', '=', 'waiting')
      .where('state', '=', 'done')
      .where('secret_sealed', 'is not', null)
      .returning('secret_sealed')
      .executeTakeFirst();
    if (taken) await trx.updateTable('jobs').set({ secret_sealed: null }).where('id', '=', id).execute();
    return taken?.secret_sealed ?? undefined;
  });
}

/** Throws away secrets that nobody fetched of jobs that ended before `before`, and forgets jobs older than `oldest`. */
export async function tidyJobs(db: Db, before: string, oldest: string): Promise<void> {
  await db
    .updateTable('jobs')
    .set({ secret_sealed: null, secret_state: 'expired' })
    .where('secret_state', '=', 'waiting')
    .where('state', 'not in', underWay)
    .where('updated_at', '<', before)
    .execute();
  await db.deleteFrom('jobs').where('state', 'not in', underWay).where('created_at', '<', oldest).execute();
}

/** Directories compare names without regard to case. */
function nameKey(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

function changeable(job: StoredJob) {
  return {
    ...{ state: job.state, progress: JSON.stringify(job.progress), updated_at: job.updatedAt },
    ...{ trouble: job.trouble && JSON.stringify(job.trouble) },
    ...{ secret_sealed: job.secretSealed, secret_state: job.secretState },
  };
}

function jobOf(row: Selectable<JobsTable>): StoredJob {
  return {
    ...{ id: row.id, name: row.name, state: row.state as Job['state'] },
    progress: JSON.parse(row.progress) as Progress,
    trouble: row.trouble === null ? null : (JSON.parse(row.trouble) as Trouble),
    ...{ secretSealed: row.secret_sealed, secretState: row.secret_state as Job['secret'] },
    ...{ createdBy: row.created_by, createdAt: row.created_at, updatedAt: row.updated_at },
  };
}
