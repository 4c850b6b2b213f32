import { withAgentAccess } from './agent-access.ts';
import type { Access } from './caller.ts';
import { type CompiledScope, compileScope } from './compiled-scope.ts';
import { type Holding, hold } from './holding.ts';
import { groupKey } from './names.ts';
import type { Subject } from './scope.ts';
import type { ScopeSet } from './scope-set.ts';

/** All scopes made ready; a new one at each change of the scopes. The two caches are only for this folder. */
export interface Grants {
  /** The scopes of a group, in the order of the scope set. */
  readonly byGroup: ReadonlyMap<string, readonly CompiledScope[]>;
  readonly bySubject: WeakMap<Subject, Holding>;
  /** Holdings by their scope names: people with the same scopes share one. */
  readonly byScopes: Map<string, Holding>;
}

/** How many sets of scopes are kept ready; far more than people's groups make, a bound against the limits of tokens. */
const maxHoldings = 1000;

/** Makes the scopes ready; do it once per change. */
export function compile(set: ScopeSet): Grants {
  const byGroup = new Map<string, CompiledScope[]>();
  for (const scope of set.values()) {
    const compiled = compileScope(withAgentAccess(scope));
    for (const group of new Set(scope.groupMappings.map(groupKey))) {
      const scopes = byGroup.get(group);
      if (scopes) scopes.push(compiled);
      else byGroup.set(group, [compiled]);
    }
  }
  return { byGroup, bySubject: new WeakMap(), byScopes: new Map() };
}

/** What a subject may do: by the scopes of its groups, within its limit. Kept per subject object, which must not change. */
export function accessOf(subject: Subject, grants: Grants): Access {
  return holdingOf(subject, grants).access;
}

/** What a subject holds, made at its first call and kept with it. */
export function holdingOf(subject: Subject, grants: Grants): Holding {
  const known = grants.bySubject.get(subject);
  if (known) return known;
  const scopes = scopesOf(subject, grants);
  // JSON keeps names apart whatever they contain.
  const key = JSON.stringify([Boolean(subject.onlyReading), ...scopes.map(({ name }) => name)]);
  let holding = grants.byScopes.get(key);
  if (!holding) {
    holding = hold(scopes);
    if (grants.byScopes.size >= maxHoldings) grants.byScopes.clear();
    grants.byScopes.set(key, holding);
  }
  grants.bySubject.set(subject, holding);
  return holding;
}

function scopesOf({ groups, limitedTo, clientNames = [] }: Subject, { byGroup }: Grants): CompiledScope[] {
  const held = new Set<CompiledScope>();
  for (const group of groups)
    for (const scope of byGroup.get(groupKey(group)) ?? [])
      if (!scope.clients || clientNames.some((name) => scope.clients?.has(name))) held.add(scope);
  if (!limitedTo) return [...held];
  const limit = new Set(limitedTo);
  return [...held].filter(({ name }) => limit.has(name));
}
