import { z } from 'zod';
import type { Endpoints } from '../endpoint.ts';
import { normalizePath } from '../values/server-path.ts';
import { discoveryModes, egressModes, egressProviders } from './egress-words.ts';

const httpsUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
  .max(2048)
  .refine((url) => !URL.canParse(url) || !new URL(url).hash, { error: 'must have no fragment' });

// RFC 6749, section 3.3: a scope token.
const scopeToken = z
  .string()
  .max(512)
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, {
    error: 'must be one scope: visible ASCII without spaces, quotes or backslashes',
  });

/** What an administrator says of the credentials of people at a server. */
export const egressInput = z.strictObject({
  egress_auth_mode: z.enum(egressModes),
  egress_provider: z.enum(egressProviders).default('custom'),
  /** The client that the gateway is there; without one it uses its own metadata document, or registers itself. */
  client_id: z.string().min(1).max(2048).nullable().default(null),
  /** Stored encrypted, never shown; left out, the stored one stays where the client id stays. */
  client_secret: z.string().min(1).max(4096).optional(),
  scopes: z.array(scopeToken).max(100).default([]),
  /** The `resource` or `audience` that tokens are asked for; the server's own address unless given. */
  target_audience: z.string().min(1).max(2048).nullable().default(null),
  /** Whether tokens are asked for with `audience` (Auth0, RFC 8693) instead of `resource` (RFC 8707), or with neither. */
  audience_parameter: z.enum(['resource', 'audience', 'none']).default('resource'),
  custom_authorize_url: httpsUrl.nullable().default(null),
  custom_token_url: httpsUrl.nullable().default(null),
  /** The issuer at which the endpoints are discovered (RFC 8414); the server's own word (RFC 9728) unless given. */
  custom_issuer: httpsUrl.nullable().default(null),
  token_auth_method: z.enum(['client_secret_basic', 'client_secret_post']).default('client_secret_basic'),
  /** Where the credential goes; `Authorization` unless given. */
  header_name: z
    .string()
    .max(64)
    .regex(/^[A-Za-z0-9-]+$/, { error: "use letters, digits and '-'" })
    .refine(
      (name) =>
        !/^(?:mcp-|proxy-|x-correlation-id$|x-authorization$|host$|cookie$|content-|connection$|transfer-)/i.test(
          name,
        ),
      {
        error: 'is a header that the gateway writes itself; choose another',
      },
    )
    .default('Authorization'),
  /** What stands before it in the header, with its space. */
  header_prefix: z
    .string()
    .max(32)
    .regex(/^[\x20-\x7e]*$/, { error: 'must be visible ASCII characters' })
    .default('Bearer '),
  /** For `pat`: how many days a token may be kept at most. */
  max_days: z.number().int().min(1).max(365).default(30),
  discovery: z.enum(discoveryModes).default('none'),
});

/** What an administrator says of the credentials of people at a server. */
export type EgressInput = z.output<typeof egressInput>;

/** How a server's credentials are arranged, as the API shows it: no secret. */
export const serverEgress = egressInput.omit({ client_secret: true }).extend({
  has_client_secret: z.boolean(),
  /** Where the service sends people back to: register it there as redirect URI. */
  callback_url: z.string(),
  /** Where people connect. */
  connect_url: z.string(),
  /** Who is connected for its lists, where `discovery` is `person`; null where nobody is. */
  lists_connection: z
    .object({
      username: z.string(),
      account: z.string().nullable(),
      status: z.enum(['connected', 'refused', 'ended', 'none']),
      ends_at: z.string().nullable(),
    })
    .nullable(),
});

/** What a connection is for: calls of its owner, or the lists of the catalogue. */
export const connectionPurpose = z.enum(['call', 'discovery']).default('call');

const pathParams = z.object({ path: z.string().max(400).transform(normalizePath) });

/** The endpoints of a server's credentials. */
export const serverEgressEndpoints = {
  'servers.egress': {
    method: 'GET',
    path: '/api/servers/{path}/egress-auth',
    permission: { can: 'modify_service', on: 'path' },
    summary: 'Whose credential goes to a server, and how it is got; no secrets',
    params: pathParams,
    output: serverEgress,
  },
  'servers.configureEgress': {
    method: 'POST',
    path: '/api/servers/{path}/egress-auth',
    permission: { can: 'modify_service', on: 'path' },
    conditional: true,
    summary:
      "Say whose credential goes to a server; only administrators may let people's own credentials go there, or widen that",
    params: pathParams,
    body: egressInput,
    output: serverEgress,
  },
} as const satisfies Endpoints;
