import { factsOf, permissionsOf, type UiPermission, uiPermissions } from '../../contract/permissions.ts';
import type { Decision, Subject } from './call.ts';
import type { Access } from './caller.ts';
import { groupKey, type NameList, resourceName } from './names.ts';
import { type CompiledRule, compileRule, type Granted, type RuleTable, tableOf } from './rule-table.ts';
import type { Scope, ScopeSet } from './scope-set.ts';

/** What seeing an agent is. */
const seeing = permissionsOf('agent').filter((name) => factsOf(name)?.harmless);

/** The scope with its `agentAccess` as the permissions that it amounts to. */
function withAgentAccess(scope: Scope): Scope {
  const { agentAccess = [], uiPermissions } = scope;
  if (agentAccess.length === 0) return scope;
  const more = seeing.map((permission) => [permission, bothOf(uiPermissions[permission] ?? [], agentAccess)]);
  return { ...scope, uiPermissions: { ...uiPermissions, ...Object.fromEntries(more) } };
}

/** The names of two lists. */
function bothOf(one: NameList, other: NameList): NameList {
  return one === 'all' || other === 'all' ? 'all' : [...one, ...other];
}

/** A scope made ready for decisions. */
export interface CompiledScope {
  readonly name: string;
  /** The answer that names this scope; one object for all, so that a decision allocates nothing. */
  readonly allowed: Decision;
  /** Rules by server; those for every server under `*`. */
  readonly rules: ReadonlyMap<string, readonly CompiledRule[]>;
  /** UI permissions, and what agent rules grant besides. */
  readonly permissions: ReadonlyMap<UiPermission, 'all' | ReadonlySet<string>>;
  /** The programs for which it counts; undefined: for any, and without one. */
  readonly clients: ReadonlySet<string> | undefined;
  /** One person holds it, so that it is not the scope of that name which groups hold. */
  readonly isPersonal?: true;
}

/** Makes a scope ready for decisions. */
function compileScope(scope: Scope): CompiledScope {
  const rules = new Map<string, CompiledRule[]>();
  for (const rule of scope.serverRules) {
    const ofServer = rules.get(rule.server);
    if (ofServer) ofServer.push(compileRule(rule));
    else rules.set(rule.server, [compileRule(rule)]);
  }
  const permissions = new Map<UiPermission, 'all' | ReadonlySet<string>>();
  for (const permission of uiPermissions) {
    const names = bothOf(scope.uiPermissions[permission] ?? [], agentsOf(scope, permission));
    if (names === 'all') permissions.set(permission, 'all');
    else if (names.length > 0) permissions.set(permission, new Set(names));
  }
  const allowed = Object.freeze({ allow: true as const, scope: scope.name });
  return { name: scope.name, allowed, rules, permissions, clients: scope.clients && new Set(scope.clients) };
}

/** What agent rules grant: the same as a UI permission of that name would, so that either is enough. */
function agentsOf({ agentRules }: Scope, permission: UiPermission): NameList {
  const lists = agentRules.filter(({ action }) => action === permission).map(({ resources }) => resources);
  return lists.reduce(bothOf, []);
}

/** What somebody with certain scopes holds. */
export interface Holding {
  readonly access: Access;
  /** The answers for a server; undefined when no rule is about it. */
  tableOf(server: string): RuleTable | undefined;
}

/** The scopes that make an administrator; nothing else does, however much it grants. */
export const administratorScopes: readonly string[] = ['registry-admins', 'mcp-registry-admin'];

/** Puts scopes together, in their order. Tables are made at the first call to a server that a rule names, and kept. */
function hold(scopes: readonly CompiledScope[]): Holding {
  const named = new Set(scopes.flatMap(({ rules }) => [...rules.keys()]));
  const everyServer = named.delete('*') ? tableFor(scopes, '*') : undefined;
  const tables = new Map<string, RuleTable>();
  return {
    access: accessBy(scopes, everyServer ? 'all' : named),
    tableOf(server) {
      const known = tables.get(server);
      if (known) return known;
      // Only names from rules are kept, so that made-up names in requests cannot fill the memory.
      if (!named.has(server)) return everyServer;
      const made = tableFor(scopes, server);
      tables.set(server, made);
      return made;
    },
  };
}

function tableFor(scopes: readonly CompiledScope[], server: string): RuleTable {
  const granted: Granted[] = [];
  for (const { rules, allowed } of scopes)
    for (const name of new Set([server, '*']))
      for (const rule of rules.get(name) ?? []) granted.push([rule, allowed]);
  return tableOf(granted);
}

function accessBy(scopes: readonly CompiledScope[], servers: Access['servers']): Access {
  const isAdmin = scopes.some(({ name }) => administratorScopes.includes(name));
  const permissions = isAdmin ? everyPermission() : union(scopes);
  return {
    scopes: scopes.map(({ name }) => name),
    isAdmin,
    permissions,
    servers,
    may(permission, resource) {
      const held = permissions.get(permission);
      if (held === undefined || held === 'all') return held === 'all';
      return resource === undefined ? held.size > 0 : held.has(resourceName(permission, resource));
    },
  };
}

