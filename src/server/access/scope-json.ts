import { isObject } from '../../contract/values/json.ts';
import { looksLikeEvery } from '../../contract/values/names.ts';
import { groupKey, namesShown } from './names.ts';
import type { FileReader } from './reader.ts';
import { readAgentAccess, readRules, readUiPermissions, type ServerRule } from './rules.ts';
import { readClients, type Scope } from './scope-set.ts';

/** A value of a JSON document, and its path (`server_access.0.tools`). */
export interface JsonPlace {
  readonly value: unknown;
  readonly at: string;
}

/** A fault of a JSON document: the path of the value, and what is wrong with it. */
export interface JsonFault {
  readonly at: string;
  readonly message: string;
}

/** Looks at parsed JSON; faults are added to `faults`. */
function jsonReader(faults: JsonFault[]): FileReader<JsonPlace> {
  const fault = ({ at }: JsonPlace, message: string): void => void faults.push({ at, message });
  const peek = ({ value }: JsonPlace): string | undefined => (typeof value === 'string' ? value : undefined);
  return {
    fault,
    peek,
    has: ({ value }, key) => isObject(value) && Object.hasOwn(value, key),
    entries(place, what) {
      const { value, at } = place;
      if (!isObject(value)) {
        fault(place, `${what} must be an object, not ${kindOf(value)}`);
        return undefined;
      }
      return Object.entries(value).map(([key, member]) => {
        const here = { value: member, at: `${at}.${key}` };
        return { key, at: here, value: here };
      });
    },
    items(place, what) {
      const { value, at } = place;
      if (Array.isArray(value))
        return value.map((item: unknown, index) => ({ value: item, at: `${at}.${index}` }));
      fault(place, `${what} must be a list, not ${kindOf(value)}`);
      return [];
    },
    text(place, what) {
      const text = peek(place);
      if (text === undefined) fault(place, `${what} must be a text, not ${kindOf(place.value)}`);
      else if (text.trim() === '') fault(place, `${what} is empty`);
      else return text;
      return undefined;
    },
  };
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string'
    ? `the text '${value.slice(0, 100)}'`
    : `the ${typeof value} ${String(value)}`;
}

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

function readMappings(reader: FileReader<JsonPlace>, place: JsonPlace): string[] {
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
