import { z } from 'zod';
import type { Endpoints } from '../endpoint.ts';
import { textsOf } from '../files/entry.ts';
import { flag } from '../values/flags.ts';
import { isObject } from '../values/json.ts';
import { normalizePath } from '../values/server-path.ts';
import { healthStatus, ownRegistration, registered, tool } from './servers.ts';

/**
 * A registration as a form of the registry whose setup guide we follow: every field a text, lists and objects as JSON in it,
 * and what was left empty is absent.
 */
function fromForm(value: unknown): unknown {
  if (!isObject(value)) return value;
  const filled = Object.entries(value).filter(([, text]) => text !== '');
  return Object.fromEntries(filled.map(([name, text]) => [name, parsedField(name, text)]));
}

function parsedField(name: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (name === 'is_enabled' || name === 'append_mcp_path') return flag.safeParse(value).data ?? value;
  if (name === 'tags' || name === 'external_tags') return textsOf(value) ?? value;
  if (!/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

/** A registration, and whether it may replace what is at its path. */
const formOfRegistration = z
  .preprocess(
    (value, context) => {
      const fields = fromForm(value);
      const own = ownRegistration(fields, context);
      return isObject(fields) && isObject(own) ? { ...own, overwrite: fields.overwrite } : own;
    },
    registered.extend({ overwrite: flag.default(true) }),
  )
  .describe(
    'The fields of `servers.register` as a form, those of the other registry too; unless `overwrite` is false, it replaces what is at the path',
  );

const path = z.string().min(1).max(400).transform(normalizePath);

const switched = z.object({
  message: z.string(),
  service_path: z.string(),
  new_enabled_state: z.boolean(),
  status: healthStatus,
  last_checked_iso: z.string().nullable(),
  num_tools: z.number().int(),
});

/**
 * What scripts for the registry of the setup guide send (docs/deploy/from-another-registry.md): forms that name the server in a
 * field. Each does, and is recorded as, the endpoint that it `countsAs`.
 */
export const serverFormEndpoints = {
  'servers.registerForm': {
    method: 'POST',
    path: '/api/servers/register',
    permission: { can: 'register_service', on: 'any' },
    summary:
      'Register a server, or replace what is at its path; for scripts written for the registry of the setup guide',
    countsAs: 'servers.register',
    form: true,
    body: formOfRegistration,
    output: z.object({ path: z.string(), name: z.string(), message: z.string() }),
    status: 201,
  },
  'servers.toggleForm': {
    method: 'POST',
    path: '/api/servers/toggle',
    permission: { can: 'toggle_service', on: 'path' },
    summary: 'Enable or disable the server that the form names',
    countsAs: 'servers.toggle',
    form: true,
    body: z.strictObject({ path, new_state: flag }),
    output: switched,
  },
  'servers.removeForm': {
    method: 'POST',
    path: '/api/servers/remove',
    permission: { can: 'delete_service', on: 'path' },
    summary: 'Remove the server that the form names',
    countsAs: 'servers.remove',
    form: true,
    body: z.strictObject({ path }),
    output: z.object({ message: z.string(), path: z.string() }),
  },
  'servers.healthOfAll': {
    method: 'GET',
    path: '/api/servers/health',
    permission: 'identity',
    summary: 'How the servers were at their last check, those that the caller can see, with totals',
    output: z.object({
      /** `healthy` where every enabled server is. */
      health_status: z.enum(['healthy', 'unhealthy']),
      total_servers: z.number().int(),
      enabled_servers: z.number().int(),
      /** Of the tools that the caller may call. */
      total_tools: z.number().int(),
      /** By path. */
      servers: z.record(
        z.string(),
        z.object({
          status: healthStatus,
          last_checked_iso: z.string().nullable(),
          num_tools: z.number().int(),
        }),
      ),
    }),
  },
  'servers.toolsOfAll': {
    method: 'GET',
    path: '/api/tools/all',
    permission: 'identity',
    summary: 'The tools that the caller can call of every enabled server, as last read',
    output: z.object({
      service_path: z.literal('all'),
      tools: z.array(tool.extend({ server_path: z.string(), server_name: z.string() })),
      /** By path of the server. */
      servers: z.record(z.string(), z.array(tool)),
    }),
  },
  'servers.toolsAt': {
    cost: 'heavy',
    method: 'GET',
    path: '/api/tools/{path}',
    permission: { can: 'list_service', on: 'path' },
    summary: 'The same as `servers.tools`, under its other name',
    countsAs: 'servers.tools',
    params: z.object({ path }),
    output: z.object({}).loose(),
  },
} as const satisfies Endpoints;
