import { z } from 'zod';
import { ApiError } from '../../contract/client.ts';
import { uiPermissions } from '../../contract/permissions.ts';
import { groupDefinition } from '../../contract/scopes.ts';
import { t } from '../words/words.ts';

// The policy of the pages forbids making code from text, which zod would try.
z.config({ jitless: true });

/** A rule for calls to a server, as the form holds it; prompts and resources narrow nothing while they are absent. */
export interface RuleDraft {
  readonly server: string;
  readonly methods: readonly string[];
  readonly tools: readonly string[];
  readonly prompts?: readonly string[];
  readonly resources?: readonly string[];
}

/** An action on agents, or a permission in the registry, and what it holds for. */
export interface GrantDraft {
  readonly name: string;
  readonly on: readonly string[];
}

/** A scope as its form holds it. */
export interface ScopeDraft {
  readonly scope_name: string;
  readonly description: string;
  readonly rules: readonly RuleDraft[];
  readonly actions: readonly GrantDraft[];
  readonly permissions: readonly GrantDraft[];
  readonly agent_access: readonly string[];
  /** The programs for which it counts, by client id or alias; absent for every way to call. */
  readonly clients?: readonly string[] | undefined;
  readonly group_mappings: readonly string[];
  readonly create_in_idp: boolean;
}

/** What is wrong with a scope, by the path of its definition: `server_access.0.methods`. */
export type ScopeFaults = readonly { readonly at: string; readonly message: string }[];

/** The form of a scope that nobody has said anything about. */
export const emptyScope: ScopeDraft = {
  ...{ scope_name: '', description: '', rules: [], actions: [], permissions: [] },
  ...{ agent_access: [], group_mappings: [], create_in_idp: false },
};

/** What a draft says, as the API takes it. Rules for servers come first, so that their places are those in the form. */
export function definitionOfDraft(draft: ScopeDraft): Record<string, z.core.util.JSONType> {
  const { scope_name, description, rules, actions, permissions, create_in_idp } = draft;
  const list = (names: readonly string[]) => [...names];
  const held = new Map<string, string[]>();
  for (const { name, on } of permissions) held.set(name, [...new Set([...(held.get(name) ?? []), ...on])]);
  return {
    scope_name: scope_name.trim(),
    description: description.trim(),
    server_access: [
      ...rules.map(({ server, methods, tools, prompts, resources }) => ({
        ...{ server: server.trim(), methods: list(methods), tools: list(tools) },
        ...(prompts ? { prompts: list(prompts) } : {}),
        ...(resources ? { resources: list(resources) } : {}),
      })),
      ...(actions.length > 0
        ? [{ agents: { actions: actions.map(({ name, on }) => ({ action: name, resources: list(on) })) } }]
        : []),
    ],
    group_mappings: list(draft.group_mappings),
    ui_permissions: Object.fromEntries(held),
    agent_access: list(draft.agent_access),
    ...(draft.clients ? { clients: [...draft.clients] } : {}),
    ...(create_in_idp ? { create_in_idp } : {}),
  };
}

const texts = z.array(z.string());
const serverRule = z.strictObject({
  server: z.string(),
  methods: texts,
  tools: texts.default([]),
  prompts: texts.optional(),
  resources: texts.optional(),
});
const agentRule = z.strictObject({
  agents: z.strictObject({ actions: z.array(z.strictObject({ action: z.string(), resources: texts })) }),
});
const shape = groupDefinition.extend({
  server_access: z.array(z.union([serverRule, agentRule])).default([]),
  group_mappings: texts.optional(),
  ui_permissions: z.partialRecord(z.enum(uiPermissions), texts).default({}),
  agent_access: texts.default([]),
  clients: texts.optional(),
});

