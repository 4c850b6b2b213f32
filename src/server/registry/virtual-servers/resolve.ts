import { createHash } from 'node:crypto';
import { nameOfPath, type Tool } from '../../../contract/servers/servers.ts';
import {
  safeName,
  type VirtualMember,
  type VirtualServerDefinition,
} from '../../../contract/servers/virtual-servers.ts';
import type { FindRoute, Route } from '../servers/route.ts';

/** The lists that a virtual server has, by the member of a result that holds them (MCP). */
export type VirtualKind = 'tools' | 'prompts' | 'resources' | 'resourceTemplates';

/** A tool, prompt, resource or template as clients of a virtual server see it, and what stands behind it. */
export interface VirtualItem {
  /** The name or address that clients use. */
  readonly name: string;
  /** The same at its server. */
  readonly original: string;
  /** The server's name in scopes. */
  readonly server: string;
  /** As it stands in a list: JSON. */
  readonly text: string;
  /** Scopes that the caller must have, all of them. */
  readonly scopes: readonly string[];
  /** Why it is not there now; null when it is. */
  readonly gone: string | null;
  /** It is gone because it was made for another version of its server: then it is not called either. */
  readonly blocked: boolean;
}

/** Items of one kind in the order of the virtual server. */
export interface Items {
  readonly list: readonly VirtualItem[];
  readonly byName: ReadonlyMap<string, VirtualItem>;
}

/** What stands in the way of another, or of clients. */
interface Conflict {
  /** A sentence that names it, with the remedy. */
  readonly text: string;
  /** What it names: who may use less is not told. */
  readonly about: readonly (Pick<VirtualItem, 'server' | 'original'> & { readonly kind: VirtualKind })[];
}

/** A virtual server with everything that its members have now. */
export interface Resolved {
  readonly items: Readonly<Record<VirtualKind, Items>>;
  /** Its servers, by name, in order. */
  readonly servers: readonly string[];
  /** Servers that are not there now, and why. */
  readonly unavailable: readonly { readonly server: string; readonly reason: string }[];
  /** Names and addresses that several members have. */
  readonly conflicts: readonly Conflict[];
  /** Capabilities that some member has, by name. */
  readonly capabilities: Readonly<Record<string, unknown>>;
}

const kinds: readonly VirtualKind[] = ['tools', 'prompts', 'resources', 'resourceTemplates'];
/** The member that names an item, by kind. */
const namedBy = {
  ...{ tools: 'name', prompts: 'name', resources: 'uri', resourceTemplates: 'uriTemplate' },
} as const satisfies Record<VirtualKind, string>;

interface Draft {
  readonly lists: Record<VirtualKind, VirtualItem[]>;
  readonly byName: Record<VirtualKind, Map<string, VirtualItem>>;
  readonly conflicts: Conflict[];
}

/**
 * Everything that a virtual server shows, from what is stored of its members: no server is asked. Of two members with
 * the same name or address the first one in order has it: mappings, then members.
 */
export function resolve(definition: VirtualServerDefinition, findRoute: FindRoute): Resolved {
  const draft: Draft = {
    lists: { tools: [], prompts: [], resources: [], resourceTemplates: [] },
    byName: { tools: new Map(), prompts: new Map(), resources: new Map(), resourceTemplates: new Map() },
    conflicts: [],
  };
  const gone = new Map<string, string | null>();
  const routeTo = (path: string): Route | undefined => {
    const route = findRoute(nameOfPath(path));
    gone.set(nameOfPath(path), goneBecause(route));
    return route;
  };
  addMappings(draft, definition, routeTo);
  for (const member of definition.members) {
    const route = routeTo(member.backend_server_path);
    if (route) addMember(draft, definition, member, route);
  }
  return {
    items: Object.fromEntries(
      kinds.map((kind) => [kind, { list: draft.lists[kind], byName: draft.byName[kind] }]),
    ) as unknown as Resolved['items'],
    servers: [...gone.keys()],
    unavailable: [...gone].flatMap(([server, reason]) => (reason === null ? [] : [{ server, reason }])),
    conflicts: draft.conflicts,
    capabilities: capabilitiesOf(definition, findRoute),
  };
}

/** Why a member is not there now; null when it is. */
function goneBecause(route: Route | undefined): string | null {
  if (!route) return 'it is not registered';
  if (!route.enabled) return 'it is disabled';
  if (route.health === 'unhealthy') return 'it is not healthy';
  if (route.health === 'auth-failing') return "it refuses the gateway's credential";
  return null;
}

function pinned(route: Route, version: string | null): string | null {
  if (version === null || version === (route.version ?? null)) return null;
  return `it was made for version ${version}, and the registry has ${route.version ?? 'no version'}`;
}

function stateOf(route: Route, version: string | null): Pick<VirtualItem, 'gone' | 'blocked'> {
  const pin = pinned(route, version);
  return { gone: pin ?? goneBecause(route), blocked: pin !== null };
}

function addMappings(
  draft: Draft,
  definition: VirtualServerDefinition,
  routeTo: (path: string) => Route | undefined,
): void {
  const byRoute = new Map<Route, Map<string, Tool>>();
  const toolsOf = (route: Route): Map<string, Tool> => {
    const known = byRoute.get(route) ?? new Map(route.tools.map((tool) => [tool.name, tool]));
    byRoute.set(route, known);
    return known;
  };
  for (const mapping of definition.tool_mappings) {
    const route = routeTo(mapping.backend_server_path);
    const tool = route && toolsOf(route).get(mapping.tool_name);
    if (!route || !tool) continue;
    const name = mapping.alias ?? mapping.tool_name;
    const description = mapping.description_override ?? tool.description;
    add(draft, 'tools', definition, {
      ...{ name, original: mapping.tool_name, server: route.name },
      text: toolText(tool, name, description),
      ...stateOf(route, mapping.backend_version),
    });
  }
}

