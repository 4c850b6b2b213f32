import { z } from 'zod';
import type { Endpoints } from './endpoint.ts';

/** A program that may act for somebody: what that person granted it. */
export const connectedClient = z.object({
  /** The grant's id. */
  id: z.string(),
  client_id: z.string(),
  /** What the client called itself when it was allowed. */
  client_name: z.string(),
  /** Who granted it. */
  provider: z.string(),
  subject: z.string(),
  username: z.string(),
  /** The protected resource: one MCP endpoint, or the gateway itself for everything. */
  resource: z.string(),
  /** `mcp:read`, `mcp:call`, `registry`; without `mcp:call` only tools that read. */
  scopes: z.array(z.string()),
  /** The one endpoint, such as `/everything`, to which the person narrowed a grant for all; null for no narrowing. */
  only_at: z.string().nullable(),
  /** The person's `consent`, also for a `device` by its code; an `assertion` of a trusted issuer; or an `exchange` by an agent. */
  via: z.enum(['consent', 'device', 'assertion', 'exchange']),
  /** The client ids of the agents that act for the person, the present one first. */
  actors: z.array(z.string()),
  created_at: z.string(),
  last_used_at: z.string().nullable(),
  expires_at: z.string(),
});

/** Whether people may sign in from a client: `open` and `approved` let them. */
const oauthClientStatus = z.enum(['open', 'pending', 'approved', 'blocked']);

/** A program that people sign in from, as administrators see it. */
export const oauthClient = z.object({
  client_id: z.string(),
  /** `registered` by itself, a metadata `document`, or set up by an `administrator`. */
  kind: z.enum(['registered', 'document', 'administrator']),
  /** What it calls itself. */
  client_name: z.string(),
  /** The name that `clients` of a scope may use; null when only its id names it. */
  alias: z.string().nullable(),
  redirect_uris: z.array(z.string()),
  grant_types: z.array(z.string()),
  token_endpoint_auth_method: z.string(),
  /** Groups of the client itself, for client credentials. */
  groups: z.array(z.string()),
  status: oauthClientStatus,
  /** People with a living grant of it. */
  people: z.number().int(),
  created_by: z.string(),
  created_at: z.string(),
  last_used_at: z.string().nullable(),
  expires_at: z.string().nullable(),
});

const clientId = z.string().min(1).max(500);
const alias = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, { error: 'must be 1 to 64 lower-case letters, digits and hyphens' });
const groups = z.array(z.string().trim().min(1).max(256)).max(200);
const name = z.string().trim().min(1).max(100);
const params = z.object({ client_id: clientId });

/** The endpoints of sign-in from MCP clients: what people granted, and the clients. */
export const oauthEndpoints = {
  'connectedClients.list': {
    method: 'GET',
    path: '/api/connected-clients',
    permission: 'identity',
    summary:
      'The programs that may act for the caller, newest first; with client_id who uses that client, for administrators',
    query: z.strictObject({ client_id: clientId.optional() }),
    output: z.object({ connected_clients: z.array(connectedClient) }),
  },
  'connectedClients.end': {
    method: 'DELETE',
    path: '/api/connected-clients/{id}',
    permission: 'identity',
    summary: "End what a program was allowed, at once: your own, or as an administrator anyone's",
    params: z.object({ id: z.string().max(100) }),
    output: z.undefined(),
    status: 204,
  },
  'oauthClients.list': {
    method: 'GET',
    path: '/api/oauth-clients',
    permission: 'administrator',
    summary: 'The programs that people sign in from, those used last first',
    query: z.strictObject({
      status: oauthClientStatus.optional(),
      search: z.string().max(200).optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(200),
      skip: z.coerce.number().int().min(0).default(0),
    }),
    output: z.object({
      total: z.number().int(),
      limit: z.number().int(),
      skip: z.number().int(),
      items: z.array(oauthClient),
    }),
  },
  'oauthClients.create': {
    method: 'POST',
    path: '/api/oauth-clients',
    permission: 'administrator',
    summary:
      'Set up a program that people sign in from, or an agent with client credentials; a secret is shown once',
    body: z.strictObject({
      client_name: name,
      alias: alias.optional(),
      redirect_uris: z.array(z.string().max(500)).max(20).default([]),
      /** `none` for programs on people's computers. */
      token_endpoint_auth_method: z
        .enum(['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'])
        .default('none'),
      /** Lets the client act for itself, with `groups`; needs a method other than `none`. */
      client_credentials: z.boolean().default(false),
      /** Lets the client exchange people's tokens for its own (RFC 8693). */
      token_exchange: z.boolean().default(false),
      /** Lets the client get tokens for people by assertions of trusted issuers (ID-JAG), which nobody is asked about. */
      jwt_bearer: z.boolean().default(false),
      groups: groups.default([]),
      jwks: z.looseObject({ keys: z.array(z.looseObject({})).min(1).max(10) }).optional(),
      jwks_uri: z.url({ protocol: /^https$/ }).optional(),
    }),
    output: oauthClient.extend({ client_secret: z.string().nullable() }),
    status: 201,
  },
  'oauthClients.get': {
    method: 'GET',
    path: '/api/oauth-clients/{client_id}',
    permission: 'administrator',
    summary: 'One program that people sign in from',
    params,
    output: oauthClient,
  },
  'oauthClients.change': {
    method: 'PATCH',
    path: '/api/oauth-clients/{client_id}',
    permission: 'administrator',
    summary:
      'Approve or block a program, name it for scopes, or change the groups of an agent; blocking ends its access at once',
    params,
    body: z.strictObject({
      status: z.enum(['approved', 'blocked']).optional(),
      alias: alias.nullable().optional(),
      groups: groups.optional(),
    }),
    output: oauthClient,
  },
  'oauthClients.remove': {
    method: 'DELETE',
    path: '/api/oauth-clients/{client_id}',
    permission: 'administrator',
    summary:
      'Forget a program and end all that it was allowed; it may come again, unless it is blocked instead',
    params,
    output: z.undefined(),
    status: 204,
  },
} as const satisfies Endpoints;
