import { factsOf, permissionsOf } from '../../contract/permissions.ts';
import type { NameList } from './names.ts';
import type { Scope } from './scope-set.ts';

/** What seeing an agent is. */
const seeing = permissionsOf('agent').filter((name) => factsOf(name)?.harmless);

/** The scope with its `agentAccess` as the permissions that it amounts to. */
export function withAgentAccess(scope: Scope): Scope {
  const { agentAccess = [], uiPermissions } = scope;
  if (agentAccess.length === 0) return scope;
  const more = seeing.map((permission) => [permission, bothOf(uiPermissions[permission] ?? [], agentAccess)]);
  return { ...scope, uiPermissions: { ...uiPermissions, ...Object.fromEntries(more) } };
}

/** The names of two lists. */
export function bothOf(one: NameList, other: NameList): NameList {
  return one === 'all' || other === 'all' ? 'all' : [...one, ...other];
}
