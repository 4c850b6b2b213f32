import { z } from 'zod';
import type { Endpoints } from '../endpoint.ts';
import { normalizePath } from '../values/server-path.ts';
import { egressModes, egressProviders } from './egress-words.ts';
import { connectionPurpose } from './server-egress.ts';

/** A server that wants a credential of each person, and the caller's own there; never the credential itself. */
export const connection = z.object({
  server_path: z.string(),
  server_name: z.string(),
  /** Where the credential goes: the server's host. */
  host: z.string(),
  egress_auth_mode: z.enum(egressModes),
  egress_provider: z.enum(egressProviders),
  /**
   * `connected`; `refused`: the server no longer takes it; `ended`: its time is over; `none`: not connected. An exchange
   * needs nobody to connect, so `none` means there that it was not used yet.
   */
  status: z.enum(['connected', 'refused', 'ended', 'none']),
  /** Tells one connection from another, as the audit trail names it. */
  id: z.string().nullable(),
  /** What the service calls the account; null when it does not say. */
  account: z.string().nullable(),
  /** What was granted; what is asked for where there is no connection. */
  scopes: z.array(z.string()),
  connected_at: z.string().nullable(),
  /** When it ends unless it is renewed by its owner; null when nothing is known of an end. */
  ends_at: z.string().nullable(),
  last_used_at: z.string().nullable(),
  /** The tool, or the method, that it was used for last. */
  last_used_for: z.string().nullable(),
  /** For how many days a token may be entered at most. */
  max_days: z.number().int(),
});

/** A server that wants a credential of each person, and the caller's own there. */
export type Connection = z.output<typeof connection>;

const serverPath = z.string().min(1).max(400).transform(normalizePath);

/** The endpoints of a person's credentials at servers; each person has their own. */
export const connectionEndpoints = {
  'connections.list': {
    method: 'GET',
    path: '/api/egress-auth/connections',
    permission: 'identity',
    summary: "The servers that want a credential of each person, and the caller's own there; no secrets",
    output: z.object({ connections: z.array(connection) }),
  },
  'connections.initiate': {
    method: 'POST',
    path: '/api/egress-auth/initiate',
    permission: 'identity',
    summary:
      'Begin to connect to a server by OAuth; the address to open comes back to the same browser session, within ten minutes',
    body: z.strictObject({ server_path: serverPath, purpose: connectionPurpose }),
    output: z.object({ authorize_url: z.string() }),
  },
  'connections.enter': {
    method: 'POST',
    path: '/api/egress-auth/pat',
    permission: 'identity',
    summary: "Enter one's own token for a server, for a limited time; it is stored encrypted and never shown",
    body: z.strictObject({
      server_path: serverPath,
      token: z
        .string()
        .min(1)
        .max(8192)
        .regex(/^[\x21-\x7e]+$/, { error: 'must be visible ASCII characters without spaces' }),
      ttl_value: z.number().int().min(1).max(525_600),
      ttl_unit: z.enum(['minutes', 'hours', 'days']),
      purpose: connectionPurpose,
    }),
    output: connection,
  },
  'connections.remove': {
    method: 'DELETE',
    path: '/api/egress-auth/connections/{provider}/{path}',
    permission: 'identity',
    summary: "Disconnect from a server: the caller's credential there is deleted",
    params: z.object({ provider: z.enum(egressProviders), path: serverPath }),
    output: z.undefined(),
    status: 204,
  },
} as const satisfies Endpoints;
