import { z } from 'zod';
import type { Endpoints } from '../endpoint.ts';
import { looksLikeEvery } from '../values/names.ts';
import { normalizePath } from './servers.ts';

/** Slugs that the API needs for itself. */
const reservedSlugs = ['me', 'tools', 'toggle', 'rate', 'rating', 'import', 'export', 'all'] as const;

const slug = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

/**
 * The path of a virtual server: `/virtual/{slug}`, or `/virtual/me/{slug}` for a personal one, which each person has for
 * themselves. `research`, `virtual/research` and `/virtual/research` name the same one.
 */
function virtualPathOf(text: string): string {
  const path = normalizePath(text);
  return path.startsWith('/virtual/') ? path : `/virtual${path}`;
}

/** The name of a virtual server in scopes: its path without the leading slash. */
export function isPersonalPath(path: string): boolean {
  return path.startsWith('/virtual/me/');
}

/** A slug for a name: `Sales & support` becomes `sales-support`. */
export function slugOf(name: string): string {
  return name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replace(/^-|-$/g, '');
}

const virtualPath = z
  .string()
  .max(200)
  .transform(virtualPathOf)
  .superRefine((path, context) => {
    const last = path.replace(/^\/virtual\/(?:me\/)?/, '');
    if (!slug.test(last) || last.length > 60)
      context.addIssue({
        code: 'custom',
        message: 'use /virtual/ and 1 to 60 lower-case letters and digits, with single hyphens between them',
      });
    else if ((reservedSlugs as readonly string[]).includes(last))
      context.addIssue({ code: 'custom', message: `'${last}' is reserved by the API; choose another slug` });
  });

/** What models take as the name of a tool everywhere. */
export const safeName = /^[A-Za-z0-9_-]{1,64}$/;

/** A name under which a virtual server shows a tool; not one that means every tool in scopes. */
const alias = z
  .string()
  .regex(safeName, "use 1 to 64 letters, digits, '_' and '-'")
  .refine((name) => !looksLikeEvery(name), {
    error: "'all' means every tool in scopes; choose another name",
  });

const backendPath = z.string().min(1).max(200).transform(normalizePath);
const backendVersion = z.string().min(1).max(255).nullable().default(null);
const scopes = z.array(z.string().min(1).max(200)).max(50).default([]);

/** One tool of a server, under its own name or an alias. */
const toolMapping = z.strictObject({
  /** The tool's name at its server. */
  tool_name: z.string().min(1).max(128),
  /** The name that clients see; null: the tool's own. */
  alias: alias.nullable().default(null),
  backend_server_path: backendPath,
  /** The version of the server that this was made for; the tool is taken out when the registry has another. */
  backend_version: backendVersion,
  /** What clients read in place of the tool's own description. */
  description_override: z.string().min(1).max(4000).nullable().default(null),
});

/** What a member brings. */
const memberParts = ['tools', 'prompts', 'resources'] as const;

/** A whole server: everything that it has now and later. */
export const virtualMember = z.strictObject({
  backend_server_path: backendPath,
  /** Stands before the names of its tools and prompts; null: the server's name; empty: nothing does. */
  prefix: z
    .string()
    .max(32)
    .regex(
      /^(?:[A-Za-z0-9]+(?:[_-]+[A-Za-z0-9]+)*)?$/,
      "use letters and digits, with '_' and '-' between them",
    )
    .nullable()
    .default(null),
  backend_version: backendVersion,
  include: z
    .array(z.enum(memberParts))
    .min(1)
    .default([...memberParts]),
});

/** A whole server, as sent. */
export type VirtualMember = z.output<typeof virtualMember>;

