import { factsOf, permissionsOf, type UiPermission } from '../../contract/permissions.ts';
import type { Call } from './call.ts';
import { decide } from './decide.ts';
import { accessOf, compile, type Grants } from './grants.ts';
import { groupKey } from './names.ts';
import type { ServerRule } from './rules.ts';
import type { Scope } from './scope-set.ts';

/** The first rule of a scope that allows a call by itself; undefined when none does. */
export function ruleBehind(scope: Scope, call: Call): ServerRule | undefined {
  const alone = (rule: ServerRule): Scope => ({
    ...scope,
    serverRules: [rule],
    groupMappings: ['holder'],
    clients: undefined,
  });
  return scope.serverRules.find((rule) => {
    const grants = compile(new Map([[scope.name, alone(rule)]]));
    return decide({ groups: ['holder'] }, call, grants).allow;
  });
}

/** Those of the groups that hold a scope. */
export function groupsBehind(groups: readonly string[], scope: string, { byGroup }: Grants): string[] {
  return groups.filter((group) => byGroup.get(groupKey(group))?.some(({ name }) => name === scope));
}

/** What a scope allows on one server. */
export interface Allowance {
  /** The rules for calls that name the server, or every server. */
  readonly rules: readonly ServerRule[];
  /** What its holders may do with the server in the registry. */
  readonly permissions: readonly UiPermission[];
}

/** The permissions that are about a server that is there. */
const aboutServers = permissionsOf('server').filter((name) => !factsOf(name)?.creates);

/** What a scope by itself allows on the server of that name; undefined when that is nothing. */
export function allowanceOn(scope: Scope, server: string): Allowance | undefined {
  const rules = scope.serverRules.filter((rule) => rule.server === server || rule.server === '*');
  // Through one of its programs, where it names any.
  const alone = new Map([[scope.name, { ...scope, groupMappings: ['holder'], clients: undefined }]]);
  const access = accessOf({ groups: ['holder'] }, compile(alone));
  const permissions = aboutServers.filter((permission) => access.may(permission, server));
  return rules.length + permissions.length > 0 ? { rules, permissions } : undefined;
}
