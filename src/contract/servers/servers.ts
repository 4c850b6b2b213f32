import { z } from 'zod';
import type { Endpoints } from '../endpoint.ts';
import { Refusal } from '../files/entry.ts';
import { readServerRegistration } from '../files/server-registration.ts';
import { isObject } from '../values/json.ts';
import { metadata } from '../values/metadata.ts';
import { installPlainIssues } from '../values/plain-issues.ts';
import { normalizePath, serverPath } from '../values/server-path.ts';
import { egressModes } from './egress-words.ts';
import { authSchemes, credentialInput } from './server-credentials.ts';

// The command line reads files by these schemas without the endpoints.
installPlainIssues();

export {
  nameOfPath,
  normalizePath,
  reservedFirstSegments,
  serverPath,
  wildcardPath,
} from '../values/server-path.ts';

const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
  .max(2048)
  .refine((url) => !URL.canParse(url) || (!new URL(url).username && !new URL(url).password), {
    error: 'must not contain a user name or password; store credentials with the server instead',
  });

/** Headers that an operator may not let through: of one connection, of the gateway, or a credential with a field of its own. */
const neverPassed = new Set([
  ...['authorization', 'cookie', 'host', 'connection', 'content-length', 'content-encoding', 'expect', 'te'],
  ...['keep-alive', 'trailer', 'transfer-encoding', 'upgrade', 'x-authorization', 'x-correlation-id'],
  ...['proxy-authorization', 'proxy-connection', 'forwarded', 'via', 'x-real-ip', 'mcp-session-id'],
]);

const passedHeader = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9-]+$/, "use letters, digits and '-'; servers take a name with '_' for another one")
  .refine((name) => !neverPassed.has(name.toLowerCase()) && !/^x-forwarded-/i.test(name), {
    error: 'this header is never passed on',
  });

/** Transports by which a server can be reached. */
const transports = ['streamable-http', 'sse'] as const;

/** What an operator says about a server when registering or replacing it. */
export const serverInput = z.strictObject({
  server_name: z.string().trim().min(1).max(200),
  path: serverPath,
  proxy_pass_url: httpUrl,
  description: z.string().max(4000).default(''),
  tags: z.array(z.string().trim().min(1).max(64)).max(50).default([]),
  license: z.string().max(100).default('N/A'),
  supported_transports: z.array(z.enum(transports)).min(1).default(['streamable-http']),
  mcp_endpoint: httpUrl.nullable().default(null),
  sse_endpoint: httpUrl.nullable().default(null),
  version: z.string().max(255).nullable().default(null),
  /** Whether a client's own `Authorization` goes to the server, where the client proves itself by `X-Authorization`. */
  forward_authorization: z.boolean().default(false),
  /** Headers that clients may send to this server besides those of the protocol, of content and of tracing. */
  pass_headers: z.array(passedHeader).max(20).default([]),
  /** Seconds that a call may take until its answer begins; null: MCP_CALL_TIMEOUT_SECONDS. Silence counts, never work that streams. */
  call_timeout_seconds: z.number().int().min(1).max(86_400).nullable().default(null),
  metadata,
});

/**
 * A registration in any form that files of this trade have (`files/server-registration.ts`), turned into our own: fields that a
 * registry derives are ignored, `null` is absent, what has a meaning is mapped.
 */
export function ownRegistration(value: unknown, context: z.RefinementCtx): unknown {
  if (!isObject(value)) return value;
  try {
    const { body, credential } = readServerRegistration(value);
    return credential && value.credential === undefined ? { ...body, credential } : body;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    context.addIssue({ code: 'custom', message: `${error.message} ${error.remedy}` });
    return z.NEVER;
  }
}

/** What a registration becomes. */
export const registered = serverInput.extend({
  is_enabled: z.boolean().default(false),
  /** The credential that the gateway sends to the server; stored encrypted, never shown. */
  credential: credentialInput.optional(),
});

const registration = z.preprocess(ownRegistration, registered);

/** A registration as it is sent: our own fields, before defaults. */
export type Registration = z.output<typeof registration>;

/** What replaces a registration. `is_enabled` and credentials have endpoints of their own, and stay as they are. */
const replacement = z.preprocess((value, context) => {
  const own = ownRegistration(value, context);
  if (!isObject(own)) return own;
  const { is_enabled: _, credential: __, ...rest } = own;
  return rest;
}, serverInput);

/** A registration as sent; unset fields take their defaults. */
export type ServerInput = z.output<typeof serverInput>;

/** A tool as the server describes it (MCP `tools/list`); unknown members are kept. */
export const tool = z.looseObject({
  name: z.string(),
  title: z.string().optional(),
  description: z.string().optional(),
  inputSchema: z.record(z.string(), z.unknown()).optional(),
});

/** A tool as the server describes it. */
export type Tool = z.infer<typeof tool>;

/**
 * What the last look at a server found. `auth-failing`: it answers, but refuses the gateway's credential; `disabled`: it is
 * switched off and not looked at; `unknown`: nobody has looked yet.
 */
