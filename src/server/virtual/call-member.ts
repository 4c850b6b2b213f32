import { createHash } from 'node:crypto';
import type { LRUCache } from 'lru-cache';
import { Failure } from '../failure/errors.ts';
import type { Exchange } from '../gateway/exchange.ts';
import { notAllowed } from '../gateway/may.ts';
import type { Message } from '../gateway/read/read-call.ts';
import { refuse } from '../gateway/refuse.ts';
import { showsUrls, whileConnecting, withoutOwnInput } from '../gateway/unconnected.ts';
import type { Identity } from '../identity/identity.ts';
import type { FindRoute } from '../registry/servers/route.ts';
import type { DecideCall } from '../registry/virtual-servers/shown.ts';
import { type Bridged, type BridgeWorld, bridgeLegacy, bridgeModern } from './bridge.ts';
import type { BridgedCall } from './calls.ts';
import { isPerhapsBridged, memberFor, type ReachableMember } from './members.ts';
import { eventIdsOf } from './own-messages.ts';
import { passLegacy, passModern, type ToolsChanged } from './pass.ts';
import type { ClientSession } from './sessions.ts';
import { beginEvents, type JsonObject, metaKeys, objectIn } from './wire.ts';

/** What calls at members are made with. */
export interface CallingWorld {
  readonly bridge: BridgeWorld;
  readonly findRoute: FindRoute;
  /** Decides a call at a real server. */
  readonly decide: DecideCall;
  readonly toolsChanged: ToolsChanged;
  /** Calls across eras by `nameOfCall`, to be cancelled. */
  readonly underWay: Map<string, Pick<BridgedCall, 'cancel'>>;
  readonly elsewhere?: OtherProcesses;
  /** How often other processes were told of cancelled calls, by caller, in a minute. */
  readonly told: LRUCache<string, number>;
  /** Members of 2026-07-28 that took no `initialize`. */
  readonly onlyModern: WeakSet<object>;
  /** Clients of the registry's own tools, which have no sessions, that said that they show addresses to people. */
  readonly showUrls: LRUCache<string, true>;
}

/** Other processes, which may have the call that somebody cancels here. */
export interface OtherProcesses {
  /** Tells them of a call that was cancelled, by its name. */
  cancelled(call: string): Promise<void>;
  /** Calls back for each call that was; returns how to stop that. */
  follow(listener: (call: string) => void): () => void;
}

/** A call as it is at the member. */
export interface Inner {
  readonly server: string;
  readonly message: Message;
  readonly body: Buffer;
  readonly inputSchema: (() => JsonObject) | undefined;
  /** Whether the way to it is still open, by the rights of this moment. */
  stillAllowed(identity: Identity): boolean;
}

/** Who calls, and how. */
export interface CallerOf {
  readonly exchange: Exchange;
  readonly identity: Identity;
  readonly isModern: boolean;
  /** Whose sessions and states these are. */
  readonly holder: string;
  readonly session: ClientSession | undefined;
  /** Whether the client said before that it shows addresses, where it has no session that says so. */
  readonly showsUrls?: boolean;
}

/**
 * Makes a call at a member, decided on and recorded as that: the client's bytes pass where the member speaks as the client
 * does; else it is made message by message.
 */
