import { z } from 'zod';
import type { Endpoints } from '../endpoint.ts';
import { queryFlag } from '../values/flags.ts';
import { failedGroup, job, m2mAccount } from './jobs.ts';

// Control characters have no place in a name; everything else is taken literally wherever it goes.
const line = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, { error: 'must not have control characters' });

/** A group by its name or its stable id. */
const groupNames = z.array(line(256)).max(100);
const someGroups = groupNames.min(1, { error: 'name at least one group' });

/** An account: a person's in the directory, or an application's (M2M). */
export const user = z.object({
  /** The directory's stable id; for M2M accounts the client id. */
  id: z.string(),
  username: z.string(),
  email: z.string().nullable(),
  firstName: z.string().nullable(),
  lastName: z.string().nullable(),
  enabled: z.boolean(),
  /** Names of the groups that it is in directly; null when they could not be read. */
  groups: z.array(z.string()).nullable(),
  /** Their stable ids, in the same order; for groups that only the registry knows, their names. */
  group_ids: z.array(z.string()).nullable(),
  kind: z.enum(['human', 'm2m']),
});

/** An account as the API shows it. */
export type User = z.infer<typeof user>;

const newHuman = z
  .strictObject({
    /** Without a domain, the directory's default one is added. */
    username: line(256),
    email: z.email().max(256),
    firstname: line(64).optional(),
    first_name: line(64).optional(),
    lastname: line(64).optional(),
    last_name: line(64).optional(),
    groups: someGroups,
    /** Left out: one is made, and shown in the answer once. */
    password: z.string().min(1).max(256).optional(),
    /** Whether the password has to be changed at the next sign-in. */
    must_change_password: z.boolean().default(true),
  })
  .superRefine((body, context) => {
    for (const [one, other] of [
      ['firstname', 'first_name'],
      ['lastname', 'last_name'],
    ] as const)
      if ((body[one] === undefined) === (body[other] === undefined))
        context.addIssue({ code: 'custom', path: [one], message: `give ${one} or ${other}` });
  });

const username = z.object({ username: z.string().max(400) });

/** The endpoints of accounts in the directory. */
export const userEndpoints = {
  'users.list': {
    method: 'GET',
    path: '/api/management/iam/users',
    permission: 'administrator',
    summary:
      "The directory's users with their groups, page by page; the first page also has the M2M accounts",
    query: z.strictObject({
      /** The beginning of a name, user name or e-mail address; taken literally. */
      search: z.string().trim().max(256).optional(),
      limit: z.coerce.number().int().min(1).max(999).default(500),
      /** The `next` of the page before. */
      from: z.string().max(4096).optional(),
    }),
    output: z.object({
      users: z.array(user),
      /** Of all pages. */
      total: z.number().int(),
      /** Asks for the next page; null at the end. */
      next: z.string().nullable(),
    }),
  },
  'users.createHuman': {
    method: 'POST',
    path: '/api/management/iam/users/human',
    permission: 'administrator',
    summary: 'Create the account of a person in the directory and put it into groups',
    body: newHuman,
    output: user.extend({
      /** As they were asked for. */
      groups_assigned: z.array(z.string()),
      groups_failed: z.array(failedGroup),
      /** Shown this once; null when the password was given. */
      generated_password: z.string().nullable(),
      must_change_password: z.boolean(),
    }),
  },
  'users.createM2m': {
    method: 'POST',
    path: '/api/management/iam/users/m2m',
    permission: 'administrator',
    summary:
      'Create the account of an application: a job, whose end the answer waits for unless wait=false; the secret is shown once',
    query: z.strictObject({ wait: queryFlag.default('true') }),
    body: z.strictObject({
      name: line(120),
      groups: someGroups,
      description: z.string().trim().max(1024).optional(),
      /** Days that the secret is valid; the most that the settings allow unless given. */
      secret_days: z.number().int().min(1).max(730).optional(),
    }),
    output: m2mAccount.extend({
      /** Shown this once; null while the job is under way: fetch it from the job. */
      client_secret: z.string().nullable(),
      secret_expires_at: z.string().nullable(),
      job: job.pick({ id: true, state: true, steps: true }),
    }),
  },
  'users.rotateSecret': {
    method: 'POST',
    path: '/api/management/iam/users/m2m/{client_id}/rotate-secret',
    permission: 'administrator',
    summary:
      'Give an M2M account a new secret, shown once; the old ones work on for the overlap, then they go',
    params: z.object({ client_id: z.string().max(256) }),
    body: z.strictObject({
      /** Days that the old secrets still work; 0 removes them at once. */
      overlap_days: z.number().int().min(0).max(90).default(7),
      secret_days: z.number().int().min(1).max(730).optional(),
    }),
    output: z.object({
      client_id: z.string(),
      client_secret: z.string(),
      key_id: z.string(),
      /** Null where the directory's secrets have no end. */
      expires_at: z.string().nullable(),
      /** The secrets of before, and when each stops to work. */
      old_secrets: z.array(z.object({ key_id: z.string(), removed_at: z.string() })),
    }),
  },
  'users.remove': {
    method: 'DELETE',
    path: '/api/management/iam/users/{username}',
    permission: 'administrator',
    summary:
      'Delete an account by user name or id; of an M2M account registration, principal and local record',
    params: username,
    output: z.object({ username: z.string(), deleted: z.literal(true) }),
  },
  'users.groups': {
    method: 'PATCH',
    path: '/api/management/iam/users/{username}/groups',
    permission: 'administrator',
    summary: 'Make the groups of an account exactly these',
    params: username,
    body: z.strictObject({ groups: groupNames }),
    output: z.object({
      username: z.string(),
      groups: z.array(z.string()),
      added: z.array(z.string()),
      removed: z.array(z.string()),
      groups_failed: z.array(failedGroup),
      /** What the caller should know besides; null mostly. */
      note: z.string().nullable(),
    }),
  },
} as const satisfies Endpoints;
