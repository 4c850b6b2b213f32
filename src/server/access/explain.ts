import { decide } from './decide.ts';
import { compile, type Grants } from './grants.ts';
import { groupKey } from './names.ts';
import type { Call } from './scope.ts';
import type { Scope } from './scope-set.ts';
import type { ServerRule } from './server-rules.ts';

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
