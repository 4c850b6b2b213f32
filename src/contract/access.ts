import { z } from 'zod';
import type { Endpoints } from './endpoint.ts';
import { uiPermissions } from './permissions.ts';
import { scopeSource } from './scopes.ts';
import { normalizePath } from './servers/servers.ts';

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
  groups: z.array(z.string()).describe('Groups as the provider names them; with none, no one has the scope.'),
  rules: z.array(shownRule).describe('What of calls it allows; rules for every server have `*`.'),
  permissions: z.array(z.enum(uiPermissions)).describe('What it allows in the registry.'),
});

/** A scope that allows something on a server, and who holds it. */
export type ServerScope = z.output<typeof serverScope>;

/** What somebody may do that they may not otherwise: calls by server, and permissions in the registry. */
const gain = z
  .object({
    servers: z.array(
      z.object({
        server: z.string(),
        methods: z.array(z.string()),
        tools: z.array(z.string()),
        prompts: z.array(z.string()),
        resources: z.array(z.string()),
      }),
    ),
    permissions: z.array(z.object({ permission: z.enum(uiPermissions), names: z.array(z.string()) })),
  })
  .describe('`*` stands for every server, method, tool, prompt or resource that no rule names.');

/** What somebody gains and loses; null where that is nothing. */
const effect = z.object({ gains: gain.nullable(), loses: gain.nullable() });

/** What somebody gains and loses by a change of a scope. */
export type ScopeEffect = z.output<typeof effect>;

/** Who is asked about. */
const subject = {
  groups: z.array(z.string().max(300)).max(1000).optional(),
  /** A person who has signed in, or an application by client id or name. */
  username: z.string().min(1).max(300).optional(),
};

function isOneOf({ groups, username }: { groups?: unknown; username?: unknown }): boolean {
  return (groups === undefined) !== (username === undefined);
}

/** The endpoints about decisions. */
export const accessEndpoints = {
  'access.server': {
    method: 'GET',
    path: '/api/access/servers/{path}',
    permission: 'administrator',
    summary:
      'Who can use a server: the scopes that allow something on it, what that is, and the groups they are assigned to',
    params: z.object({ path: z.string().max(400).transform(normalizePath) }),
    output: z.object({ server: z.string(), scopes: z.array(serverScope) }),
  },
  'access.dryRun': {
    method: 'POST',
    reads: true,
    path: '/api/access/dry-run',
    permission: 'administrator',
    summary: 'Who would gain and lose what if a scope were as given, or were removed; changes nothing',
    body: z
      .strictObject({
        definition: z
          .record(z.string(), z.json())
          .optional()
          .describe('A group definition, as scopes.import takes it.'),
        remove: z.string().min(1).max(300).optional().describe('The name of the scope to remove.'),
      })
      .refine(({ definition, remove }) => (definition === undefined) !== (remove === undefined), {
        error: 'give either definition or remove',
      }),
    output: z.object({
      scope: z.string(),
      change: z.enum(['made', 'replaced', 'removed']),
      /** Whether the gateway would refuse it because its maker would be no administrator any more. */
      locks_out: z.boolean(),
      /** Each group by itself, of those for which something changes. */
      groups: z.array(effect.extend({ group: z.string() })),
      /** People who have signed in and applications known here, with all their groups: the first of them by name. */
      accounts: z.array(
        effect.extend({ kind: z.enum(['person', 'application']), provider: z.string(), name: z.string() }),
      ),
      /** How many accounts it changes something for. */
      accounts_total: z.number().int(),
    }),
  },
  'access.effective': {
    method: 'POST',
    reads: true,
    path: '/api/access/effective',
    permission: 'administrator',
    summary: 'Everything that these groups, or someone the gateway knows, can do, and by which scopes',
    body: z
      .strictObject({
        ...subject,
        /** The OAuth client id or alias of the program that they use; scopes with `clients` count only with one of theirs. */
        client: z.string().min(1).max(500).optional(),
      })
      .refine(isOneOf, { error: 'give either groups or username' }),
    output: z.object({
      groups: z.array(z.string()),
      scopes: z.array(
        z.object({
          scope: z.string(),
          /** `request`: it was granted to the person on request. */
          source: z.enum([...scopeSource.options, 'request']),
          by_groups: z.array(z.string()),
        }),
      ),
      is_admin: z.boolean(),
      access: gain,
    }),
  },
  'access.explain': {
    method: 'POST',
    reads: true,
    path: '/api/access/explain',
    permission: 'administrator',
    summary: 'What the gateway would decide on a call by these groups, or by someone it knows, and why',
    body: z
      .strictObject({
        ...subject,
        server: z.string().min(1).max(200),
        method: z.string().min(1).max(200),
        tool: z.string().min(1).max(200).optional(),
        /** The OAuth client id or alias of the program that calls; scopes with `clients` count only with one of theirs. */
        client: z.string().min(1).max(500).optional(),
        /** What prompts/get, resources/read and the like are about. */
        prompt: z.string().min(1).max(200).optional(),
        resource: z.string().min(1).max(2000).optional(),
      })
      .refine(isOneOf, { error: 'give either groups or username' }),
    output: z.object({
      allow: z.boolean(),
      /** Why it is refused; null when it is allowed. */
      reason: z
        .enum([
          'no-scopes',
          'server',
          'method',
          'tool',
          'prompt',
          'resource',
          'client-scope',
          'required-scope',
        ])
        .nullable(),
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