/** What its maker says about a virtual server. */
export const virtualServerInput = z.strictObject({
  server_name: z.string().trim().min(1).max(200),
  /** Unless given, made from the name. */
  path: virtualPath.optional(),
  description: z.string().max(4000).default(''),
  tool_mappings: z.array(toolMapping).max(1000).default([]),
  members: z.array(virtualMember).max(100).default([]),
  /** Stands between a member's prefix and a name. */
  separator: z
    .string()
    .regex(/^[_-]{1,4}$/, "use one to four of '_' and '-'")
    .default('__'),
  /** Scopes that a caller must have, all of them, besides a rule for the virtual server. */
  required_scopes: scopes,
  /** Scopes that a caller must have for one tool, besides. */
  tool_scope_overrides: z
    .array(z.strictObject({ tool_alias: z.string().min(1).max(128), required_scopes: scopes }))
    .max(1000)
    .default([]),
  tags: z.array(z.string().trim().min(1).max(64)).max(50).default([]),
  supported_transports: z.array(z.literal('streamable-http')).min(1).max(1).default(['streamable-http']),
  is_enabled: z.boolean().default(true),
});

/** A virtual server as sent; unset fields take their defaults. */
export type VirtualServerInput = z.output<typeof virtualServerInput>;

/** A virtual server as it is exported and stored: its path is known. */
export const virtualServerDefinition = virtualServerInput.extend({ path: virtualPath });

/** A virtual server as it is exported and stored. */
export type VirtualServerDefinition = z.output<typeof virtualServerDefinition>;

/** A virtual server as lists show it; times are ISO 8601 in UTC. */
export const virtualServerSummary = z.object({
  id: z.string(),
  path: z.string(),
  server_name: z.string(),
  description: z.string(),
  tags: z.array(z.string()),
  is_enabled: z.boolean(),
  /** Its owner's own, which nobody else sees. */
  is_personal: z.boolean(),
  /** Where clients connect: `<public URL><path>/mcp`. */
  endpoint_url: z.string(),
  /** How many tools this caller may call through it now. */
  num_tools: z.number().int(),
  /** About how many tokens of a model's context the list of these tools takes. */
  list_tokens: z.number().int(),
  backend_count: z.number().int(),
  /** Those of its servers that this caller may see. */
  backend_paths: z.array(z.string()),
  created_by: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
  /** Counts the changes; the number in the ETag. */
  revision: z.number().int(),
  /** The mean of its ratings, 1 to 5; 0 where there are none. */
  num_stars: z.number(),
  /** What this caller may do with it. */
  can: z.object({ modify: z.boolean(), delete: z.boolean() }),
});

/** A virtual server as lists show it. */
export type VirtualServerSummary = z.infer<typeof virtualServerSummary>;

/** Something of a member that clients do not get, and why. */
const virtualGap = z.object({ backend_server_path: z.string(), reason: z.string() });

/** What people and programs think of a virtual server. */
const virtualServerRatings = z.object({
  /** The mean of all ratings, 1 to 5; 0 where there are none. */
  num_stars: z.number(),
  /** The latest ratings, one a user. */
  rating_details: z.array(z.object({ user: z.string(), rating: z.number().int() })),
});

/** What people and programs think of a virtual server. */
export type VirtualServerRatings = z.infer<typeof virtualServerRatings>;

/** A virtual server in full. */
export const virtualServer = virtualServerSummary.extend({
  ...virtualServerRatings.shape,
  tool_mappings: z.array(toolMapping),
  members: z.array(virtualMember),
  separator: z.string(),
  required_scopes: z.array(z.string()),
  tool_scope_overrides: z.array(z.object({ tool_alias: z.string(), required_scopes: z.array(z.string()) })),
  supported_transports: z.array(z.literal('streamable-http')),
  /** Names and addresses that several members have: the first member's is shown. */
  conflicts: z.array(z.string()),
  /** Members that are not there now. */
  unavailable: z.array(virtualGap),
});

/** A virtual server in full. */
export type VirtualServer = z.infer<typeof virtualServer>;

/** A tool of a virtual server, and what stands behind it. */
const virtualTool = z.object({
  /** The name that clients see. */
  name: z.string(),
  original_name: z.string(),
  backend_server_path: z.string(),
  backend_version: z.string().nullable(),
  description: z.string(),
  inputSchema: z.record(z.string(), z.unknown()),
  required_scopes: z.array(z.string()),
  /** About how many tokens it takes in a list. */
  tokens: z.number().int(),
});

const pathParams = z.object({ path: z.string().max(400).transform(virtualPathOf) });
const changes = z
  .record(z.string(), z.json())
  .describe('Members of a virtual server as for creating one; those that are not given stay');

