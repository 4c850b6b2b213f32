import { z } from 'zod';
import type { Endpoints } from '../endpoint.ts';
import { queryFlag } from '../values/flags.ts';

/** A personal token as its owner sees it in a list; the token itself is shown only once, when it is made. */
export const personalToken = z.object({
  id: z.string(),
  /** Whose it is. */
  provider: z.string(),
  subject: z.string(),
  username: z.string(),
  description: z.string(),
  scopes: z.array(z.string()),
  created_at: z.string(),
  expires_at: z.string(),
  last_used_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
  revoked_by: z.string().nullable(),
});

/** The endpoints of personal tokens. */
export const tokenEndpoints = {
  'tokens.generate': {
    method: 'POST',
    path: '/api/tokens/generate',
    permission: 'session',
    summary: 'Mint a personal token (HS256 JWT) that acts for the signed-in person; shown once',
    body: z.strictObject({
      /** All of the caller's where it is left out. */
      requested_scopes: z
        .array(z.string().max(200))
        .min(1, { error: 'name a scope, or leave requested_scopes out for all of yours' })
        .max(200)
        .optional(),
      expires_in_hours: z.number().int().min(1).optional(),
      description: z.string().trim().max(200).optional(),
    }),
    output: z.object({
      success: z.literal(true),
      tokens: z.object({
        access_token: z.string(),
        refresh_token: z.null(),
        /** Seconds. */
        expires_in: z.number().int(),
        refresh_expires_in: z.literal(0),
        token_type: z.literal('Bearer'),
        scope: z.string(),
      }),
      token_id: z.string(),
      client_id: z.literal('user-generated'),
      user_scopes: z.array(z.string()),
      requested_scopes: z.array(z.string()),
      expires_at: z.string(),
    }),
  },
  'tokens.list': {
    method: 'GET',
    path: '/api/tokens',
    permission: 'identity',
    summary: "The caller's personal tokens, newest first; with all=true everyone's, for administrators",
    query: z.strictObject({
      all: queryFlag.optional(),
      q: z
        .string()
        .trim()
        .max(200)
        .describe('The id of a token, or part of its user name or description; case does not matter.')
        .optional(),
      state: z.enum(['active', 'ended']).describe('`ended`: expired or revoked.').optional(),
    }),
    output: z.object({
      tokens: z.array(personalToken),
      total: z.number().int().describe('How many there are; the newest 1000 of them are listed.'),
    }),
  },
  'tokens.revoke': {
    method: 'DELETE',
    path: '/api/tokens/{id}',
    permission: 'identity',
    summary: "Revoke a personal token at once: your own, or as an administrator anyone's",
    params: z.object({ id: z.string().max(100) }),
    output: z.undefined(),
    status: 204,
  },
  'tokens.revokeAll': {
    method: 'POST',
    path: '/api/people/{provider}/{subject}/revoke-tokens',
    permission: 'administrator',
    summary: 'Revoke every personal token of a person at once, whether or not they are signed in',
    params: z.object({ provider: z.string().max(50), subject: z.string().max(200) }),
    output: z.object({ tokens_revoked: z.number().int() }),
  },
} as const satisfies Endpoints;
