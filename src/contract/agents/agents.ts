import { z } from 'zod';
import type { Endpoints } from '../endpoint.ts';
import { normalizePath, wildcardPath } from '../servers/servers.ts';
import { queryFlag } from '../values/flags.ts';
import { metadata } from '../values/metadata.ts';
import { looksLikeEvery } from '../values/names.ts';
import { agentCard } from './agent-card.ts';

/** Last path segments that the API uses itself, or may come to, so that no agent path may end in them. */
export const reservedAgentSegments = [
  'batch',
  'card',
  'check-duplicates',
  'discover',
  'events',
  'health',
  'pull-card',
  'rate',
  'rating',
  'register',
  'rescan',
  'security-scan',
  'semantic',
  'toggle',
  'versions',
] as const;

const segment = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

function faultOfPath(path: string): string | undefined {
  if (looksLikeEvery(path)) return wildcardPath;
  const segments = path.slice(1).split('/');
  if (!segments.every((part) => segment.test(part)))
    return "use letters, digits, '.', '_' and '-' between slashes, and do not begin a segment with a dot";
  const last = segments.at(-1)?.toLowerCase() ?? '';
  if ((reservedAgentSegments as readonly string[]).includes(last))
    return `a path may not end in '/${last}', which the API uses itself`;
  return undefined;
}

/** The path under which the registry knows an agent, such as `/flight-booking`: letters, digits, `._-/`. */
export const agentPath = z
  .string()
  .max(200)
  .transform(normalizePath)
  .superRefine((path, context) => {
    const fault = path === '/' ? 'give a path such as /flight-booking' : faultOfPath(path);
    if (fault) context.addIssue({ code: 'custom', message: fault });
  });

/** What the registry keeps of an agent beside its card. */
export const agentNotes = z.strictObject({
  tags: z.array(z.string().trim().min(1).max(64)).max(50).default([]),
  license: z.string().max(100).default('N/A'),
  metadata,
});

/** What the registry keeps of an agent beside its card. */
export type AgentNotes = z.output<typeof agentNotes>;

/** A registration in its wrapped form, held to its schema; the card as an object. */
export const wrappedAgent = agentNotes.extend({
  path: agentPath,
  card: agentCard,
  is_enabled: z.boolean().optional(),
});

/**
 * A registration as sent. Wrapped: `{path, card, tags?, license?, metadata?, is_enabled?}`, where `card` is the card or its
 * text, which is kept to the byte. Flat: a card, with the registry's members (`path`, `tags`, ...) beside its own.
 */
const agentBody = z
  .record(z.string(), z.unknown())
  .describe(
    'Wrapped: {path, card, tags?, license?, metadata?, is_enabled?}, where card is an A2A card (1.0 or 0.3) or its text, which is kept to the byte. Flat: a card with path, tags, license, metadata and is_enabled beside its own members.',
  );

/** An agent as lists show it; times are ISO 8601 in UTC. */
export const agentInfo = z.object({
  id: z.string(),
  path: z.string(),
  name: z.string(),
  description: z.string(),
  /** The agent's own version. */
  version: z.string(),
  /** The version of A2A that its preferred interface speaks. */
  protocol_version: z.string(),
  /** Where the agent itself is: shown to those who may get the card, null to everybody else. */
  url: z.string().nullable(),
  /** The organization that provides it; null when the card names none. */
  provider: z.string().nullable(),
  streaming: z.boolean(),
  /** The names of its skills. */
  skills: z.array(z.string()),
  num_skills: z.number().int(),
  tags: z.array(z.string()),
  license: z.string(),
  /** Whether the card carries signatures; they are kept, not verified. */
  signed: z.boolean(),
  is_enabled: z.boolean(),
  registered_by: z.string(),
  registered_at: z.string(),
  updated_at: z.string(),
  /** Counts the changes; the number in the ETag. */
  revision: z.number().int(),
  /** What this caller may do with it. */
  can: z.object({ get: z.boolean(), modify: z.boolean(), delete: z.boolean() }),
});