/** The endpoints of the registry of virtual servers. */
export const virtualServerEndpoints = {
  'virtualServers.list': {
    method: 'GET',
    path: '/api/virtual-servers',
    permission: 'identity',
    summary: 'The virtual servers that the caller can see, including their own, by name',
    query: z.object({
      /** Part of the name, path, description or a tag; case does not matter. */
      query: z.string().max(200).optional(),
      limit: z.coerce.number().int().min(1).max(2000).default(100),
      offset: z.coerce.number().int().min(0).default(0),
    }),
    output: z.object({
      virtual_servers: z.array(virtualServerSummary),
      total_count: z.number().int(),
      limit: z.number().int(),
      offset: z.number().int(),
      has_next: z.boolean(),
      /** Whether the caller may create virtual servers for others. */
      can_create: z.boolean(),
      /** Whether the caller may create personal ones, as every person may. */
      can_create_personal: z.boolean(),
    }),
  },
  'virtualServers.create': {
    method: 'POST',
    path: '/api/virtual-servers',
    permission: 'identity',
    summary:
      'Create a virtual server; with a path below /virtual/me/ a personal one, as every person may from what they may call',
    body: virtualServerInput,
    output: virtualServer,
    status: 201,
  },
  'virtualServers.export': {
    method: 'GET',
    path: '/api/virtual-servers/export',
    permission: 'identity',
    summary: 'The virtual servers that the caller may modify, as `import` takes them',
    output: z.object({ virtual_servers: z.array(virtualServerDefinition) }),
  },
  'virtualServers.import': {
    method: 'POST',
    path: '/api/virtual-servers/import',
    permission: 'identity',
    summary: 'Create or replace virtual servers; all of them, or none if one has an error',
    body: z.strictObject({ virtual_servers: z.array(virtualServerDefinition).min(1).max(500) }),
    output: z.object({ created: z.array(z.string()), replaced: z.array(z.string()) }),
  },
  'virtualServers.tools': {
    method: 'GET',
    path: '/api/virtual-servers/{path}/tools',
    permission: 'identity',
    summary: 'The tools that the caller can call through a virtual server, and where each comes from',
    params: pathParams,
    output: z.object({
      path: z.string(),
      tools: z.array(virtualTool),
      total_count: z.number().int(),
      /** About how many tokens the list takes. */
      list_tokens: z.number().int(),
      unavailable: z.array(virtualGap),
    }),
  },
  'virtualServers.rate': {
    method: 'POST',
    path: '/api/virtual-servers/{path}/rate',
    permission: 'identity',
    summary: 'Rate a virtual server that the caller can see, in the place of their earlier rating',
    params: pathParams,
    body: z.strictObject({ rating: z.number().int().min(1).max(5) }),
    output: z.object({ message: z.string(), average_rating: z.number() }),
  },
  'virtualServers.rating': {
    method: 'GET',
    path: '/api/virtual-servers/{path}/rating',
    permission: 'identity',
    summary: 'The ratings of a virtual server, the latest first',
    params: pathParams,
    output: virtualServerRatings,
  },
  'virtualServers.toggle': {
    method: 'POST',
    path: '/api/virtual-servers/{path}/toggle',
    permission: 'identity',
    summary: 'Enable or disable a virtual server',
    params: pathParams,
    body: z.strictObject({ enabled: z.boolean() }),
    output: virtualServer,
  },
  'virtualServers.get': {
    method: 'GET',
    path: '/api/virtual-servers/{path}',
    permission: 'identity',
    summary: 'One virtual server, with an ETag for conditional changes',
    params: pathParams,
    output: virtualServer,
  },
  'virtualServers.change': {
    method: 'PUT',
    path: '/api/virtual-servers/{path}',
    permission: 'identity',
    conditional: true,
    summary: 'Change a virtual server: what is given replaces what was there; honours If-Match',
    params: pathParams,
    body: changes,
    output: virtualServer,
  },
  'virtualServers.remove': {
    method: 'DELETE',
    path: '/api/virtual-servers/{path}',
    permission: 'identity',
    conditional: true,
    summary: 'Remove a virtual server; its members stay; honours If-Match',
    params: pathParams,
    output: z.undefined(),
    status: 204,
  },
} as const satisfies Endpoints;