export async function callMember(running: CallingWorld, asked: CallerOf, inner: Inner): Promise<void> {
  const { exchange, identity, isModern, holder, session, showsUrls: showed } = asked;
  const { server, message } = inner;
  const { method, tool, prompt, resource, id } = message;
  // From here on the exchange is that of the real server, for the audit trail and for what ends calls.
  exchange.place = { server, endpoint: 'mcp', query: '' };
  exchange.asked = { is: 'asked', batch: false, messages: [message] };
  const decision = running.decide(identity, { server, method, tool, prompt, resource });
  if (!decision.allow || id === null) {
    exchange.decision = 'deny';
    exchange.reason = decision.allow ? 'no id' : decision.reason;
    throw notAllowed(server, { server, method, tool, prompt, resource });
  }
  exchange.reason = decision.scope;
  const { bridge, onlyModern, findRoute } = running;
  const wantsConnection = findRoute(server)?.egress != null;
  if (wantsConnection)
    exchange.showsUrls =
      (!isModern && showed === true) ||
      showsUrls(
        session?.capabilities ??
          objectIn(
            objectIn(objectIn(JSON.parse(inner.body.toString('utf8')), 'params'), '_meta'),
            metaKeys.capabilities,
          ),
      );
  const own = wantsConnection
    ? withoutOwnInput(inner.body)
    : { body: inner.body, accepted: false, declined: false };
  if (own.declined) exchange.showsUrls = false;
  const { body } = own;
  const member = await whileConnecting(exchange, own.accepted, () =>
    memberFor(bridge, findRoute, server, exchange, identity),
  );
  if (exchange.res.destroyed) return;
  exchange.route = member.route;
  exchange.leave ??= bridge.takeCall(identity, member.target.pool);
  exchange.stillAllowed = inner.stillAllowed;
  const passing = { ...bridge, toolsChanged: running.toolsChanged };
  const eventIds = session && eventIdsOf(bridge.key, session.key);
  const passed = { method, name: message.name, body, id, eventIds };
  if (isModern && member.speaks === 'modern') return passModern(passing, exchange, member, passed);
  if (!isModern && member.speaks !== 'sse' && !onlyModern.has(member.route)) {
    const memberSession = await sessionAt(running, asked, member);
    if (exchange.res.destroyed) return;
    if (memberSession) {
      const anew = (gone: typeof memberSession) =>
        session
          ? bridge.sessions.forClient(exchange, session, member.target, gone)
          : bridge.sessions.forCalls(exchange, holder, {}, member.target, gone);
      return passLegacy(passing, exchange, member, passed, memberSession, anew);
    }
  }
  const params = objectIn(JSON.parse(body.toString('utf8')), 'params');
  const sent = { method, name: message.name, params, inputSchema: inner.inputSchema?.() };
  const bridged: Bridged = { exchange, id, member, sent, holder };
  if (isModern) return bridgeModern(bridge, bridged);
  const call = bridgeLegacy(bridge, bridged, session);
  const name = nameOfCall(session, id);
  const underWay = {
    cancel() {
      call.cancel();
      // Who cancels waits for no response, and for no stream (MCP, "Cancellation").
      if (!exchange.res.headersSent) beginEvents(exchange);
      exchange.res.end();
    },
  };
  running.underWay.set(name, underWay);
  exchange.res.once('close', () => running.underWay.get(name) === underWay && running.underWay.delete(name));
}

/** Cancelled calls in a minute of which other processes are told, of one caller at one virtual server: each is a row. */
const toldAtMost = 120;

/** Ends a call across eras, at the process that makes it. Calls that pass as they are end when their member is told. */
export function cancelCall(
  { underWay, elsewhere, findRoute, onlyModern, told }: CallingWorld,
  { session, holder }: CallerOf,
  servers: readonly string[],
  notice: Buffer,
): void {
  const { requestId } = objectIn(JSON.parse(notice.toString('utf8')), 'params');
  const call = nameOfCall(session, requestId);
  const here = underWay.get(call);
  here?.cancel();
  const before = told.get(holder) ?? 0;
  if (here || !elsewhere || before >= toldAtMost) return;
  const isAcross = servers.some((server) => {
    const route = findRoute(server);
    return route?.enabled && (isPerhapsBridged(route) || onlyModern.has(route));
  });
  if (!isAcross) return;
  told.set(holder, before + 1);
  // Without the database the call goes on until its client leaves.
  void elsewhere.cancelled(call).catch(() => undefined);
}

/** What a call of a client is found by, in any process: SHA-256 in hex. */
function nameOfCall(session: ClientSession | undefined, id: unknown): string {
  return createHash('sha256')
    .update(`${session?.key ?? ''} ${JSON.stringify(id)}`)
    .digest('hex');
}

/** The member's session for a client of the eras before; undefined when the member has only the era after. */
async function sessionAt(
  { bridge, onlyModern }: CallingWorld,
  asked: CallerOf,
  { target, route, speaks }: ReachableMember,
) {
  const { exchange, session, holder } = asked;
  try {
    return session
      ? await bridge.sessions.forClient(exchange, session, target)
      : await bridge.sessions.forCalls(exchange, holder, {}, target);
  } catch (error) {
    if (speaks !== 'modern' || !(error instanceof Failure) || error.code !== 'upstream_invalid') throw error;
    onlyModern.add(route);
    return undefined;
  }
}

/** Ends the calls that are no longer allowed: with the virtual server, its mapping, its member or the caller's rights. */
export function endWhatIsNoLongerAllowed({ each }: Pick<BridgeWorld, 'each'>): void {
  each((exchange) => {
    const { identity, stillAllowed, res } = exchange;
    if (!stillAllowed || res.destroyed || res.writableEnded || (identity && stillAllowed(identity))) return;
    exchange.passage?.hangUp();
    if (res.headersSent) res.destroy();
    else refuse(exchange, new Failure('not_allowed', 'You are no longer allowed to make this call.'));
    exchange.reason = 'ended: no longer allowed';
  });
}
