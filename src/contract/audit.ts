import { z } from 'zod';
import type { Endpoints } from './endpoint.ts';

/** What an event is about: a call through the gateway, a read or a change by the API, a sign-in, a token. */
const auditKinds = ['mcp', 'api', 'change', 'sign-in', 'token'] as const;

/** How a request ended: it was allowed, refused, or failed for another reason. */
const auditDecisions = ['allow', 'deny', 'error'] as const;

/** One line of the audit trail; times are ISO 8601 in UTC. Never credentials, bodies or tool arguments. */
export const auditEvent = z.object({
  id: z.string(),
  at: z.string().describe('When the request came.'),
  kind: z.enum(auditKinds),
  correlation_id: z.string().describe('The X-Correlation-Id of the answer; also in the log.'),
  provider: z.string().nullable(),
  subject: z.string().nullable().describe('The stable id of the person or agent at the provider.'),
  username: z.string().nullable().describe('Null when the caller could not be identified.'),
  client_id: z.string().nullable().describe('The application through which the request came.'),
  auth_method: z.string().nullable(),
  credential_id: z
    .string()
    .nullable()
    .describe('The id of the personal token or browser session that was used; never the credential itself.'),
  client_ip: z.string().nullable(),
  action: z.string().describe("The MCP method, or the endpoint's id."),
  resource: z.string().nullable().describe("The server's name, a path or an id."),
  tool: z.string().nullable(),
  decision: z.enum(auditDecisions),
  reason: z.string().nullable().describe('The scope that allowed it, or why it was refused or failed.'),
  status: z.number().int().describe('The HTTP status of the answer; 0 when the client left before.'),
  duration_ms: z.number(),
  count: z
    .number()
    .int()
    .describe(
      'How many requests this stands for. More than 1 only for repeated refusals of callers who could not be identified; `at` is the first of them, the addresses are in the detail.',
    ),
  last_at: z.string().nullable().describe('When the last of them came; null where it is one request.'),
});

/** One line of the audit trail. */
export type AuditEventShown = z.output<typeof auditEvent>;

/** An event with everything that is kept of it. */
export const auditEventInFull = auditEvent.extend({
  detail: z
    .record(z.string(), z.json())
    .nullable()
    .describe('More where there is more to say: before and after of a change, the parts of a batch.'),
});

/** An event with everything that is kept of it. */
export type AuditEventInFull = z.output<typeof auditEventInFull>;

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString());
const word = z.string().trim().min(1).max(200);

/** What narrows the trail down; every filter given must hold. */
const filters = {
  from: time.describe('Events from this time on.').optional(),
  to: time.describe('Events before this time.').optional(),
  kind: z.enum(auditKinds).optional(),
  username: word.describe('Part of the user name; case does not matter.').optional(),
  subject: word.optional(),
  client_id: word.optional(),
  credential_id: word.describe('The id of a personal token or of a browser session.').optional(),
  action: word.describe("The MCP method, or the endpoint's id, whole.").optional(),
  resource: word
    .describe("The server's name, path or id, whole; slashes at its ends do not matter.")
    .optional(),
  tool: word.optional(),
  decision: z.enum(auditDecisions).optional(),
  status: z.enum(['1xx', '2xx', '3xx', '4xx', '5xx']).describe('The class of the HTTP status.').optional(),
  correlation_id: word.optional(),
  matter: z
    .enum(['attention', 'denials', 'changes', 'sign-ins', 'failures'])
    .describe(
      'What a person looks for. `denials`: a known caller was not allowed to do something; `changes`: something was changed; `attention`: both; `failures`: calls that failed.',
    )
    .optional(),
  q: word
    .describe(
      'Part of user name, application, address, action, resource, tool or reason; case does not matter.',
    )
    .optional(),
};

/** What narrows the trail down, as parsed. */
export type AuditFilters = z.output<z.ZodObject<typeof filters>>;

/** The columns of the CSV export, in order. */
export const auditColumns = [
  ...Object.keys(auditEvent.shape),
  'detail',
] as readonly (keyof AuditEventInFull)[];

