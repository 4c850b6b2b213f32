import { impliedMethods } from './implied-methods.ts';
import { coversAll } from './names.ts';
import type { Decision } from './scope.ts';
import type { ServerRule } from './server-rules.ts';

/** The one method that names a tool. */
export const toolsCall = 'tools/call';

/** A server rule made ready: everything it grants, implied methods included. */
export interface CompiledRule {
  readonly methods: 'all' | ReadonlySet<string>;
  readonly tools: 'all' | ReadonlySet<string>;
}

/** Answers for one server: by method, by tool, and for those not named. Each is of the first scope that allows it. */
export interface RuleTable {
  readonly methods: Answers;
  /** What `tools/call` may name: only tools of rules that also allow the method. */
  readonly tools: Answers;
}

interface Answers {
  readonly named: Map<string, Decision>;
  any: Decision | undefined;
}

/** Makes a rule ready for tables. */
export function compileRule({ methods, tools }: ServerRule): CompiledRule {
  return {
    methods: coversAll(methods)
      ? 'all'
      : new Set(
          methods.flatMap((method) =>
            Object.hasOwn(impliedMethods, method) ? [method, ...(impliedMethods[method] ?? [])] : [method],
          ),
        ),
    tools: coversAll(tools) ? 'all' : new Set(tools),
  };
}

/** A table without answers. */
export function emptyTable(): RuleTable {
  return { methods: { named: new Map(), any: undefined }, tools: { named: new Map(), any: undefined } };
}

/** Adds a rule of the next scope in order; what an earlier scope allows keeps its answer. */
export function addRule(table: RuleTable, rule: CompiledRule, answer: Decision): void {
  addNames(table.methods, rule.methods, answer);
  if (rule.methods === 'all' || rule.methods.has(toolsCall)) addNames(table.tools, rule.tools, answer);
}

function addNames(answers: Answers, names: 'all' | ReadonlySet<string>, answer: Decision): void {
  if (answers.any) return;
  if (names === 'all') answers.any = answer;
  else for (const name of names) if (!answers.named.has(name)) answers.named.set(name, answer);
}
