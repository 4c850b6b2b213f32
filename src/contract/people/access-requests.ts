import { z } from 'zod';
import type { Endpoints } from '../endpoint.ts';
import { normalizePath, serverPath } from '../servers/servers.ts';
import { hasHidden } from '../values/plain-text.ts';

/** What becomes of a request. `ended`: what was granted is over, by its time or because somebody ended it. */
export const requestStatus = z.enum(['pending', 'granted', 'declined', 'withdrawn', 'ended']);

/** What becomes of a request. */
export type RequestStatus = z.output<typeof requestStatus>;

/** How many requests of one person may wait, and how many they may make within 24 hours. */
export const requestLimits = { pending: 20, perDay: 50 } as const;

/** The longest time for which access is granted, in hours: a year. Longer is without an end. */
const longestGrantHours = 8784;

/** A request for access to a server; times are ISO 8601 in UTC. */
export const accessRequest = z.object({
  id: z.string(),
  /** Who asks. */
  provider: z.string(),
  subject: z.string(),
  username: z.string(),
  /** The server's path with the leading slash, as it was asked for. */
  path: z.string(),
  reason: z.string(),
  status: requestStatus,
  created_at: z.string(),
  /** The tools that were granted; null: every one, or nothing was granted. */
  tools: z.array(z.string()).nullable(),
  /** What was said about the decision. */
  note: z.string().nullable(),
  decided_at: z.string().nullable(),
  decided_by: z.string().nullable(),
  /** When what was granted ends by itself; null: never. */
  ends_at: z.string().nullable(),
  ended_at: z.string().nullable(),
  ended_by: z.string().nullable(),
  /** Whether a server is registered there; null for those who may not know. */
  server_exists: z.boolean().nullable(),
  /** What this caller may do with it now. */
  can: z.object({ decide: z.boolean(), withdraw: z.boolean(), end: z.boolean() }),
});

/** A request for access to a server. */
export type AccessRequest = z.output<typeof accessRequest>;

const params = z.object({ id: z.string().min(1).max(100) });
/** Text of one or several lines, without what turns text around or hides it: somebody decides by what they see of it. */
const said = z
  .string()
  .trim()
  .max(1000)
  .refine((text) => !hasHidden(text), {
    error: 'use text without control characters and without marks that reorder or hide it',
  });

/** The endpoints of requests for access. A caller sees their own and those that they may decide. */
export const accessRequestEndpoints = {
  'accessRequests.catalog': {
    method: 'GET',
    path: '/api/access-requests/catalog',
    permission: 'identity',
    summary:
      'Servers that the caller does not see and may ask for, as far as ACCESS_REQUESTS lets them be known',
    query: z.object({
      query: z.string().max(200).optional(),
      limit: z.coerce.number().int().min(1).max(500).default(100),
      offset: z.coerce.number().int().min(0).default(0),
    }),
    output: z.object({
      /** Whether requests are taken at all. */
      enabled: z.boolean(),
      /** Whether servers are listed here; otherwise a request needs a path that the caller knows. */
      lists: z.boolean(),
      servers: z.array(
        z.object({
          path: z.string(),
          server_name: z.string(),
          description: z.string(),
          tags: z.array(z.string()),
          /** Whether a request of the caller for it waits. */
          pending: z.boolean(),
        }),
      ),
      total_count: z.number().int(),
    }),
  },
  'accessRequests.list': {
    method: 'GET',
    path: '/api/access-requests',
    permission: 'identity',
    summary:
      "The caller's requests and those that the caller may decide (of their own servers; administrators: all), newest first",
    query: z.object({
      status: requestStatus.optional(),
      /** `mine`: the caller's own; `decide`: those of others. */
      of: z.enum(['mine', 'decide']).optional(),
      path: z.string().max(200).transform(normalizePath).optional(),
      limit: z.coerce.number().int().min(1).max(500).default(100),
      offset: z.coerce.number().int().min(0).default(0),
    }),
    output: z.object({ requests: z.array(accessRequest), total_count: z.number().int() }),
  },
  'accessRequests.create': {
    method: 'POST',
    path: '/api/access-requests',
    permission: 'identity',
    summary: `Ask for access to a server, with a reason; people only, ${requestLimits.pending} waiting requests at most. Says nothing about whether the server exists`,
    body: z.strictObject({
      path: serverPath,
      reason: said.refine((text) => /[\p{L}\p{N}\p{P}\p{S}]/u.test(text), {
        error: 'say what you need it for',
      }),
    }),
    output: accessRequest,
    status: 201,
  },
  'accessRequests.grant': {
    method: 'POST',
    path: '/api/access-requests/{id}/grant',
    permission: 'identity',
    summary:
      'Grant a request: the person sees the server and can call the tools named, for some hours or without an end; by the owner of the server or an administrator, never by who asked',
    params,
    body: z.strictObject({
      /** Names of tools; `all` by itself: every tool, new ones too. */
      tools: z.union([z.literal('all'), z.array(z.string().min(1).max(128)).min(1).max(1000)]),
      hours: z.number().int().min(1).max(longestGrantHours).nullable().default(null),
      note: said.default(''),
    }),
    output: accessRequest,
  },
  'accessRequests.decline': {
    method: 'POST',
    path: '/api/access-requests/{id}/decline',
    permission: 'identity',
    summary: 'Decline a request, with a reason for the person who asked',
    params,
    body: z.strictObject({ note: said.default('') }),
    output: accessRequest,
  },
  'accessRequests.withdraw': {
    method: 'POST',
    path: '/api/access-requests/{id}/withdraw',
    permission: 'identity',
    summary: "Withdraw the caller's own request while it waits",
    params,
    output: accessRequest,
  },
  'accessRequests.end': {
    method: 'POST',
    path: '/api/access-requests/{id}/end',
    permission: 'identity',
    summary: 'End access that was granted, at once; by who may decide or whose it is',
    params,
    output: accessRequest,
  },
} as const satisfies Endpoints;
