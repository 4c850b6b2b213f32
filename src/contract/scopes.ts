import { z } from 'zod';
import type { Endpoints } from './endpoint.ts';
import { uiPermissions } from './permissions.ts';
import { flag, queryFlag } from './values/flags.ts';
import { looksLikeEvery } from './values/names.ts';

/** Names that a scope cannot have, since the scope file means something else by them. */
const notScopes: readonly string[] = ['UI-Scopes', 'group_mappings'];

/** Actions on agents that a scope may allow. */
export const agentActions = [
  'list_agents',
  'get_agent',
  'invoke_agent',
  'publish_agent',
  'modify_agent',
  'delete_agent',
] as const;

/** What a scope made through the API may be called: ASCII, so that no name only looks like another one. */
export const scopeName = z
  .string()
  .max(200)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9 ._:@-]*(?:\/[A-Za-z0-9][A-Za-z0-9 ._:@-]*)*$/,
    "use letters, digits, spaces, '.', '_', ':', '@' and '-'; a part begins with a letter or digit, and '/' separates parts",
  )
  .refine((name) => name === name.trimEnd() && !notScopes.includes(name) && !looksLikeEvery(name), {
    error: 'this name is reserved, or ends in a space',
  });

/**
 * The guide's group definition file, strict; what rules and permissions may say is held to the same rules as the scope
 * file, by the server. `group_mappings` are groups as the provider names them (Entra: Object IDs); unless given, the
 * scope's own name.
 */
export const groupDefinition = z.strictObject({
  scope_name: scopeName,
  scope_type: z.literal('server_scope').default('server_scope'),
  description: z.string().max(2000).default(''),
  /** `{server, methods, tools}`, `{agents: {actions: [{action, resources}]}}` or `{agent, actions}`. */
  server_access: z.array(z.json()).max(1000).default([]),
  group_mappings: z.array(z.json()).max(1000).optional(),
  /** Permission -> the servers or agents it holds for, or `["all"]`. */
  ui_permissions: z.record(z.string(), z.json()).default({}),
  /** Paths of the agents that the scope may see, or `["all"]`. */
  agent_access: z.array(z.json()).max(1000).default([]),
  /** The programs for which the scope counts: OAuth client ids and aliases; left out: for any. */
  clients: z.array(z.json()).min(1).max(100).optional(),
  /** Whether a group of this name is made in the directory and mapped too. */
  create_in_idp: z.boolean().default(false),
});

/** A group definition as sent. */
export type GroupDefinition = z.output<typeof groupDefinition>;

/** Where a scope comes from: the scope file, the roles built in where there is no such file, or somebody through the API. */
export const scopeSource = z.enum(['file', 'built_in', 'api']);

// Loose, so that what a rule can say besides is shown too.
const serverRule = z.looseObject({
  server: z.string(),
  methods: z.array(z.string()),
  tools: z.array(z.string()),
});
const agentRules = z.object({
  agents: z.object({
    actions: z.array(z.object({ action: z.string(), resources: z.array(z.string()) })),
  }),
});

/** What a scope says, in the shape of the group definition file: it can be imported as it is. */
export const scopeDefinition = z.object({
  scope_name: z.string(),
  scope_type: z.literal('server_scope'),
  description: z.string(),
  server_access: z.array(z.union([agentRules, serverRule])),
  group_mappings: z.array(z.string()),
  ui_permissions: z.partialRecord(z.enum(uiPermissions), z.array(z.string())),
  agent_access: z.array(z.string()),
  /** The programs for which it counts; absent: for any, and without one. */
  clients: z.array(z.string()).optional(),
});

/** A scope as the API shows it. */
export const scope = scopeDefinition.extend({
  source: scopeSource,
  /** Whether it can be changed through the API; one of the scope file is changed there. */
  editable: z.boolean(),
  /** Whether the gateway made its group in the directory, and so removes it with the scope. */
  is_idp_managed: z.boolean(),
  idp_group_id: z.string().nullable(),
  /** ISO 8601 in UTC; null when nobody noted it. */
  created_at: z.string().nullable(),
  updated_at: z.string(),
});

/** A scope as the API shows it. */
export type ScopeView = z.infer<typeof scope>;

const nameParams = z.object({ name: z.string().min(1).max(300) });
/** Names in a list, or separated by commas as a form has them. */
const names = z
  .union([
    z
      .string()
      .max(20_000)
      .transform((text) => text.split(',')),
    z.array(z.string()),
  ])
  .transform((list) => [...new Set(list.map((name) => name.trim()).filter((name) => name !== ''))])
  .refine((list) => list.length > 0 && list.length <= 100, { error: 'name 1 to 100 groups' });

