import type { z } from 'zod';
import type { Job, m2mAccount } from '../../../contract/people/jobs.ts';
import { type StoredJob, stepNames } from './store.ts';

/** A job as the API shows it; never its secret. */
export function presentJob(job: StoredJob): Job {
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
export function presentAccount({ progress }: StoredJob): z.output<typeof m2mAccount> {
  const { account, principalId, groups, assigned, failed } = progress;
  return {
    ...{ client_id: account?.clientId ?? null, client_uuid: account?.id ?? null },
    service_principal_id: principalId,
    groups: groups.map(({ asked }) => asked),
    ...{ groups_assigned: [...assigned], groups_failed: [...failed] },
  };
}
