import { groupKey } from '../../access/names.ts';
import type { Scope, ScopeSet } from '../../access/scope-set.ts';

/** Scope names by group. */
export type GroupMappings = Readonly<Record<string, readonly string[]>>;

/**
 * The scopes with further groups mapped to them; `unknown` are the names in `extra` that no scope has. A group that the
 * scopes map themselves keeps just that: what an operator wrote for it is never widened. `canonical` makes one name of a
 * group's several.
 */
export function withMappings(
  stored: ScopeSet,
  more: GroupMappings,
  canonical: (group: string) => string = (group) => group,
): { scopes: ScopeSet; unknown: string[] } {
  const set = new Map(
    [...stored].map(([name, scope]): [string, Scope] => [
      name,
      { ...scope, groupMappings: scope.groupMappings.map(canonical) },
    ]),
  );
  const extra = Object.entries(more).map(([group, names]) => [canonical(group), names] as const);
  const scopes = new Map<string, Scope>(set);
  const unknown = new Set<string>();
  const mapped = new Set([...set.values()].flatMap(({ groupMappings }) => groupMappings.map(groupKey)));
  for (const [group, names] of extra.filter(([name]) => !mapped.has(groupKey(name))))
    for (const name of names) {
      const scope = scopes.get(name);
      if (!scope) unknown.add(name);
      else scopes.set(name, { ...scope, groupMappings: [...scope.groupMappings, group] });
    }
  return { scopes, unknown: [...unknown] };
}
