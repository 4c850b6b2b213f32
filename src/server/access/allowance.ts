import { factsOf, permissionsOf, type UiPermission } from '../../contract/permissions.ts';
import { accessOf, compile } from './grants.ts';
import type { Scope } from './scope-set.ts';
import type { ServerRule } from './server-rules.ts';

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
  const alone = new Map([[scope.name, { ...scope, groupMappings: ['holder'] }]]);
  const access = accessOf({ groups: ['holder'] }, compile(alone));
  const permissions = aboutServers.filter((permission) => access.may(permission, server));
  return rules.length + permissions.length > 0 ? { rules, permissions } : undefined;
}