/** An agent as lists show it. */
export type AgentInfo = z.infer<typeof agentInfo>;

/** An agent with its card. */
export const agent = agentInfo.extend({
  /** Empty for somebody who changes an agent whose card they may not get. */
  metadata: z.record(z.string(), z.unknown()),
  /** The card as JSON; its very bytes are at `/api/agents/{path}/card`. Null for somebody who may not get it. */
  card: z.record(z.string(), z.unknown()).nullable(),
});

/** An agent with its card. */
export type Agent = z.infer<typeof agent>;

const pathParams = z.object({ path: z.string().max(400).transform(normalizePath) });

const register = {
  method: 'POST',
  permission: { can: 'publish_agent', on: 'any' },
  body: agentBody,
  keepsText: true,
  output: agent,
  status: 201,
} as const;

/** The endpoints of the registry of A2A agents. */
export const agentEndpoints = {
  'agents.list': {
    method: 'GET',
    path: '/api/agents',
    permission: 'identity',
    summary: 'The agents that the caller may list, by name',
    query: z.object({
      /** Part of the name, path, description, a skill or a tag; case does not matter. */
      query: z.string().max(200).optional(),
      enabled_only: queryFlag.default('false'),
      limit: z.coerce.number().int().min(1).max(2000).default(100),
      offset: z.coerce.number().int().min(0).default(0),
    }),
    output: z.object({
      agents: z.array(agentInfo),
      total_count: z.number().int(),
      limit: z.number().int(),
      offset: z.number().int(),
      has_next: z.boolean(),
      /** Whether the caller may register agents. */
      can_register: z.boolean(),
    }),
  },
  'agents.register': {
    ...register,
    path: '/api/agents',
    summary: 'Register an A2A agent; it starts disabled unless `is_enabled` is given',
  },
  'agents.registerAt': {
    ...register,
    path: '/api/agents/register',
    summary: 'The same as `POST /api/agents`, under its other name',
  },
  'agents.toggle': {
    method: 'POST',
    path: '/api/agents/{path}/toggle',
    permission: { can: 'modify_agent', on: 'path' },
    summary: 'Enable or disable an agent, by the body or by the query',
    params: pathParams,
    query: z.strictObject({ enabled: queryFlag.optional() }),
    body: z.strictObject({ enabled: z.boolean() }).optional(),
    output: agent,
  },
  'agents.card': {
    method: 'GET',
    path: '/api/agents/{path}/card',
    permission: { can: 'get_agent', on: 'path' },
    summary: 'The card of an agent, byte for byte as it was registered',
    params: pathParams,
    media: 'application/json',
    output: z.string(),
  },
  'agents.get': {
    method: 'GET',
    path: '/api/agents/{path}',
    permission: { can: 'get_agent', on: 'path' },
    summary: 'One agent with its card, and an ETag for conditional changes',
    params: pathParams,
    output: agent,
  },
  'agents.replace': {
    method: 'PUT',
    path: '/api/agents/{path}',
    permission: { can: 'modify_agent', on: 'path' },
    conditional: true,
    summary: 'Replace the card of an agent and what is said beside it; honours If-Match',
    params: pathParams,
    body: agentBody,
    keepsText: true,
    output: agent,
  },
  'agents.patch': {
    method: 'PATCH',
    path: '/api/agents/{path}',
    permission: { can: 'modify_agent', on: 'path' },
    conditional: true,
    summary: 'Change parts of an agent by JSON merge patch (RFC 7396), wrapped or flat; honours If-Match',
    params: pathParams,
    body: z.record(z.string(), z.json()).describe('The members to change; null removes one'),
    output: agent,
  },
  'agents.remove': {
    method: 'DELETE',
    path: '/api/agents/{path}',
    permission: { can: 'delete_agent', on: 'path' },
    conditional: true,
    summary: 'Remove an agent from the registry; honours If-Match',
    params: pathParams,
    output: z.undefined(),
    status: 204,
  },
} as const satisfies Endpoints;
