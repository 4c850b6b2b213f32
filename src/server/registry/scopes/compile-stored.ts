import { compile, type Grants, type PersonalScope } from '../../access/grants.ts';
import type { Scope, ScopeSet } from '../../access/scope-set.ts';
import { type GroupMappings, withMappings } from './mappings.ts';
import type { StoredScopes } from './store.ts';

/**
 * What stored scopes grant, with the groups of the configuration; `unknown` are the scopes that those name in vain. Only
 * the scope file takes a group out of the configuration's hands: a scope made through the API adds to it. `canonical`
 * makes one name of a group's several. `personal` is what single people hold besides.
 */
export function compileStored(
  stored: StoredScopes,
  extra: GroupMappings = {},
  canonical: (group: string) => string = (group) => group,
  personal: readonly PersonalScope[] = [],
): { grants: Grants; scopes: ScopeSet; unknown: readonly string[] } {
  const all = [...stored.values()].map(({ scope, source }): { scope: Scope; source: string } => ({
    source,
    scope: { ...scope, groupMappings: scope.groupMappings.map(canonical) },
  }));
  const set: ScopeSet = new Map(all.map(({ scope }) => [scope.name, scope]));
  const written = all.filter(({ source }) => source === 'file').map(({ scope }) => scope);
  const more = Object.fromEntries(Object.entries(extra).map(([group, names]) => [canonical(group), names]));
  const { scopes, unknown } = withMappings(set, more, written);
  return { grants: compile(scopes, personal), scopes, unknown };
}
