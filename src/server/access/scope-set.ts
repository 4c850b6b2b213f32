import type { UiPermission } from '../../contract/permissions.ts';
import { looksLikeEvery } from '../../contract/values/names.ts';
import type { NameList } from './names.ts';
import type { FileReader } from './reader.ts';
import { type AgentRule, type Rules, readRules, readUiPermissions, type ServerRule } from './rules.ts';
import { readYaml, type YamlPlace, type YamlReader } from './yaml-reader.ts';

/** A named set of grants, and the groups whose members hold it. It may have UI permissions, server rules or both. */
export interface Scope {
  readonly name: string;
  readonly description?: string | undefined;
  readonly serverRules: readonly ServerRule[];
  readonly agentRules: readonly AgentRule[];
  /** Agents that the scope may see besides, or `all`; only in scopes made through the API. */
  readonly agentAccess?: NameList | undefined;
  readonly uiPermissions: Readonly<Partial<Record<UiPermission, NameList>>>;
  /** Groups as the identity provider names them; for Entra, Object IDs. */
  readonly groupMappings: readonly string[];
  /** Counts only for these programs (OAuth client ids and aliases); absent: for any, and without one. */
  readonly clients?: readonly string[] | undefined;
}

/** Scopes by name, in the order in which their source first names them. */
export type ScopeSet = ReadonlyMap<string, Scope>;

const uiSection = 'UI-Scopes';
const groupSection = 'group_mappings';
const clientSection = 'scope_clients';

/**
 * Reads a scope file: `UI-Scopes` (scope: permission: resources), `group_mappings` (group: scopes), `scope_clients` (scope:
 * programs for which it counts), and every other key a
 * scope with a list of server and agent rules. A group may also be given a scope of `builtIn`, which is then in the set.
 * Throws nothing but a ScopesFault, which tells all faults with line and column.
 */
export function parseScopes(text: string, file: string, builtIn: ScopeSet = new Map()): ScopeSet {
  const reader = readYaml(text, file);
  const sections = reader.entries(reader.root, 'the file') ?? [];
  const drafts = new Map<string, Draft>();
  for (const { key, at, value } of sections) {
    if (key === groupSection || key === clientSection) continue;
    if (key === uiSection) readUiSection(reader, value, drafts);
    else {
      noteOddName(reader, at, key);
      draftOf(drafts, key).rules = readRules(reader, value, key);
    }
  }
  for (const { key, value } of sections) {
    if (key === groupSection) readGroups(reader, value, drafts, builtIn);
    if (key === clientSection) readClientSection(reader, value, drafts);
  }
  reader.finish();
  if (drafts.size === 0) reader.fault(reader.root, 'the file defines no scope, so no one could do anything');
  reader.finish();
  return new Map([...drafts].map(([name, draft]) => [name, scopeOf(name, draft)]));
}

interface Draft {
  uiPermissions: Scope['uiPermissions'];
  rules: Rules;
  readonly groups: string[];
  clients?: readonly string[];
}

function draftOf(drafts: Map<string, Draft>, name: string): Draft {
  const known = drafts.get(name);
  if (known) return known;
  const made: Draft = { uiPermissions: {}, rules: { serverRules: [], agentRules: [] }, groups: [] };
  drafts.set(name, made);
  return made;
}

function scopeOf(name: string, { uiPermissions, rules, groups, clients }: Draft): Scope {
  return { name, ...rules, uiPermissions, groupMappings: groups, ...(clients ? { clients } : {}) };
}

function readClientSection(reader: YamlReader, section: YamlPlace, drafts: ReadonlyMap<string, Draft>): void {
  for (const { key, at, value } of reader.entries(section, clientSection) ?? []) {
    const draft = drafts.get(key);
    if (draft) draft.clients = readClients(reader, value, `the clients of scope '${key}'`);
    else reader.fault(at, `${clientSection} names the scope '${key}', which is not in this file`);
  }
}

/** The programs for which a scope counts; none would be nobody, which is surely not meant. */
export function readClients<P>(reader: FileReader<P>, place: P, what: string): readonly string[] {
  const items = reader.items(place, what);
  if (items.length === 0)
    reader.fault(place, `${what} must name at least one client; leave it out for no condition`);
  return items.flatMap((item) => reader.text(item, `an entry of ${what}`) ?? []);
}

function readUiSection(reader: YamlReader, section: YamlPlace, drafts: Map<string, Draft>): void {
  for (const { key, at, value } of reader.entries(section, uiSection) ?? []) {
    noteOddName(reader, at, key);
    draftOf(drafts, key).uiPermissions = readUiPermissions(reader, value, key);
  }
}

/** No scope and no group is called like the wildcard, since nobody could say which of both is meant. */
function noteOddName(reader: YamlReader, at: YamlPlace, name: string): void {
  if (looksLikeEvery(name))
    reader.fault(at, `'${name}' is no name for a scope, since it reads like every one`);
}

/** The draft of a scope that the file defines, or of a built-in one that it names. */
function namedDraft(drafts: Map<string, Draft>, builtIn: ScopeSet, name: string): Draft | undefined {
  const scope = drafts.has(name) ? undefined : builtIn.get(name);
  if (scope) {
    const { uiPermissions, serverRules, agentRules } = scope;
    drafts.set(name, { uiPermissions, rules: { serverRules, agentRules }, groups: [] });
  }
  return drafts.get(name);
}

function readGroups(
  reader: YamlReader,
  section: YamlPlace,
  drafts: Map<string, Draft>,
  builtIn: ScopeSet,
): void {
  for (const { key: group, at, value } of reader.entries(section, groupSection) ?? []) {
    if (looksLikeEvery(group) && !group.toLowerCase().includes('all'))
      reader.fault(at, `'${group}' is not a group; write each group by its name or id`);
    const given = new Set<Draft>();
    for (const item of reader.items(value, `the scopes of group '${group}'`)) {
      const name = reader.text(item, `a scope of group '${group}'`);
      const draft = name && namedDraft(drafts, builtIn, name);
      if (draft) given.add(draft);
      else if (name)
        reader.fault(
          item,
          `group '${group}' has the scope '${name}', which is neither in this file nor built in`,
        );
    }
    for (const draft of given) draft.groups.push(group);
  }
}
