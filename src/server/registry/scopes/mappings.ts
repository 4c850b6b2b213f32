import type { Scope, ScopeSet } from '../../access/scope-set.ts';

/** Scope names by group. */
export type GroupMappings = Readonly<Record<string, readonly string[]>>;

/** The scopes with further groups mapped to them; `unknown` are the names in `extra` that no scope has. */
export function withMappings(set: ScopeSet, extra: GroupMappings): { scopes: ScopeSet; unknown: string[] } {
  const scopes = new Map<string, Scope>(set);
  const unknown = new Set<string>();
  for (const [group, names] of Object.entries(extra))
    for (const name of names) {
      const scope = scopes.get(name);
      if (!scope) unknown.add(name);
      else if (!scope.groupMappings.includes(group))
        scopes.set(name, { ...scope, groupMappings: [...scope.groupMappings, group] });
    }
  return { scopes, unknown: [...unknown] };
}
