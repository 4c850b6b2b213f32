import { z } from 'zod';
import { diagnosis } from './diagnosis/doctor.ts';
import type { Endpoints } from './endpoint.ts';

/** One setting as it is in force; `value` is null for secrets and for what has none. */
export const settingInForce = z.object({
  name: z.string(),
  group: z.string(),
  about: z.string(),
  source: z
    .enum(['environment', 'default'])
    .describe('`environment`: given there, in `.env` or as an option'),
  secret: z.boolean().describe('Its value is never shown.'),
  value: z.string().nullable(),
  default_note: z
    .string()
    .nullable()
    .describe('What it comes to when it is not given and `value` cannot say.'),
});

/** One setting as it is in force. */
export type SettingInForce = z.output<typeof settingInForce>;

/** The endpoints about the process itself. */
export const systemEndpoints = {
  'system.health': {
    method: 'GET',
    path: '/health',
    permission: 'public',
    summary: 'Whether the process serves',
    output: z.object({ status: z.literal('healthy'), service: z.literal('mcp-gateway-registry') }),
  },
  'system.live': {
    method: 'GET',
    path: '/healthz',
    permission: 'public',
    summary: 'Whether the process lives; it asks nothing else',
    output: z.object({ status: z.literal('live') }),
  },
  'system.ready': {
    method: 'GET',
    path: '/readyz',
    permission: 'public',
    summary:
      'Whether calls can be sent here. Without the database it is `degraded`: calls with known tokens continue, changes are refused',
    output: z.object({
      status: z.enum(['ready', 'degraded']),
      database: z.object({
        reachable: z.boolean(),
        unreachable_since: z.iso
          .datetime()
          .nullable()
          .describe('From then on what is in memory may be outdated.'),
      }),
      audit: z.object({
        alarm: z
          .enum(['size_limit', 'low_disk'])
          .nullable()
          .describe('Why there is too little room for the audit trail: AUDIT_MAX_MB or AUDIT_MIN_FREE_MB.'),
      }),
    }),
  },
  'system.version': {
    method: 'GET',
    path: '/api/version',
    permission: 'public',
    summary: 'The version that runs',
    output: z.object({ version: z.string() }),
  },
  'system.process': {
    method: 'GET',
    path: '/api/process',
    permission: 'administrator',
    summary:
      'The process that runs: version, start, mode, and the settings in effect, with where each comes from; never secrets',
    output: z.object({
      version: z.string(),
      node: z.string().describe('The version of Node.js.'),
      mode: z.enum(['evaluation', 'production']),
      started_at: z.iso.datetime(),
      settings: z.array(settingInForce),
    }),
  },
  'system.overview': {
    method: 'GET',
    path: '/api/system',
    permission: 'administrator',
    cost: 'heavy',
    summary: 'Which processes serve, where and how much is stored, and how much there is of each thing',
    output: z.object({
      processes: z
        .array(
          z.object({
            host: z.string(),
            pid: z.number().int(),
            version: z.string(),
            started_at: z.iso.datetime(),
          }),
        )
        .describe('Those heard of within a minute.'),
      database: z.object({
        kind: z.enum(['embedded', 'postgresql']),
        bytes: z.number().int().describe('What it takes, about.'),
      }),
      audit: z.object({
        bytes: z.number().int().nullable().describe('Null until it was measured.'),
        free_bytes: z.number().int().nullable().describe('Free disk space; null if not known.'),
        max_bytes: z.number().int().nullable().describe('AUDIT_MAX_MB; null for no limit.'),
        alarm: z.enum(['size_limit', 'low_disk']).nullable(),
        retention_days: z.number().int(),
        events: z.number().int(),
        oldest: z.iso.datetime().nullable(),
      }),
      counts: z.object({
        servers: z.number().int(),
        agents: z.number().int(),
        virtual_servers: z.number().int(),
        people: z.number().int(),
        sessions: z.number().int().describe('Living ones.'),
        tokens: z.number().int().describe('Personal tokens that are valid.'),
        connected_clients: z.number().int(),
        requests_waiting: z.number().int(),
      }),
    }),
  },
  'system.doctor': {
    method: 'GET',
    path: '/api/doctor',
    permission: 'administrator',
    summary:
      'What is and what is not well with the identity provider, the encryption keys and the connections of people to servers; an answer of the last max_age seconds ' +
      'is given again',
    query: z.strictObject({ max_age: z.coerce.number().int().min(0).max(86_400).default(60) }),
    output: diagnosis,
  },
  'system.metrics': {
    method: 'GET',
    path: '/api/metrics',
    permission: 'administrator',
    summary: 'Figures of this process in the text format of Prometheus',
    media: 'text/plain; version=0.0.4; charset=utf-8',
    output: z.string(),
  },
  'system.openapi': {
    method: 'GET',
    path: '/openapi.json',
    permission: 'public',
    summary: 'This API as an OpenAPI 3.1 document',
    media: 'application/json',
    output: z.string(),
  },
} as const satisfies Endpoints;