/** The form of a definition; throws an Error that says what the form cannot show. */
export function draftOfDefinition(definition: unknown): ScopeDraft {
  const read = shape.safeParse(definition);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new Error(
      t('The form cannot show this: {place} {message}', {
        place: issue?.path.join('.') ?? '',
        message: issue?.message ?? '',
      }),
    );
  }
  const { scope_name, description, server_access, ui_permissions, ...rest } = read.data;
  return {
    ...{ scope_name, description, agent_access: rest.agent_access, create_in_idp: rest.create_in_idp },
    ...(rest.clients ? { clients: rest.clients } : {}),
    rules: server_access.flatMap((one) => ('server' in one ? withoutGaps(one) : [])),
    actions: server_access.flatMap((one) =>
      'agents' in one
        ? one.agents.actions.map(({ action, resources }) => ({ name: action, on: resources }))
        : [],
    ),
    permissions: Object.entries(ui_permissions).map(([name, on]) => ({ name, on: on ?? [] })),
    group_mappings: rest.group_mappings ?? [scope_name],
  };
}

function withoutGaps({ prompts, resources, ...rule }: z.output<typeof serverRule>): RuleDraft {
  return { ...rule, ...(prompts ? { prompts } : {}), ...(resources ? { resources } : {}) };
}

/** Reads the JSON view; throws an Error that says what is wrong with it. */
export function definitionIn(text: string): Record<string, z.core.util.JSONType> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(t('This is not JSON. Remove comments and trailing commas.'));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(t('This is JSON, but not an object.'));
  return value as Record<string, z.core.util.JSONType>;
}

/**
 * What is wrong with a definition: by the schema of the API, by what rules need at least, by names beside one that stands
 * for everything, and by `unknownGroup`, which says what is wrong with a group.
 */
export function faultsOfScope(
  definition: Record<string, unknown>,
  unknownGroup: (group: string) => string | undefined = () => undefined,
): ScopeFaults {
  const read = groupDefinition.safeParse(definition);
  const faults = (read.error?.issues ?? []).map(({ path, message }) => ({
    at: path.join('.'),
    message: path[0] === 'scope_name' && !definition.scope_name ? t('This is needed.') : message,
  }));
  const rules = Array.isArray(definition.server_access) ? definition.server_access : [];
  for (const [index, rule] of rules.entries())
    if (Object(rule).server === '')
      faults.push({ at: `server_access.${index}.server`, message: t('This is needed.') });
  for (const [index, rule] of rules.entries())
    for (const member of ['methods', 'tools'] as const)
      if (saysEverythingAndMore(Object(rule)[member]))
        faults.push({
          at: `server_access.${index}.${member}`,
          message: t("'all' includes every other name: remove 'all' or the names beside it."),
        });
  const groups = Array.isArray(definition.group_mappings) ? definition.group_mappings : [];
  // A group that is created with the scope is not there yet.
  if (definition.create_in_idp !== true)
    for (const group of groups) {
      const message = typeof group === 'string' ? unknownGroup(group) : undefined;
      if (message !== undefined) faults.push({ at: 'group_mappings', message });
    }
  return faults;
}

function saysEverythingAndMore(names: unknown): boolean {
  return Array.isArray(names) && names.length > 1 && (names.includes('all') || names.includes('*'));
}

/** The faults that the API told, by the path of the definition, whichever endpoint was asked. */
export function faultsTold(error: unknown): ScopeFaults {
  const told = error instanceof ApiError ? (error.problem.errors ?? []) : [];
  return told.map(({ at, message }) => ({
    at: at.replace(/^body\.(definition\.|scope_config\.)?/, '').replace(/^name$/, 'scope_name'),
    message,
  }));
}

/** What is wrong at a place or below it, in one text. */
export function faultAt(faults: ScopeFaults, place: string): string | undefined {
  const found = faults.filter(({ at }) => at === place || at.startsWith(`${place}.`));
  return found.length === 0 ? undefined : [...new Set(found.map(({ message }) => message))].join('; ');
}

/** Names that no row has yet. */
export function choicesLeft(choices: readonly string[], grants: readonly GrantDraft[]): string[] {
  return choices.filter((choice) => !grants.some(({ name }) => name === choice));
}
