import { type UiPermission, uiPermissions } from '../../contract/permissions.ts';
import type { Access } from './caller.ts';
import type { CompiledScope } from './compiled-scope.ts';
import { resourceName } from './names.ts';
import { type Granted, type RuleTable, tableOf } from './rule-table.ts';

/** What somebody with certain scopes holds. */
export interface Holding {
  readonly access: Access;
  /** The answers for a server; undefined when no rule is about it. */
  tableOf(server: string): RuleTable | undefined;
}

/** The scopes that make an administrator; nothing else does, however much it grants. */
export const administratorScopes: readonly string[] = ['registry-admins', 'mcp-registry-admin'];

/** Puts scopes together, in their order. Tables are made at the first call to a server that a rule names, and kept. */
export function hold(scopes: readonly CompiledScope[]): Holding {
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
