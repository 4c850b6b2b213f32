import { z } from 'zod';
import type { Endpoints } from './endpoint.ts';

/** What calls can be counted by. */
export const usageKeys = ['server', 'tool', 'person', 'client'] as const;

const figures = {
  calls: z.number().int(),
  /** Calls that were not allowed. */
  denied: z.number().int(),
  /** Calls that failed for another reason. */
  errors: z.number().int(),
  /** How long half of the calls took at most, and 95 in 100; milliseconds, null without a call that was allowed. */
  p50_ms: z.number().nullable(),
  p95_ms: z.number().nullable(),
  /** About how many tokens of models' context the lists of tools took that were fetched. */
  list_tokens: z.number().int(),
};

/** How much was called in a stretch of time. */
export const usage = z.object({
  from: z.string(),
  to: z.string(),
  bucket: z.enum(['minute', 'hour', 'day']),
  total: z.object(figures),
  timeline: z.array(z.object({ at: z.string().describe('The beginning of the bucket.'), ...figures })),
  rows: z
    .array(z.object({ key: z.string(), ...figures, last_at: z.string() }))
    .describe('By what is asked for, most calls first; 500 at most.'),
  unused: z.array(z.string()).describe('Paths of enabled servers that were never called.'),
  /** True when only the newest calls were counted, because there are too many. */
  truncated: z.boolean(),
});

/** How much was called in a stretch of time. */
export type Usage = z.output<typeof usage>;

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString());
const word = z.string().trim().min(1).max(200);

/** The endpoint of usage, made from the audit trail. */
export const usageEndpoints = {
  'usage.read': {
    method: 'GET',
    path: '/api/usage',
    permission: { can: 'read_audit', on: 'any' },
    cost: 'heavy',
    summary:
      'Calls of tools, prompts and resources: how many, how many failed and how long they took, over time and by server, tool, person or client, and what lists of tools cost in tokens; the last day unless asked, 92 days at most',
    query: z.strictObject({
      from: time.optional(),
      to: time.optional(),
      by: z.enum(usageKeys).default('server'),
      server: word.describe('Only calls to this server: its name or path.').optional(),
      username: word.describe('Only calls of this person or application, by the whole name.').optional(),
    }),
    output: usage,
  },
} as const satisfies Endpoints;
