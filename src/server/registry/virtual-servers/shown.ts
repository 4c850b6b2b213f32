import { nameOfPath } from '../../../contract/servers/servers.ts';
import type {
  VirtualServer,
  VirtualServerRatings,
  VirtualServerSummary,
} from '../../../contract/servers/virtual-servers.ts';
import type { Call, Decision } from '../../access/call.ts';
import type { Access } from '../../access/caller.ts';
import type { Identity } from '../../identity/identity.ts';
import type { Resolved, VirtualItem, VirtualKind } from './resolve.ts';
import { ownerOf } from './store.ts';
import type { Virtual, VirtualTable } from './table.ts';

/** Decides a call by the grants of this moment. */
export type DecideCall = (identity: Identity, call: Call) => Decision;

const callOf: Readonly<Record<VirtualKind, (server: string, name: string) => Call>> = {
  tools: (server, tool) => ({ server, method: 'tools/call', tool }),
  prompts: (server, prompt) => ({ server, method: 'prompts/get', prompt }),
  resources: (server, resource) => ({ server, method: 'resources/read', resource }),
  resourceTemplates: (server, resource) => ({ server, method: 'resources/read', resource }),
};

/** The call that an item stands for at its own server. */
export function innerCall(
  kind: VirtualKind,
  { server, original }: Pick<VirtualItem, 'server' | 'original'>,
): Call {
  return callOf[kind](server, original);
}

/** Whether a caller has every scope that is asked for; the first that is missing, or undefined. */
export function missingScope(access: Access, wanted: readonly string[]): string | undefined {
  return wanted.find((scope) => !access.scopes.includes(scope));
}

/**
 * Whether an identity may use an item: by a rule for the virtual server and the name there, and by a rule for the real
 * server and the real name; a personal one needs no rule of its own.
 */
export function mayUse(
  decide: DecideCall,
  access: Access,
  identity: Identity,
  virtual: Virtual,
  kind: VirtualKind,
  item: VirtualItem,
): boolean {
  return (
    (virtual.isPersonal || decide(identity, callOf[kind](virtual.name, item.name)).allow) &&
    decide(identity, innerCall(kind, item)).allow &&
    (item.scopes.length === 0 || missingScope(access, item.scopes) === undefined)
  );
}

/** The items of one kind that an identity may use now, in order. */
export function shownItems(
  decide: DecideCall,
  access: Access,
  identity: Identity,
  virtual: Virtual,
  kind: VirtualKind,
): VirtualItem[] {
  if (missingScope(access, virtual.row.definition.required_scopes) !== undefined) return [];
  return virtual.resolved.items[kind].list.filter(
    (item) => item.gone === null && mayUse(decide, access, identity, virtual, kind, item),
  );
}

/** About how many tokens of a model's context a text takes: English and JSON come to four characters each. */
export function tokensOf(texts: readonly string[]): number {
  return Math.ceil(texts.reduce((sum, text) => sum + text.length + 1, 0) / 4);
}

/** For whom and where a virtual server is shown. */
export interface VirtualViewpoint {
  readonly access: Access;
  readonly identity: Identity;
  readonly decide: DecideCall;
  /** The gateway's own URL as clients know it, without a trailing slash. */
  readonly publicUrl: string;
}

/** A virtual server as lists show it to one caller, without its ratings. */
export function summaryOf(virtual: Virtual, view: VirtualViewpoint): Omit<VirtualServerSummary, 'num_stars'> {
  const { row, resolved, name, isPersonal } = virtual;
  const { access, identity, decide, publicUrl } = view;
  const tools = shownItems(decide, access, identity, virtual, 'tools');
  const own = isPersonal && row.owner === ownerOf(identity);
  return {
    id: row.id,
    path: row.path,
    server_name: row.definition.server_name,
    description: row.definition.description,
    tags: row.definition.tags,
    is_enabled: row.isEnabled,
    is_personal: isPersonal,
    endpoint_url: `${publicUrl}${row.path}/mcp`,
    num_tools: tools.length,
    list_tokens: tokensOf(tools.map(({ text }) => text)),
    backend_count: resolved.servers.length,
    backend_paths: resolved.servers.filter((server) => sees(view, server)).map((server) => `/${server}`),
    created_by: row.createdBy,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
    revision: row.revision,
    can: {
      modify: own || access.may('modify_virtual_server', name),
      delete: own || access.may('delete_virtual_server', name),
    },
  };
}

/** A virtual server in full but for its ratings; of servers that the caller may not see, nothing is said. */
export function present(
  virtual: Virtual,
  view: VirtualViewpoint,
): Omit<VirtualServer, keyof VirtualServerRatings> {
  const { row } = virtual;
  const { definition } = row;
  const summary = summaryOf(virtual, view);
  const shown = ({ backend_server_path }: { backend_server_path: string }): boolean =>
    summary.can.modify || sees(view, nameOfPath(backend_server_path));
  return {
    ...summary,
    tool_mappings: definition.tool_mappings.filter(shown),
    members: definition.members.filter(shown),
    separator: definition.separator,
    required_scopes: definition.required_scopes,
    tool_scope_overrides: summary.can.modify ? definition.tool_scope_overrides : [],
    supported_transports: definition.supported_transports,
    conflicts: summary.can.modify ? conflictsOf(virtual, view) : [],
    unavailable: gapsOf(virtual, view),
  };
}

/** Whoever puts together their own from what they may call is told of nothing else: what is hidden from them is not there. */
function conflictsOf({ resolved, isPersonal }: Virtual, { decide, identity }: VirtualViewpoint): string[] {
  const isTold = ({ about }: Resolved['conflicts'][number]): boolean =>
    !isPersonal || about.every((one) => decide(identity, innerCall(one.kind, one)).allow);
  return resolved.conflicts.filter(isTold).map(({ text }) => text);
}

/** The members that are not there now, of those that the caller may see. */
export function gapsOf({ resolved }: Virtual, view: VirtualViewpoint): VirtualServer['unavailable'] {
  return resolved.unavailable
    .filter(({ server }) => sees(view, server))
    .map(({ server, reason }) => ({ backend_server_path: `/${server}`, reason }));
}

function sees({ access }: VirtualViewpoint, server: string): boolean {
  return access.may('list_service', server);
}

/** What the search shows virtual servers with. */
export interface BundleWorld {
  readonly table: Pick<VirtualTable, 'find'>;
  readonly decide: DecideCall;
}

/** What a virtual server, by its path, has for a caller: the tools that they may call through it now, and its servers. */
export function bundleOf(
  { table, decide }: BundleWorld,
  path: string,
  { identity, access }: Pick<VirtualViewpoint, 'identity' | 'access'>,
) {
  const virtual = table.find(nameOfPath(path), identity);
  if (!virtual) return undefined;
  const { backend_count, backend_paths } = summaryOf(virtual, { identity, access, decide, publicUrl: '' });
  const tools = shownItems(decide, access, identity, virtual, 'tools');
  return { tools, backend_count, backend_paths };
}