export const healthStatus = z.enum(['healthy', 'unhealthy', 'auth-failing', 'disabled', 'unknown']);

/**
 * What stands behind a health state. `unreachable`: no answer, or none in time; `not-mcp`: an answer, but not of an MCP
 * server; `failing`: an MCP server that reports or makes errors; `slow`: healthy, but later than it should be.
 */
export const healthReason = z.enum(['unreachable', 'not-mcp', 'failing', 'slow']);

/** What stands behind a health state. */
export type HealthReason = z.infer<typeof healthReason>;

/** One of the health states. */
export type HealthStatus = z.infer<typeof healthStatus>;

/** A registered server as the API shows it; times are ISO 8601 in UTC. */
export const server = z.object({
  id: z.string(),
  server_name: z.string(),
  path: z.string(),
  /** Where the server itself is: shown to those who may modify it, null to everybody else. */
  proxy_pass_url: z.string().nullable(),
  description: z.string(),
  tags: z.array(z.string()),
  license: z.string(),
  supported_transports: z.array(z.enum(transports)),
  /** Shown as `proxy_pass_url` is; null also when it is not set. */
  mcp_endpoint: z.string().nullable(),
  /** Shown as `proxy_pass_url` is; null also when it is not set. */
  sse_endpoint: z.string().nullable(),
  version: z.string().nullable(),
  forward_authorization: z.boolean(),
  pass_headers: z.array(z.string()),
  call_timeout_seconds: z.number().int().nullable(),
  auth_scheme: z.enum(authSchemes),
  /** The header that the gateway's credential goes in: shown as `proxy_pass_url` is; null also when there is none. */
  auth_header_name: z.string().nullable(),
  /** The names of the further headers; empty for those who may not modify the server. Values are never shown. */
  custom_header_names: z.array(z.string()),
  /** When the credential was last set; null when there is none. */
  credential_updated_at: z.string().nullable(),
  /** Whose credential goes to it; where it is not the operator's, each person connects first. */
  egress_auth_mode: z.enum(egressModes),
  metadata: z.record(z.string(), z.json()),
  /** `metadata.category`, by which lists can be narrowed; null when it is no text. */
  category: z.string().nullable(),
  is_enabled: z.boolean(),
  /** Where clients connect: `<public URL><path>/mcp`, or `/sse` for a server that has nothing else. */
  endpoint_url: z.string(),
  /** How many of its tools this caller may call. */
  num_tools: z.number().int(),
  health_status: healthStatus,
  /** What kind of trouble it is; null when the state says all. */
  health_reason: healthReason.nullable(),
  /** In words, why it is not healthy or what is odd about it; null when all is well. */
  health_detail: z.string().nullable(),
  last_checked_iso: z.string().nullable(),
  mcp_server_version: z.string().nullable(),
  mcp_protocol_version: z.string().nullable(),
  registered_by: z.string(),
  registered_at: z.string(),
  updated_at: z.string(),
  /** Counts the changes; the number in the ETag. */
  revision: z.number().int(),
  /** What this caller may do with it. */
  can: z.object({ modify: z.boolean(), toggle: z.boolean(), delete: z.boolean(), health_check: z.boolean() }),
});

/** A registered server as lists show it: without what only its owner bounds. */
export const listedServer = server.omit({ metadata: true });

/** A registered server, in a list or by itself. */
export type Server = z.infer<typeof listedServer>;

/** A registered server by itself. */
export type ServerInFull = z.infer<typeof server>;

/** What is told of a server when it changes: the data of an event `server`; an event `removed` has only `path`. */
export type ServerEvent = Pick<
  Server,
  | 'path'
  | 'revision'
  | 'is_enabled'
  | 'num_tools'
  | 'health_status'
  | 'health_reason'
  | 'health_detail'
  | 'last_checked_iso'
>;

/** From when on a server's health was how; until the next change. */
export const healthChange = z.object({
  /** ISO 8601. */
  at: z.string(),
  status: healthStatus,
  reason: healthReason.nullable(),
  detail: z.string().nullable(),
});

/** From when on a server's health was how. */
export type HealthChange = z.infer<typeof healthChange>;

const pathParams = z.object({ path: z.string().max(400).transform(normalizePath) });