const identity = {
  provider: z.string().nullable(),
  subject: z.string().nullable(),
  username: z.string().nullable(),
  client_ip: z.string().nullable(),
};

/** How much happened in a stretch of time, and who was refused. */
export const auditSummary = z.object({
  from: z.string(),
  to: z.string(),
  retention_days: z.number().int().describe('How long events are kept.'),
  bucket: z.enum(['minute', 'hour', 'day']),
  timeline: z.array(
    z.object({
      at: z.string().describe('The beginning of the bucket.'),
      allow: z.number().int(),
      deny: z.number().int(),
      error: z.number().int(),
    }),
  ),
  refusals: z
    .array(z.object({ ...identity, count: z.number().int(), last_at: z.string() }))
    .describe('Who was refused most; callers who could not be identified by their address.'),
  failed_sign_ins: z
    .array(
      z.object({ ...identity, reason: z.string().nullable(), count: z.number().int(), last_at: z.string() }),
    )
    .describe('Sign-ins that failed, by account where it is known, by address and by reason.'),
});

/** A value and how many events have it. */
const facet = z.array(
  z.object({
    value: z.string(),
    count: z.number().int(),
    name: z
      .string()
      .nullable()
      .describe('What the thing is called whose id the value is (token, client, request); null for others.'),
  }),
);

/** Which values occur how often among events. */
export const auditFacets = z.object({
  kind: facet,
  decision: facet,
  username: facet,
  resource: facet,
  tool: facet,
  reason: facet,
});

/** Which values occur how often among events. */
export type AuditFacets = z.output<typeof auditFacets>;

/** How much happened in a stretch of time, and who was refused. */
export type AuditSummary = z.output<typeof auditSummary>;

/** How long a stretch a summary may be about, in days. */
export const longestSummary = 92;

const mayRead = { can: 'read_audit', on: 'any' } as const;

/** The endpoints of the audit trail; there is none that writes or deletes. */
export const auditEndpoints = {
  'audit.list': {
    cost: 'heavy',
    method: 'GET',
    path: '/api/audit/events',
    permission: mayRead,
    summary: 'Events of the audit trail, newest first',
    query: z.strictObject({
      ...filters,
      limit: z.coerce.number().int().min(1).max(500).default(50),
      cursor: z.string().max(200).describe('`next_cursor` of the answer before.').optional(),
    }),
    output: z.object({
      events: z.array(auditEvent),
      next_cursor: z
        .string()
        .nullable()
        .describe('Asks for what is older; null at the end. A page may be short, or empty, before the end.'),
      searched_to: z.string().nullable().describe('How far back this page has looked; null at the end.'),
    }),
  },
  'audit.summary': {
    cost: 'heavy',
    method: 'GET',
    path: '/api/audit/summary',
    permission: mayRead,
    summary: `How much happened, who was refused and which sign-ins failed: the last day unless asked, ${longestSummary} days at most`,
    query: z.strictObject(filters),
    output: auditSummary,
  },
  'audit.facets': {
    cost: 'heavy',
    method: 'GET',
    path: '/api/audit/facets',
    permission: mayRead,
    summary:
      'Which values occur how often in the newest 10,000 events that match, the ten most frequent of each',
    query: z.strictObject(filters),
    output: auditFacets,
  },
  'audit.export': {
    cost: 'heavy',
    method: 'GET',
    path: '/api/audit/export',
    permission: mayRead,
    summary: 'Events with their details as a file, newest first; the export itself is recorded',
    query: z.strictObject({
      ...filters,
      format: z.enum(['jsonl', 'csv']).default('jsonl'),
      limit: z.coerce.number().int().min(1).max(1_000_000).default(100_000),
    }),
    media: ['application/x-ndjson', 'text/csv; charset=utf-8'],
    output: z.instanceof(ReadableStream<Uint8Array>),
  },
  'audit.get': {
    method: 'GET',
    path: '/api/audit/events/{id}',
    permission: mayRead,
    summary: 'One event in full',
    params: z.object({ id: z.string().max(100) }),
    output: auditEventInFull,
  },
} as const satisfies Endpoints;
