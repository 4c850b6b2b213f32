import type { Call, Decision } from '../access/call.ts';
import type { Access } from '../access/caller.ts';
import type { Identity } from '../identity/identity.ts';
import type { Resolved, VirtualItem, VirtualKind } from '../registry/virtual-servers/resolve.ts';
import { type DecideCall, innerCall, missingScope } from '../registry/virtual-servers/shown.ts';
import type { VirtualTable } from '../registry/virtual-servers/table.ts';

/** What a call at a virtual server is about. */
export interface Located {
  readonly kind: VirtualKind;
  /** As listed; for a resource that is not in a list, made from what stands for it. */
  readonly item: VirtualItem;
}

/** What stands behind the tool, prompt or resource that a call names; undefined when the virtual server has no such. */
export function locate(
  resolved: Resolved,
  call: Pick<Call, 'tool' | 'prompt' | 'resource'>,
): Located | undefined {
  const { tool, prompt, resource } = call;
  const { tools, prompts } = resolved.items;
  const found = (kind: VirtualKind, item: VirtualItem | undefined): Located | undefined =>
    item && { kind, item };
  if (tool !== undefined) return found('tools', tools.byName.get(tool));
  if (prompt !== undefined) return found('prompts', prompts.byName.get(prompt));
  return resource === undefined ? undefined : ofResource(resolved, resource);
}

interface Pattern {
  readonly item: VirtualItem;
  /** What each URI of it begins with. */
  readonly literal: string;
  /** How many steps it takes for each character of a URI. */
  readonly steps: number;
  readonly fits: (uri: string) => boolean;
}

const patterns = new WeakMap<Resolved, readonly Pattern[]>();

/**
 * Whose a resource is: of who lists it; of whose template makes it, the one that says most of its beginning; else of who alone
 * has resources of that beginning (scheme and authority), because tools give out addresses that no list has. A template that
 * fits everything takes nothing of another member's beginning.
 */
function ofResource(resolved: Resolved, uri: string): Located | undefined {
  const { resources, resourceTemplates } = resolved.items;
  const listed = resources.byName.get(uri) ?? resourceTemplates.byName.get(uri);
  if (listed) return { kind: 'resources', item: listed };
  const as = (item: VirtualItem): Located => ({
    kind: 'resources',
    item: { ...item, name: uri, original: uri, text: '' },
  });
  let made = patterns.get(resolved);
  if (!made) {
    made = resourceTemplates.list
      .map((item) => ({ item, ...patternOf(item.name) }))
      // Of those that say as much, the first one in order.
      .sort((a, b) => b.literal.length - a.literal.length);
    patterns.set(resolved, made);
  }
  const template = fittingOf(made, uri);
  const beginning = beginningOf(uri);
  if (template && beginningOf(template.name) === beginning) return as(template);
  const alike = [...resources.list, ...resourceTemplates.list].filter(
    ({ name }) => beginningOf(name) === beginning,
  );
  const [first] = alike;
  if (first) return alike.every(({ server }) => server === first.server) ? as(first) : undefined;
  return template && as(template);
}

/** Steps that one URI is compared for with templates: whoever asks chooses the one, and servers the others. */
const mostSteps = 50_000;

function fittingOf(made: readonly Pattern[], uri: string): VirtualItem | undefined {
  let left = mostSteps;
  for (const { item, literal, steps, fits } of made) {
    if (!uri.startsWith(literal)) continue;
    left -= steps * uri.length;
    if (left < 0) return undefined;
    if (fits(uri)) return item;
  }
  return undefined;
}

function beginningOf(uri: string): string {
  return /^[a-z][a-z0-9+.-]*:(?:\/\/[^/?#]*)?/i.exec(uri)?.[0].toLowerCase() ?? '';
}

/**
 * Whether a URI is made by a template (RFC 6570): an expression stands for anything but a slash, `{+x}` for anything. Servers
 * choose their templates, so no expression is tried twice at one place: the time is at most that of template times URI.
 */
function patternOf(template: string): Omit<Pattern, 'item'> {
  const parts = template.split(/(\{[^{}]*\})/).filter((part) => part !== '');
  const [first = ''] = parts;
  const fits = (uri: string): boolean => {
    let ends = [0];
    for (const part of parts) {
      if (ends.length === 0) return false;
      ends = isExpression(part)
        ? endsOf(part, uri, ends)
        : ends.filter((at) => uri.startsWith(part, at)).map((at) => at + part.length);
    }
    return ends.at(-1) === uri.length;
  };
  return { literal: isExpression(first) ? '' : first, steps: parts.length, fits };
}

function isExpression(part: string): boolean {
  return part.startsWith('{') && part.endsWith('}');
}

/** Where an expression may end that begins at one of these places, in order. */
function endsOf(expression: string, uri: string, starts: readonly number[]): number[] {
  const anything = /^\{[+#?&]/.test(expression);
  const isQuery = /^\{[?&]/.test(expression);
  const ends: number[] = [];
  let [next, open] = [0, false];
  for (let at = starts[0] ?? uri.length; at <= uri.length; at++) {
    if (open) ends.push(at);
    if (starts[next] === at) {
      next += 1;
      if (isQuery && !open) ends.push(at);
      open = open || !isQuery || uri[at] === '?' || uri[at] === '&';
    }
    if (!anything && uri[at] === '/') open = false;
  }
  return ends;
}

const own: Decision = Object.freeze({ allow: true, scope: 'own virtual server' });
const refusedServer: Decision = Object.freeze({ allow: false, reason: 'server' });
const refusedTool: Decision = Object.freeze({ allow: false, reason: 'tool' });

/**
 * `decide` for virtual servers too: a call there is decided for the virtual server and the name that it has there, for the
 * scopes that it asks for, and then for the real server and the real name, which is what the decision names. A personal
 * one is its owner's without a rule.
 */
export function decideThrough(
  table: Pick<VirtualTable, 'find'>,
  decide: DecideCall,
  accessOf: (identity: Identity) => Access,
): DecideCall {
  return (identity, call) => {
    if (!call.server.startsWith('virtual/')) return decide(identity, call);
    const virtual = table.find(call.server, identity);
    if (call.server.startsWith('virtual/me/') && !virtual) return refusedServer;
    const outer = virtual?.isPersonal ? own : decide(identity, call);
    if (!outer.allow || !virtual) return outer;
    const { required_scopes } = virtual.row.definition;
    if (required_scopes.length > 0 && missingScope(accessOf(identity), required_scopes) !== undefined)
      return refusedServer;
    const located = locate(virtual.resolved, call);
    if (!located) return outer;
    const { kind, item } = located;
    if (item.scopes.length > 0 && missingScope(accessOf(identity), item.scopes) !== undefined)
      return refusedTool;
    const inner = innerCall(kind, item);
    // Completion, subscription and the like are decided as themselves at the real server.
    return decide(identity, call.tool === undefined ? { ...inner, method: call.method } : inner);
  };
}
