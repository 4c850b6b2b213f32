import { z } from 'zod';
import type { Endpoints } from '../endpoint.ts';
import { queryFlag } from '../values/flags.ts';

/** A browser session that is alive; its cookie is nowhere to be read. */
export const session = z.object({
  id: z.string(),
  provider: z.string(),
  subject: z.string(),
  username: z.string(),
  created_at: z.string(),
  last_seen_at: z.string(),
  expires_at: z.string(),
  /** The browser as it named itself at the sign-in, and the address it came from; null where that is not known. */
  user_agent: z.string().nullable(),
  client_ip: z.string().nullable(),
  /** Whether it is the one that asks. */
  is_current: z.boolean(),
});

/** The endpoints of browser sessions. */
export const sessionEndpoints = {
  'sessions.list': {
    method: 'GET',
    path: '/api/sessions',
    permission: 'identity',
    summary:
      "The caller's living browser sessions, newest first; with all=true everyone's, for administrators",
    query: z.strictObject({ all: queryFlag.optional() }),
    output: z.object({ sessions: z.array(session) }),
  },
  'sessions.end': {
    method: 'DELETE',
    path: '/api/sessions/{id}',
    permission: 'identity',
    summary: "End a browser session at once: your own, or as an administrator anyone's",
    params: z.object({ id: z.string().max(100) }),
    output: z.undefined(),
    status: 204,
  },
  'sessions.endAll': {
    method: 'POST',
    path: '/api/people/{provider}/{subject}/end-sessions',
    permission: 'administrator',
    summary:
      'End every browser session of a person at once and have their groups read again; with revoke_tokens also revoke ' +
      'their personal tokens',
    params: z.object({ provider: z.string().max(50), subject: z.string().max(200) }),
    body: z.strictObject({ revoke_tokens: z.boolean().optional() }),
    output: z.object({ sessions_ended: z.number().int(), tokens_revoked: z.number().int() }),
  },
} as const satisfies Endpoints;