/** The endpoints of the registry of servers. */
export const serverEndpoints = {
  'servers.list': {
    method: 'GET',
    path: '/api/servers',
    permission: 'identity',
    summary: 'The servers that the caller can see, by name',
    query: z.object({
      /** Part of the name, path, description or a tag; case does not matter. */
      query: z.string().max(200).optional(),
      limit: z.coerce.number().int().min(1).max(2000).default(100),
      offset: z.coerce.number().int().min(0).default(0),
    }),
    output: z.object({
      /** Without their metadata, which a server has on its own. */
      servers: z.array(listedServer),
      total_count: z.number().int(),
      limit: z.number().int(),
      offset: z.number().int(),
      has_next: z.boolean(),
      /** Whether the caller may register servers. */
      can_register: z.boolean(),
    }),
  },
  'servers.register': {
    method: 'POST',
    path: '/api/servers',
    permission: { can: 'register_service', on: 'any' },
    summary: 'Register a server; it starts disabled unless `is_enabled` is given',
    body: registration,
    output: server,
    status: 201,
  },
  'servers.probe': {
    cost: 'reach',
    method: 'POST',
    reads: true,
    path: '/api/servers/probe',
    permission: { can: 'register_service', on: 'any' },
    summary:
      'Check an address before it is registered: transport, protocol, tools, and what to register it as',
    body: z.strictObject({ url: httpUrl }),
    output: z.object({
      status: healthStatus,
      detail: z.string().nullable(),
      /** Null when no MCP server was found there. */
      transport: z.enum(transports).nullable(),
      /** What to register as `proxy_pass_url`. */
      proxy_pass_url: z.string(),
      needs_credential: z.boolean(),
      /**
       * Whether people can connect to it with accounts of their own, because it says where (RFC 9728): `ready` at once,
       * `needs_client` once the gateway is registered as a client there; null when it says nothing of that.
       */
      takes_accounts: z.enum(['ready', 'needs_client']).nullable(),
      protocol_version: z.string().nullable(),
      server_version: z.string().nullable(),
      tools: z.array(z.object({ name: z.string(), description: z.string() })),
      suggested: z.object({ server_name: z.string(), path: z.string() }),
      /** Servers, of those that the caller may see, that are at this address already. */
      duplicates: z.array(z.object({ path: z.string(), server_name: z.string() })),
    }),
  },
  'servers.toggle': {
    method: 'POST',
    path: '/api/servers/{path}/toggle',
    permission: { can: 'toggle_service', on: 'path' },
    summary: 'Enable or disable a server; enabling checks its health at once',
    params: pathParams,
    body: z.strictObject({ enabled: z.boolean() }),
    output: server,
  },
  'servers.health': {
    cost: 'reach',
    method: 'POST',
    reads: true,
    path: '/api/servers/{path}/health',
    permission: { can: 'health_check_service', on: 'path' },
    summary: 'Check a server now: reachability, protocol version and tools',
    params: pathParams,
    output: server,
  },
  'servers.tools': {
    cost: 'heavy',
    method: 'GET',
    path: '/api/servers/{path}/tools',
    permission: { can: 'list_service', on: 'path' },
    summary:
      'The tools of a server that the caller can call, live or, when it cannot be reached, as last seen',
    params: pathParams,
    output: z.object({
      service_path: z.string(),
      tools: z.array(tool),
      /** True when the server could not be asked and the stored copy is shown. */
      cached: z.boolean(),
      /** When the shown list was read from the server; ISO 8601. */
      fetched_at: z.string().nullable(),
      /** Why the stored copy is shown; null when live. */
      stale_reason: z.string().nullable(),
    }),
  },
  'servers.history': {
    method: 'GET',
    path: '/api/servers/{path}/history',
    permission: { can: 'list_service', on: 'path' },
    summary: 'When the health of a server became another in the last 30 days, oldest first',
    params: pathParams,
    output: z.object({ changes: z.array(healthChange) }),
  },
  'servers.events': {
    method: 'GET',
    path: '/api/servers/events',
    permission: 'identity',
    summary: 'Changes of the servers that the caller can see, as server-sent events `server` and `removed`',
    media: 'text/event-stream',
    output: z.instanceof(ReadableStream),
  },
  'servers.get': {
    method: 'GET',
    path: '/api/servers/{path}',
    permission: { can: 'list_service', on: 'path' },
    summary: 'One server, with an ETag for conditional changes',
    params: pathParams,
    output: server,
  },
  'servers.replace': {
    method: 'PUT',
    path: '/api/servers/{path}',
    permission: { can: 'modify_service', on: 'path' },
    conditional: true,
    summary: 'Replace what is said about a server; honours If-Match',
    params: pathParams,
    body: replacement,
    output: server,
  },
  'servers.credential': {
    method: 'PATCH',
    path: '/api/servers/{path}/auth-credential',
    permission: { can: 'modify_service', on: 'path' },
    conditional: true,
    summary: 'Set or remove the credential that the gateway sends to a server; stored encrypted, never shown',
    params: pathParams,
    body: credentialInput,
    output: server,
  },
  'servers.patch': {
    method: 'PATCH',
    path: '/api/servers/{path}',
    permission: { can: 'modify_service', on: 'path' },
    conditional: true,
    summary: 'Change parts of a server by JSON merge patch (RFC 7396); honours If-Match',
    params: pathParams,
    body: z.record(z.string(), z.json()).describe('The members to change; null removes one'),
    output: server,
  },
  'servers.remove': {
    method: 'DELETE',
    path: '/api/servers/{path}',
    permission: { can: 'delete_service', on: 'path' },
    conditional: true,
    summary: 'Remove a server from the registry; honours If-Match',
    params: pathParams,
    output: z.undefined(),
    status: 204,
  },
} as const satisfies Endpoints;
