import { z } from 'zod';
import type { Endpoints } from '../endpoint.ts';
import { uiPermissions } from '../permissions.ts';

/** Where people can sign in. */
const provider = z.object({ name: z.string(), display_name: z.string() });

/** Why a sign-in failed, as `/oauth2/fault/{correlation id}` says it to the browser in which it did. */
export interface SignInFault {
  /** A code that the sign-in page has words for. */
  readonly error: string;
  /** What the gateway or the provider says about it. */
  readonly details: string;
  readonly correlation_id: string;
}

/** How the command line signs somebody in: a public client, and where it asks (RFC 8252, RFC 8628). */
export const commandLine = z.object({
  /** `gateway` for the gateway's own authorization server, else the identity provider's name. */
  provider: z.string(),
  client_id: z.string(),
  authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  device_authorization_endpoint: z.string(),
  /** Where a sign-in is given back (RFC 7009); absent where there is no such thing. */
  revocation_endpoint: z.string().optional(),
  /** The scopes to ask for: they make a token for this gateway, with one to refresh it. */
  scope: z.string(),
});

/** How the command line signs somebody in. */
export type CommandLine = z.infer<typeof commandLine>;

/** The signed-in identity and what it may do, as the UI and scripts see it. */
export const me = z.object({
  username: z.string(),
  name: z.string().nullable(),
  email: z.string().nullable(),
  kind: z.enum(['person', 'agent']),
  auth_method: z.enum(['session', 'bearer', 'personal-token', 'oauth']),
  provider: z.string(),
  client_id: z.string().nullable(),
  groups: z.array(z.string()),
  scopes: z.array(z.string()),
  is_admin: z.boolean(),
  can_modify_servers: z.boolean(),
  ui_permissions: z.partialRecord(z.enum(uiPermissions), z.array(z.string())),
  accessible_servers: z.array(z.string()),
  /** How long a personal token lives unless asked otherwise, and at most. */
  token_hours: z.object({ default: z.number().int(), max: z.number().int() }),
  /** When the browser session ends however it is used, ISO 8601; null for tokens. */
  session_ends_at: z.string().nullable(),
  /** Send it as `X-CSRF-Token` with every change made by a browser session; null for tokens. */
  csrf_token: z.string().nullable(),
});

/** The signed-in identity and what it may do. */
export type Me = z.infer<typeof me>;

/** The endpoints about who is calling. */
export const signInEndpoints = {
  'auth.me': {
    method: 'GET',
    path: '/api/auth/me',
    permission: 'identity',
    summary: 'Who is calling, with groups, scopes and permissions',
    output: me,
  },
  'auth.providers': {
    method: 'GET',
    path: '/api/auth/providers',
    permission: 'public',
    summary: 'The identity providers that the sign-in page offers',
    output: z.object({ providers: z.array(provider), evaluation: z.boolean() }),
  },
  'auth.commandLine': {
    method: 'GET',
    path: '/api/auth/command-line',
    permission: 'public',
    summary:
      'How the command line signs people in: here, and at the provider where a public client is set up there',
    output: z.object({
      /** At the gateway's own authorization server. Gateways before 0.2.0 had none: null, or a provider's. */
      sign_in: commandLine.nullable(),
      /** At the identity provider itself; null where no public client is set up for it. */
      provider_sign_in: commandLine.nullable().optional(),
    }),
  },
  'auth.csrf': {
    method: 'GET',
    path: '/api/auth/csrf-token',
    permission: 'session',
    summary: 'The CSRF token of this browser session',
    output: z.object({ csrf_token: z.string() }),
  },
} as const satisfies Endpoints;