function everyPermission(): Access['permissions'] {
  return new Map(uiPermissions.map((permission) => [permission, 'all']));
}

function union(scopes: readonly CompiledScope[]): Access['permissions'] {
  const permissions = new Map<UiPermission, 'all' | Set<string>>();
  for (const scope of scopes)
    for (const [permission, names] of scope.permissions) {
      const before = permissions.get(permission);
      if (before === 'all' || names === 'all') permissions.set(permission, 'all');
      else permissions.set(permission, new Set(before ? [...before, ...names] : names));
    }
  return permissions;
}

/** All scopes made ready; a new one at each change of the scopes. The two caches are only for this folder. */
export interface Grants {
  /** The scopes of a group, in the order of the scope set. */
  readonly byGroup: ReadonlyMap<string, readonly CompiledScope[]>;
  /** What one person holds and no group: by provider and subject. */
  readonly byPerson: ReadonlyMap<string, readonly CompiledScope[]>;
  readonly bySubject: WeakMap<Subject, Holding>;
  /** Holdings by their scope names: people with the same scopes share one. */
  readonly byScopes: Map<string, Holding>;
}

/** How many sets of scopes are kept ready; far more than people's groups make, a bound against the limits of tokens. */
const maxHoldings = 1000;

/** Every program that a scope names: what somebody may do through one program only, they may do. */
export function clientsIn({ byGroup }: Pick<Grants, 'byGroup'>): readonly string[] {
  return [...new Set([...byGroup.values()].flat().flatMap(({ clients }) => [...(clients ?? [])]))];
}

/** Whether a scope makes whoever holds it an administrator, through whatever program they come. */
export function makesAdministrators({ name, clients }: Pick<CompiledScope, 'name' | 'clients'>): boolean {
  return administratorScopes.includes(name) && clients === undefined;
}

/** A scope that one person holds. */
export interface PersonalScope {
  readonly provider: string;
  readonly subject: string;
  readonly scope: Scope;
}

/** Makes the scopes ready; do it once per change. */
export function compile(set: ScopeSet, personal: readonly PersonalScope[] = []): Grants {
  const byGroup = new Map<string, CompiledScope[]>();
  for (const scope of set.values()) {
    const compiled = compileScope(withAgentAccess(scope));
    for (const group of new Set(scope.groupMappings.map(groupKey))) {
      const scopes = byGroup.get(group);
      if (scopes) scopes.push(compiled);
      else byGroup.set(group, [compiled]);
    }
  }
  const byPerson = new Map<string, CompiledScope[]>();
  for (const { provider, subject, scope } of personal) {
    const key = personKey(provider, subject);
    byPerson.set(key, [...(byPerson.get(key) ?? []), { ...compileScope(scope), isPersonal: true }]);
  }
  return { byGroup, byPerson, bySubject: new WeakMap(), byScopes: new Map() };
}

/** JSON keeps both apart whatever they contain. */
const personKey = (provider: string, subject: string): string => JSON.stringify([provider, subject]);

/** What a subject may do: by the scopes of its groups, within its limit. Kept per subject object, which must not change. */
export function accessOf(subject: Subject, grants: Grants): Access {
  return holdingOf(subject, grants).access;
}

/** What a subject holds, made at its first call and kept with it. */
export function holdingOf(subject: Subject, grants: Grants): Holding {
  const known = grants.bySubject.get(subject);
  if (known) return known;
  const scopes = scopesOf(subject, grants);
  // JSON keeps names apart whatever they contain.
  const key = JSON.stringify([
    Boolean(subject.onlyReading),
    ...scopes.map(({ name, isPersonal }) => (isPersonal ? [name] : name)),
  ]);
  let holding = grants.byScopes.get(key);
  if (!holding) {
    holding = hold(scopes);
    if (grants.byScopes.size >= maxHoldings) grants.byScopes.clear();
    grants.byScopes.set(key, holding);
  }
  grants.bySubject.set(subject, holding);
  return holding;
}

function scopesOf(subject: Subject, { byGroup, byPerson }: Grants): CompiledScope[] {
  const { groups, limitedTo, clientNames = [] } = subject;
  const held = new Set<CompiledScope>();
  for (const group of groups)
    for (const scope of byGroup.get(groupKey(group)) ?? [])
      if (!scope.clients || clientNames.some((name) => scope.clients?.has(name))) held.add(scope);
  if (byPerson.size > 0 && subject.provider !== undefined && subject.subject !== undefined)
    for (const scope of byPerson.get(personKey(subject.provider, subject.subject)) ?? []) held.add(scope);
  if (!limitedTo) return [...held];
  const limit = new Set(limitedTo);
  return [...held].filter(({ name }) => limit.has(name));
}
