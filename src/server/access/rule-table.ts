import { type Answers, addNames, type Names, noAnswers } from './answers.ts';
import { impliedMethods } from './implied-methods.ts';
import { addItems, emptyItemTable, type ItemRule, type ItemTable, tellsItemsApart } from './item-table.ts';
import { compileResources } from './resource-names.ts';
import type { Decision } from './scope.ts';
import type { ServerRule } from './server-rules.ts';

/** The one method that names a tool. */
export const toolsCall = 'tools/call';

/** A server rule made ready: everything it grants, implied methods included. */
export interface CompiledRule extends ItemRule {
  readonly tools: Names;
}

/** Answers for one server: by method, by tool, and for those not named. Each is of the first scope that allows it. */
export interface RuleTable {
  readonly methods: Answers;
  /** What `tools/call` may name: only tools of rules that also allow the method. */
  readonly tools: Answers;
  /** What other methods may name; absent where no rule tells one prompt or resource from another. */
  readonly items: ItemTable | undefined;
}

/** Makes a rule ready for tables. */
export function compileRule({ methods, tools, prompts, resources }: ServerRule): CompiledRule {
  return {
    methods:
      methods === 'all'
        ? 'all'
        : new Set(
            methods.flatMap((method) =>
              Object.hasOwn(impliedMethods, method) ? [method, ...(impliedMethods[method] ?? [])] : [method],
            ),
          ),
    tools: tools === 'all' ? 'all' : new Set(tools),
    prompts: !prompts || prompts === 'all' ? 'all' : new Set(prompts),
    resources: compileResources(resources),
  };
}

/** A rule, and the answer that names its scope. */
export type Granted = readonly [rule: CompiledRule, answer: Decision];

/** Makes the table of rules about one server, given in the order of their scopes. */
export function tableOf(rules: readonly Granted[]): RuleTable {
  const items = rules.some(([rule]) => tellsItemsApart(rule)) ? emptyItemTable() : undefined;
  const table: RuleTable = { methods: noAnswers(), tools: noAnswers(), items };
  for (const [rule, answer] of rules) {
    addNames(table.methods, rule.methods, answer);
    if (rule.methods === 'all' || rule.methods.has(toolsCall)) addNames(table.tools, rule.tools, answer);
    if (items) addItems(items, rule, answer);
  }
  return table;
}
