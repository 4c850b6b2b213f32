import type { Grants } from './grants.ts';
import { groupKey } from './names.ts';
import { compileRule, toolsCall } from './rule-table.ts';
import type { Call } from './scope.ts';
import type { Scope } from './scope-set.ts';
import type { ServerRule } from './server-rules.ts';

/** The first rule of a scope that allows a call by itself; undefined when none does. */
export function ruleBehind({ serverRules }: Scope, call: Call): ServerRule | undefined {
  return serverRules.find((rule) => {
    if (rule.server !== call.server && rule.server !== '*') return false;
    const { methods, tools } = compileRule(rule);
    if (methods !== 'all' && !methods.has(call.method)) return false;
    return call.method !== toolsCall || tools === 'all' || tools.has(call.tool ?? '');
  });
}

/** Those of the groups that hold a scope. */
export function groupsBehind(groups: readonly string[], scope: string, { byGroup }: Grants): string[] {
  return groups.filter((group) => byGroup.get(groupKey(group))?.some(({ name }) => name === scope));
}
