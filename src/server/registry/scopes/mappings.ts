import { groupKey } from '../../access/names.ts';
import type { Scope, ScopeSet } from '../../access/scope-set.ts';

/** Scope names by group. */
export type GroupMappings = Readonly<Record<string, readonly string[]>>;

/**
 * The scopes with further groups mapped to them; `unknown` are the names in `extra` that no scope has. A group that
 * `written` maps keeps just that: what an operator wrote for it is never widened.
 */
export function withMappings(
  set: ScopeSet,
  extra: GroupMappings,
  written: Iterable<Scope> = set.values(),
): { scopes: ScopeSet; unknown: string[] } {
  const scopes = new Map<string, Scope>(set);
  const unknown = new Set<string>();
  const mapped = new Set([...written].flatMap(({ groupMappings }) => groupMappings.map(groupKey)));
  for (const [group, names] of Object.entries(extra).filter(([name]) => !mapped.has(groupKey(name))))
    for (const name of names) {
      const scope = scopes.get(name);
      if (!scope) unknown.add(name);
      else scopes.set(name, { ...scope, groupMappings: [...scope.groupMappings, group] });
    }
  return { scopes, unknown: [...unknown] };
}
