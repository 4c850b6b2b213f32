import type { Call, Decision, RefusalReason, Subject } from './call.ts';
import { type Grants, holdingOf } from './grants.ts';
import { itemAnswer, toolsCall } from './rule-table.ts';

const refusals = {
  'no-scopes': Object.freeze({ allow: false, reason: 'no-scopes' }),
  server: Object.freeze({ allow: false, reason: 'server' }),
  method: Object.freeze({ allow: false, reason: 'method' }),
  tool: Object.freeze({ allow: false, reason: 'tool' }),
  prompt: Object.freeze({ allow: false, reason: 'prompt' }),
  resource: Object.freeze({ allow: false, reason: 'resource' }),
  'client-scope': Object.freeze({ allow: false, reason: 'client-scope' }),
} as const satisfies Record<RefusalReason, Decision>;

/**
 * Whether a subject may make a call: when one rule of one of its scopes names the server (or `*`), the method (or `*`,
 * `all`, or a method that implies it) and, for `tools/call`, the tool (or `*`, `all`); where the rule lists prompts or
 * resources, also those that the call is about. An allowing answer names the first such scope. A program that was allowed only tools that read is
 * held to that. Administrators need a rule as anybody does, and `tools/call` without a tool is refused. Costs a few look-ups
 * whatever the number of scopes, rules and servers, and allocates nothing once the subject is known.
 */
export function decide(subject: Subject, call: Call, grants: Grants): Decision {
  const holding = holdingOf(subject, grants);
  const table = holding.tableOf(call.server);
  if (!table) return holding.access.scopes.length === 0 ? refusals['no-scopes'] : refusals.server;
  const { methods, tools } = table;
  const method = methods.named.get(call.method) ?? methods.any;
  if (!method) return refusals.method;
  if (call.method === toolsCall) {
    if (!call.tool) return refusals.tool;
    const decision = tools.named.get(call.tool) ?? tools.any ?? refusals.tool;
    // Only once the person may: what the program lacks is nothing to somebody who could not give it.
    if (decision.allow && subject.onlyReading && !subject.onlyReading(call.server, call.tool))
      return refusals['client-scope'];
    return decision;
  }
  const answer = table.items ? itemAnswer(table.items, call, method) : method;
  return typeof answer === 'string' ? refusals[answer] : answer;
}

/** Those of a server's tools that the subject may call, in their order: what lists may show, since the same decision serves both. */
export function callableTools<T extends { readonly name: string }>(
  subject: Subject,
  server: string,
  tools: readonly T[],
  grants: Grants,
): T[] {
  return tools.filter(({ name }) => decide(subject, { server, method: toolsCall, tool: name }, grants).allow);
}
