import type { Access } from '../access/caller.ts';
import type { MessageId } from '../gateway/read/read-call.ts';
import type { Identity } from '../identity/identity.ts';
import type { Resolved, VirtualKind } from '../registry/virtual-servers/resolve.ts';
import { type DecideCall, mayUse, shownItems } from '../registry/virtual-servers/shown.ts';
import type { Virtual } from '../registry/virtual-servers/table.ts';
import { metaKeys, serverInfo } from './wire.ts';

/** List methods, and the member of the result that holds the list. */
export const listed: ReadonlyMap<string, VirtualKind> = new Map([
  ['tools/list', 'tools'],
  ['prompts/list', 'prompts'],
  ['resources/list', 'resources'],
  ['resources/templates/list', 'resourceTemplates'],
]);

/** The member of `_meta` that names the members whose items are missing, and why. */
const unavailableKey = 'mcp-gateway/unavailable';

/** A list as it goes to clients, without the id before it. */
export interface ListText {
  /** For the eras with sessions, and for 2026-07-28. */
  readonly legacy: Buffer;
  readonly modern: Buffer;
  readonly count: number;
  /** About how many tokens of a model's context it takes. */
  readonly tokens: number;
  /** Members of which the caller could use something, were they there. */
  readonly unavailable: readonly { readonly server: string; readonly reason: string }[];
}

/** What lists are made with. */
export interface ListWorld {
  readonly decide: DecideCall;
  readonly accessOf: (identity: Identity) => Access;
  /** One object for all identities that may do the same; another after a change. */
  readonly rightsOf: (identity: Identity) => object;
}

type Known = WeakMap<object, Map<VirtualKind, ListText>>;

/**
 * Makes lists of virtual servers: once for everybody who may do the same, and anew when their rights or a member change.
 * The same object stands for the same list.
 */
export function createLists({ decide, accessOf, rightsOf }: ListWorld) {
  const known = new WeakMap<Resolved, Known>();
  return (virtual: Virtual, identity: Identity, kind: VirtualKind): ListText => {
    const byRights: Known = known.get(virtual.resolved) ?? new WeakMap();
    known.set(virtual.resolved, byRights);
    const rights = rightsOf(identity);
    const lists = byRights.get(rights) ?? new Map<VirtualKind, ListText>();
    byRights.set(rights, lists);
    const before = lists.get(kind);
    if (before) return before;
    const made = textOf(decide, accessOf(identity), identity, virtual, kind);
    lists.set(kind, made);
    return made;
  };
}

function textOf(
  decide: DecideCall,
  access: Access,
  identity: Identity,
  virtual: Virtual,
  kind: VirtualKind,
): ListText {
  const items = shownItems(decide, access, identity, virtual, kind);
  const array = `"${kind}":[${items.map(({ text }) => text).join(',')}]`;
  // Only of members that the caller could use something of.
  const gone = new Map<string, string>();
  for (const item of virtual.resolved.items[kind].list)
    if (item.gone !== null && !gone.has(item.server) && mayUse(decide, access, identity, virtual, kind, item))
      gone.set(item.server, item.gone);
  const unavailable = [...gone].map(([server, reason]) => ({ server: `/${server}`, reason }));
  const meta = unavailable.length > 0 ? { [unavailableKey]: unavailable } : {};
  const legacyMeta = unavailable.length > 0 ? `,"_meta":${JSON.stringify(meta)}` : '';
  const modernMeta = JSON.stringify({ ...meta, [metaKeys.server]: serverInfo });
  return {
    legacy: Buffer.from(`,"result":{${array}${legacyMeta}}}`),
    // It differs between identities, so nobody may share it.
    modern: Buffer.from(
      `,"result":{"resultType":"complete",${array},"ttlMs":0,"cacheScope":"private","_meta":${modernMeta}}}`,
    ),
    count: items.length,
    tokens: Math.ceil(array.length / 4),
    unavailable,
  };
}

/** The response with a list. */
export function listMessage(id: MessageId, text: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`{"jsonrpc":"2.0","id":${JSON.stringify(id)}`), text]);
}
