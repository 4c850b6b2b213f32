import { z } from 'zod';
import type { Endpoints } from '../endpoint.ts';

/**
 * How far a job is. `running`: its steps are being taken; `undoing`: a step failed for good and what was made is being
 * removed; `done`; `undone`: failed, and nothing of it is left; `stuck`: failed, and what it left could not be removed.
 */
const jobStates = ['running', 'undoing', 'done', 'undone', 'stuck'] as const;

/** Work that several steps in a directory make up, and that goes on after a restart. */
export const job = z.object({
  id: z.string(),
  kind: z.enum(['m2m']),
  /** What it makes. */
  name: z.string(),
  state: z.enum(jobStates),
  steps: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['waiting', 'running', 'done', 'failed']),
      /** ISO 8601 in UTC; null until it is done. */
      done_at: z.string().nullable(),
    }),
  ),
  /** Why it failed, or what it waits for at the moment; null when all is well. */
  trouble: z.object({ code: z.string(), detail: z.string() }).nullable(),
  /** The secret that it made: nobody has fetched it yet, it was handed out, or it was thrown away unfetched. */
  secret: z.enum(['none', 'waiting', 'handed-out', 'expired']),
  created_by: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
});

/** A job as the API shows it. */
export type Job = z.infer<typeof job>;

/** A group that could not be assigned, and why. */
export const failedGroup = z.object({ group: z.string(), reason: z.string() });

/** What a finished M2M account is. */
export const m2mAccount = z.object({
  /** Null until the step that makes it is done. */
  client_id: z.string().nullable(),
  /** The id of the registration (Entra: the application's object id). */
  client_uuid: z.string().nullable(),
  service_principal_id: z.string().nullable(),
  /** As they were asked for. */
  groups: z.array(z.string()),
  groups_assigned: z.array(z.string()),
  groups_failed: z.array(failedGroup),
});

const id = z.object({ id: z.string().max(100) });

/** The endpoints of jobs. */
export const jobEndpoints = {
  'jobs.list': {
    method: 'GET',
    path: '/api/management/iam/jobs',
    permission: 'administrator',
    summary: 'The jobs of the last 30 days, newest first',
    query: z.strictObject({
      state: z.enum(jobStates).optional(),
      limit: z.coerce.number().int().min(1).max(500).default(100),
    }),
    output: z.object({ jobs: z.array(job), total: z.number().int() }),
  },
  'jobs.get': {
    method: 'GET',
    path: '/api/management/iam/jobs/{id}',
    permission: 'administrator',
    summary: 'One job: its steps, what it has made, and what went wrong; never the secret',
    params: id,
    output: job.extend({ account: m2mAccount }),
  },
  'jobs.secret': {
    method: 'POST',
    path: '/api/management/iam/jobs/{id}/secret',
    permission: 'administrator',
    summary: 'Fetch the secret that a job has made: exactly once, within 24 hours',
    params: id,
    output: z.object({
      client_id: z.string(),
      client_secret: z.string(),
      /** Null where the directory's secrets have no end. */
      expires_at: z.string().nullable(),
    }),
  },
} as const satisfies Endpoints;
