import { compile, type Grants } from '../../access/grants.ts';
import type { ScopeSet } from '../../access/scope-set.ts';
import { type GroupMappings, withMappings } from './mappings.ts';
import type { StoredScopes } from './store.ts';

/**
 * What stored scopes grant, with the groups of the configuration; `unknown` are the scopes that those name in vain. Only
 * the scope file takes a group out of the configuration's hands: a scope made through the API adds to it.
 */
export function compileStored(
  stored: StoredScopes,
  extra: GroupMappings = {},
): { grants: Grants; scopes: ScopeSet; unknown: readonly string[] } {
  const all = [...stored.values()];
  const set: ScopeSet = new Map(all.map(({ scope }) => [scope.name, scope]));
  const written = all.filter(({ source }) => source === 'file').map(({ scope }) => scope);
  const { scopes, unknown } = withMappings(set, extra, written);
  return { grants: compile(scopes), scopes, unknown };
}