const changed = z.object({
  message: z.string(),
  group_name: z.string(),
  /** Whether a group was made in the directory just now. */
  idp_created: z.boolean(),
  /** The directory's id of the scope's group; null when it has none of its own. */
  idp_group_id: z.string().nullable(),
  /** Always true: the change is in force for the next request. */
  auth_server_reloaded: z.boolean(),
  /** False when everything was already as asked. */
  changed: z.boolean(),
  /** What will not work as its writer may think. */
  warnings: z.array(z.string()),
});

/** What a change of a scope answers. */
export type ScopeChanged = z.infer<typeof changed>;

const serverOfGroups = z.strictObject({ server_name: z.string().trim().min(1).max(200), group_names: names });
const serverChanged = z.object({
  message: z.string(),
  server_name: z.string(),
  groups: z.array(z.object({ group_name: z.string(), changed: z.boolean() })),
  warnings: z.array(z.string()),
});

/** A group of the directory in the list. */
const directoryGroup = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  /** What `group_mappings` has to hold for it. */
  mapping: z.string(),
  scopes: z.array(z.string()),
});

/** The endpoints of scopes; they stand before those of servers, whose paths contain them. */
export const scopeEndpoints = {
  'scopes.list': {
    method: 'GET',
    path: '/api/servers/groups',
    permission: 'administrator',
    summary: 'Groups of the directory and scopes, and which of them belong together',
    query: z.object({
      include_keycloak: queryFlag.default('true'),
      include_scopes: queryFlag.default('true'),
    }),
    output: z.object({
      /** Groups of the directory, whichever it is. */
      keycloak_groups: z.array(directoryGroup),
      /** Why the directory lets the gateway see no groups; null when it does, or is not asked. */
      directory_fault: z.string().nullable().default(null),
      scopes_groups: z.record(
        z.string(),
        z.object({
          description: z.string(),
          source: scopeSource,
          editable: z.boolean(),
          is_idp_managed: z.boolean(),
          group_mappings: z.array(z.string()),
          servers: z.array(z.string()),
        }),
      ),
      /** Scopes with a group that is in the directory. */
      synchronized: z.array(z.string()),
      /** Groups of the directory that give nothing here. */
      keycloak_only: z.array(z.string()),
      /** Scopes without a group in the directory. */
      scopes_only: z.array(z.string()),
      /** The directory's name; null when there is none or it was not asked. */
      directory: z.string().nullable(),
      /** True when the directory has more groups than are shown. */
      truncated: z.boolean(),
    }),
  },
  'scopes.import': {
    method: 'POST',
    path: '/api/servers/groups/import',
    permission: 'administrator',
    summary: 'Create or replace a scope from a group definition; active from the next request on',
    // Parsed by the handler, so that faults of the definition and of its rules are told together.
    body: z
      .record(z.string(), z.json())
      .describe(
        'A group definition: {scope_name, scope_type?, description?, server_access?, group_mappings?, ui_permissions?, agent_access?, create_in_idp?}, as the setup guide has it and scopes.get answers it',
      ),
    output: changed,
  },
  'scopes.create': {
    method: 'POST',
    path: '/api/servers/groups/create',
    permission: 'administrator',
    summary: 'Create an empty scope, assigned to the group of its name',
    form: true,
    body: z.strictObject({
      group_name: scopeName,
      description: z.string().max(2000).default(''),
      create_in_idp: flag.default(false),
    }),
    output: changed,
  },
  'scopes.delete': {
    method: 'POST',
    path: '/api/servers/groups/delete',
    permission: 'administrator',
    summary: 'Remove a scope and, if asked, its group in the directory',
    form: true,
    body: z.strictObject({
      group_name: z.string().min(1).max(300),
      delete_from_idp: flag.optional(),
      /** The same, by the name that it has where the directory is always a Keycloak. */
      delete_from_keycloak: flag.optional(),
      force: flag.default(false),
    }),
    output: z.object({
      message: z.string(),
      group_name: z.string(),
      deleted: z.literal(true),
      idp_deleted: z.boolean(),
      /** Why the directory's group is still there though its removal was asked for; null otherwise. */
      idp_skip_reason: z.string().nullable(),
    }),
  },
  'scopes.add': {
    method: 'POST',
    path: '/api/servers/groups/add',
    permission: 'administrator',
    summary: 'Let scopes list and use a server with every tool',
    form: true,
    body: serverOfGroups,
    output: serverChanged,
  },
  'scopes.remove': {
    method: 'POST',
    path: '/api/servers/groups/remove',
    permission: 'administrator',
    summary: 'Take everything that scopes say about a server out of them',
    form: true,
    body: serverOfGroups,
    output: serverChanged,
  },
  'scopes.get': {
    method: 'GET',
    path: '/api/servers/groups/{name}',
    permission: 'administrator',
    summary: 'One scope; a slash in its name is sent as %2F',
    params: nameParams,
    output: scope,
  },
} as const satisfies Endpoints;
