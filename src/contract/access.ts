import { z } from 'zod';
import type { Endpoints } from './endpoint.ts';
import { scopeSource } from './scopes.ts';

/** The endpoints about decisions. */
export const accessEndpoints = {
  'access.explain': {
    method: 'POST',
    path: '/api/access/explain',
    permission: 'administrator',
    summary: 'What the gateway would decide on a call by these groups, or by somebody it knows, and why',
    body: z
      .strictObject({
        groups: z.array(z.string().max(300)).max(1000).optional(),
        /** A person who has signed in, or an application by client id or name. */
        username: z.string().min(1).max(300).optional(),
        server: z.string().min(1).max(200),
        method: z.string().min(1).max(200),
        tool: z.string().min(1).max(200).optional(),
        /** What prompts/get, resources/read and the like are about. */
        prompt: z.string().min(1).max(200).optional(),
        resource: z.string().min(1).max(2000).optional(),
      })
      .refine(({ groups, username }) => (groups === undefined) !== (username === undefined), {
        error: 'give either groups or username',
      }),
    output: z.object({
      allow: z.boolean(),
      /** Why it is refused; null when it is allowed. */
      reason: z.enum(['no-scopes', 'server', 'method', 'tool', 'prompt', 'resource']).nullable(),
      groups: z.array(z.string()),
      /** Every scope that these groups give. */
      scopes: z.array(z.string()),
      /** The scope that allows it; null when none does. */
      scope: z.string().nullable(),
      source: scopeSource.nullable(),
      /** The rule of that scope, and those of the groups that hold the scope. */
      rule: z
        .looseObject({ server: z.string(), methods: z.array(z.string()), tools: z.array(z.string()) })
        .nullable(),
      by_groups: z.array(z.string()),
      explanation: z.string(),
    }),
  },
} as const satisfies Endpoints;
