import { type UiPermission, uiPermissions } from '../../contract/permissions.ts';
import { bothOf } from './agent-access.ts';
import type { NameList } from './names.ts';
import { type CompiledRule, compileRule } from './rule-table.ts';
import type { Decision } from './scope.ts';
import type { Scope } from './scope-set.ts';

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
}

/** Makes a scope ready for decisions. */
export function compileScope(scope: Scope): CompiledScope {
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
