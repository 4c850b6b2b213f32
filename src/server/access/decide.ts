import { type Grants, holdingOf } from './grants.ts';
import { toolsCall } from './rule-table.ts';
import type { Call, Decision, Subject } from './scope.ts';

const refusals = {
  'no-scopes': Object.freeze({ allow: false, reason: 'no-scopes' }),
  server: Object.freeze({ allow: false, reason: 'server' }),
  method: Object.freeze({ allow: false, reason: 'method' }),
  tool: Object.freeze({ allow: false, reason: 'tool' }),
} as const satisfies Record<string, Decision>;

/**
 * Whether a subject may make a call: when one rule of one of its scopes names the server (or `*`), the method (or `*`,
 * `all`, or a method that implies it) and, for `tools/call`, the tool (or `*`, `all`). An allowing answer names the first
 * such scope. Administrators need a rule as anybody does, and `tools/call` without a tool is refused. Costs a few look-ups
 * whatever the number of scopes, rules and servers, and allocates nothing once the subject is known.
 */
export function decide(subject: Subject, call: Call, grants: Grants): Decision {
  const holding = holdingOf(subject, grants);
  const table = holding.tableOf(call.server);
  if (!table) return holding.access.scopes.length === 0 ? refusals['no-scopes'] : refusals.server;
  const { methods, tools } = table;
  const method = methods.named.get(call.method) ?? methods.any;
  if (!method) return refusals.method;
  if (call.method !== toolsCall) return method;
  if (!call.tool) return refusals.tool;
  return tools.named.get(call.tool) ?? tools.any ?? refusals.tool;
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
