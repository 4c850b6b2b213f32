import { z } from 'zod';
import { type Endpoints, uiPermissions } from './endpoint.ts';
import { scopeSource } from './scopes.ts';
import { normalizePath } from './servers.ts';

/** A rule for calls as a scope has it; `prompts` and `resources` are there where the rule has them. */
const shownRule = z.looseObject({
  server: z.string(),
  methods: z.array(z.string()),
  tools: z.array(z.string()),
});

/** A scope that allows something on a server, and who holds it. */
const serverScope = z.object({
  scope: z.string(),
  source: scopeSource,
  groups: z
    .array(z.string())
    .describe('Groups as the provider names them; with none, nobody holds the scope.'),
  rules: z.array(shownRule).describe('What of calls it allows; rules for every server have `*`.'),
  permissions: z.array(z.enum(uiPermissions)).describe('What it allows in the registry.'),
});

/** A scope that allows something on a server, and who holds it. */
export type ServerScope = z.output<typeof serverScope>;

/** The endpoints about decisions. */
export const accessEndpoints = {
  'access.server': {
    method: 'GET',
    path: '/api/access/servers/{path}',
    permission: 'administrator',
    summary:
      'Who may use a server: the scopes that allow something on it, what that is, and the groups that hold them',
    params: z.object({ path: z.string().max(400).transform(normalizePath) }),
    output: z.object({ server: z.string(), scopes: z.array(serverScope) }),
  },
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
      rule: shownRule.nullable(),
      by_groups: z.array(z.string()),
      explanation: z.string(),
    }),
  },
} as const satisfies Endpoints;
