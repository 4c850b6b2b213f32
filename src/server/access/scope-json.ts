import { looksLikeEvery } from '../../contract/values/names.ts';
import { readAgentAccess } from './agent-rules.ts';
import { type JsonFault, type JsonPlace, jsonReader } from './json-reader.ts';
import { groupKey, namesShown } from './names.ts';
import type { Reader } from './reader.ts';
import { readClients, type Scope } from './scope-set.ts';
import { readRules, type ServerRule } from './server-rules.ts';
import { readUiPermissions } from './ui-permissions.ts';

/** The parts of a scope as JSON says them; what is left out is empty. */
export interface ScopeJson {
  readonly server_access?: unknown;
  readonly ui_permissions?: unknown;
  readonly agent_access?: unknown;
  readonly group_mappings?: unknown;
  readonly clients?: unknown;
}

/**
 * The scope that JSON describes, held to the same rules as the scope file. All faults are answered with their paths below
 * `at`; with a fault the scope is not to be used. Without `group_mappings` the group of the scope's own name holds it.
 */
export function readScopeJson(
  { name, description }: { readonly name: string; readonly description: string },
  json: ScopeJson,
  at: string,
): { scope: Scope; faults: JsonFault[] } {
  const faults: JsonFault[] = [];
  const reader = jsonReader(faults);
  const place = (member: keyof ScopeJson, otherwise: unknown): JsonPlace => ({
    value: json[member] ?? otherwise,
    at: `${at}.${member}`,
  });
  const { serverRules, agentRules } = readRules(reader, place('server_access', []), name);
  const scope: Scope = {
    ...{ name, description, serverRules, agentRules },
    agentAccess: readAgentAccess(reader, place('agent_access', [])),
    uiPermissions: readUiPermissions(reader, place('ui_permissions', {}), name),
    groupMappings: readMappings(reader, place('group_mappings', [name])),
    ...(json.clients === undefined
      ? {}
      : { clients: readClients(reader, place('clients', undefined), 'clients') }),
  };
  return { scope, faults };
}

function readMappings(reader: Reader<JsonPlace>, place: JsonPlace): string[] {
  const groups = new Map<string, string>();
  for (const item of reader.items(place, 'group_mappings')) {
    const group = reader.text(item, 'an entry of group_mappings');
    if (group === undefined) continue;
    if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(group) || group.length > 300)
      reader.fault(item, 'a group has no control characters and 300 characters at most');
    else if (looksLikeEvery(group) && !group.toLowerCase().includes('all'))
      reader.fault(item, `'${group}' is not a group; write each group by its name or id`);
    else if (!groups.has(groupKey(group))) groups.set(groupKey(group), group);
  }
  return [...groups.values()];
}

/** A server rule as JSON says it. */
export function ruleShown({ server, methods, tools, prompts, resources }: ServerRule) {
  return {
    ...{ server, methods: namesShown(methods), tools: namesShown(tools) },
    ...(prompts ? { prompts: namesShown(prompts) } : {}),
    ...(resources ? { resources: namesShown(resources) } : {}),
  };
}

/** A scope's parts as JSON: reading them gives the same scope. */
export function scopeJsonOf(scope: Scope) {
  const actions = scope.agentRules.map(({ action, resources }) => ({
    action,
    resources: namesShown(resources),
  }));
  return {
    server_access: [
      ...scope.serverRules.map((rule) => ruleShown(rule)),
      ...(actions.length > 0 ? [{ agents: { actions } }] : []),
    ],
    group_mappings: [...scope.groupMappings],
    ui_permissions: Object.fromEntries(
      Object.entries(scope.uiPermissions).map(([permission, names]) => [permission, namesShown(names ?? [])]),
    ),
    agent_access: namesShown(scope.agentAccess ?? []),
    ...(scope.clients ? { clients: [...scope.clients] } : {}),
  };
}