function addMember(
  draft: Draft,
  definition: VirtualServerDefinition,
  member: VirtualMember,
  route: Route,
): void {
  const shown = (name: string): string => exposedName(name, prefixOf(member), definition.separator);
  const isTaken = (kind: VirtualKind, name: string, original: string): boolean => {
    const of = namespaceOf(name, definition, member);
    if (of === undefined) return false;
    draft.conflicts.push({
      text: `'${original}' of '${route.name}' looks like a name of '${nameOfPath(of)}'; give its member a prefix, or map it with an alias.`,
      about: [{ kind, server: route.name, original }],
    });
    return true;
  };
  const from = { server: route.name, ...stateOf(route, member.backend_version) };
  const { offers } = route;
  if (member.include.includes('tools'))
    for (const tool of route.tools) {
      const name = shown(tool.name);
      if (isTaken('tools', name, tool.name)) continue;
      const text = toolText(tool, name, tool.description);
      add(draft, 'tools', definition, { ...from, name, original: tool.name, text });
    }
  if (member.include.includes('prompts'))
    for (const prompt of offers?.prompts ?? []) {
      const original = String(prompt.name);
      const name = shown(original);
      if (isTaken('prompts', name, original)) continue;
      const text = JSON.stringify({ ...prompt, name });
      add(draft, 'prompts', definition, { ...from, name, original, text });
    }
  if (!member.include.includes('resources')) return;
  for (const kind of ['resources', 'resourceTemplates'] as const)
    for (const resource of offers?.[kind] ?? []) {
      const name = String(resource[namedBy[kind]]);
      add(draft, kind, definition, { ...from, name, original: name, text: JSON.stringify(resource) });
    }
}

function add(
  { lists, byName, conflicts }: Draft,
  kind: VirtualKind,
  definition: VirtualServerDefinition,
  made: Omit<VirtualItem, 'scopes'>,
): void {
  const before = byName[kind].get(made.name);
  // In scopes '*' and 'all' stand for every one.
  if (kind === 'tools' && (made.name === 'all' || !safeName.test(made.name))) {
    conflicts.push({
      text: `The tool '${made.original}' of '${made.server}' has a name that clients cannot use; map it with an alias.`,
      about: [{ kind, ...made }],
    });
    return;
  }
  if (before) {
    if (before.server !== made.server || before.original !== made.original)
      conflicts.push({
        text: `'${made.name}' of '${made.server}' is hidden by that of '${before.server}', which comes first.`,
        about: [made, before].map(({ server, original }) => ({ kind, server, original })),
      });
    return;
  }
  const override =
    kind === 'tools'
      ? definition.tool_scope_overrides.find(({ tool_alias }) => tool_alias === made.name)
      : undefined;
  const item: VirtualItem = { ...made, scopes: [...new Set(override?.required_scopes ?? [])] };
  lists[kind].push(item);
  byName[kind].set(item.name, item);
}

/**
 * The member whose names begin as this one of another member does, with a longer prefix than that one's; undefined when none
 * does. It would be taken for a tool of that one, whatever comes first.
 */
export function namespaceOf(
  name: string,
  { members, separator }: Pick<VirtualServerDefinition, 'members' | 'separator'>,
  own: VirtualMember,
): string | undefined {
  return members.find((member) => {
    const prefix = prefixOf(member);
    return (
      prefix.length > prefixOf(own).length &&
      name.toLowerCase().startsWith(`${prefix}${separator}`.toLowerCase())
    );
  })?.backend_server_path;
}

/** What stands before the names of a member. */
export function prefixOf({ prefix, backend_server_path }: VirtualMember): string {
  if (prefix !== null) return prefix;
  const words = nameOfPath(backend_server_path).replace(/[^A-Za-z0-9]+/g, '-');
  return words.slice(0, 32).replace(/^-+|-+$/g, '') || 'server';
}

/**
 * The name that clients see of a member's tool or prompt: prefix, separator, name; of letters, digits, `_` and `-`, and at
 * most 64 of them. What does not fit is cut and gets a hash, so that it stays one name for one thing.
 */
export function exposedName(name: string, prefix: string, separator: string): string {
  const whole = prefix === '' ? name : `${prefix}${separator}${name}`;
  if (safeName.test(whole)) return whole;
  const mark = createHash('sha256').update(whole).digest('hex').slice(0, 8);
  return `${whole.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 55)}_${mark}`;
}

function toolText(tool: Tool, name: string, description: string | undefined): string {
  const { inputSchema } = tool;
  return JSON.stringify({
    ...tool,
    name,
    ...(description === undefined ? {} : { description }),
    // Clients refuse a tool whose arguments are not an object (MCP, "Tool").
    inputSchema: inputSchema?.type === 'object' ? inputSchema : { ...inputSchema, type: 'object' },
  });
}

function capabilitiesOf(
  { members }: VirtualServerDefinition,
  findRoute: FindRoute,
): Readonly<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const { backend_server_path } of members)
    Object.assign(found, findRoute(nameOfPath(backend_server_path))?.offers?.capabilities);
  return found;
}
