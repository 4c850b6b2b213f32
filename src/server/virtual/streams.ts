import { isObject } from '../../contract/values/json.ts';
import { Failure } from '../failure/errors.ts';
import type { Exchange } from '../gateway/exchange.ts';
import type { Message } from '../gateway/read/read-call.ts';
import type { Identity } from '../identity/identity.ts';
import type { FindRoute } from '../registry/servers/route.ts';
import type { VirtualKind } from '../registry/virtual-servers/resolve.ts';
import type { DecideCall } from '../registry/virtual-servers/shown.ts';
import type { Virtual, VirtualTable } from '../registry/virtual-servers/table.ts';
import type { createLists, ListText } from './lists.ts';
import { locate } from './locate.ts';
import { askMember, type MemberWorld, memberHeaders, modernHeaders, sessionHeaders } from './member.ts';
import { memberFor } from './members.ts';
import { eventIdsOf, ownMessage } from './own-messages.ts';
import type { ToolsChanged } from './pass.ts';
import type { ClientSession, MemberSessions } from './sessions.ts';
import {
  beginEvents,
  eventOf,
  invalidParams,
  type JsonObject,
  metaKeys,
  modern,
  objectIn,
  RpcError,
  serverInfo,
} from './wire.ts';

/** What streams are kept with. */
export interface StreamsWorld extends MemberWorld {
  readonly table: Pick<VirtualTable, 'find'>;
  readonly findRoute: FindRoute;
  readonly decide: DecideCall;
  readonly lists: ReturnType<typeof createLists>;
  readonly sessions: MemberSessions;
  readonly toolsChanged: ToolsChanged;
  readonly onChange: (listener: () => void) => () => void;
  /** 32 bytes; the same in all processes. */
  readonly key: Buffer;
}

/** Who listens, and to what. */
interface Listener {
  readonly exchange: Exchange;
  readonly identity: Identity;
  readonly virtual: Virtual;
  readonly message: Message;
}

interface Open extends Listener {
  /** The lists as the client knows them, of the kinds that it wants to hear of. */
  readonly known: Map<VirtualKind, ListText>;
  notify(method: string, params: JsonObject): void;
  readonly stops: Map<string, () => void>;
}

const changeOf: Readonly<Record<VirtualKind, string>> = {
  tools: 'notifications/tools/list_changed',
  prompts: 'notifications/prompts/list_changed',
  resources: 'notifications/resources/list_changed',
  resourceTemplates: 'notifications/resources/list_changed',
};
/** After how long a member's stream that ended is opened again, in milliseconds. */
const againMs = 10_000;

/** Streams on which clients listen: what changes here is told, and what members say on theirs. */
export function createStreams(world: StreamsWorld) {
  const { table, lists, decide, sessions, onChange } = world;
  const streams = new Set<Open>();

  const begin = (listener: Listener, kinds: readonly VirtualKind[], notify: Open['notify']): Open => {
    const { exchange, identity, virtual } = listener;
    beginEvents(exchange);
    const known = new Map(kinds.map((kind) => [kind, lists(virtual, identity, kind)]));
    const stream: Open = { ...listener, known, notify, stops: new Map() };
    streams.add(stream);
    const leave = (): void => {
      streams.delete(stream);
      for (const stop of stream.stops.values()) stop();
      stream.stops.clear();
    };
    exchange.res.once('close', leave);
    exchange.passage = {
      tend({ comments }) {
        const { res } = exchange;
        if (comments && !res.writableEnded && !res.writableNeedDrain) res.write(': keep-alive\n\n');
      },
      hangUp: leave,
    };
    exchange.opening?.done();
    return stream;
  };

  const look = (): void => {
    for (const stream of streams) {
      const { identity, virtual: before, message, exchange, known } = stream;
      const virtual = table.find(before.name, identity);
      const { method } = message;
      if (!virtual?.row.isEnabled || !decide(identity, { server: before.name, method }).allow) {
        exchange.reason = 'ended: no longer allowed';
        exchange.res.end();
        continue;
      }
      const said = new Set<string>();
      for (const [kind, list] of known) {
        const now = lists(virtual, identity, kind);
        known.set(kind, now);
        if (!now.legacy.equals(list.legacy)) said.add(changeOf[kind]);
      }
      for (const change of said) stream.notify(change, {});
      // Members that were taken out, switched off, or are not the listener's any more say nothing more here.
      for (const [server, stop] of stream.stops) {
        if (server === '' || mayHear(stream, virtual, server)) continue;
        stop();
        stream.stops.delete(server);
      }
    }
  };
  const mayHear = ({ identity, message }: Listener, virtual: Virtual, server: string): boolean =>
    virtual.resolved.servers.includes(server) &&
    world.findRoute(server)?.enabled === true &&
    decide(identity, { server, method: message.method }).allow;
  /** The same by what holds now: a session may have been opened at a member that was taken out since. */
  const hears = (stream: Open, server: string): boolean => {
    const virtual = table.find(stream.virtual.name, stream.identity);
    return virtual !== undefined && mayHear(stream, virtual, server);
  };
  const endLooking = onChange(look);

  /** Keeps a member's stream open as long as the client's is; what it says comes one by one. */
  const follow = (stream: Open, key: string, open: (again: () => void) => () => void): void => {
    if (stream.stops.has(key)) return;
    let timer: NodeJS.Timeout | undefined;
    let abort: (() => void) | undefined;
    const start = (): void => {
      abort = open(() => {
        if (stream.stops.has(key)) timer = setTimeout(start, againMs).unref();
      });
    };
    stream.stops.set(key, () => {
      clearTimeout(timer);
      abort?.();
    });
    start();
  };

  /** The GET stream of a member's session: what it says without being asked. */
  const followSession = async (stream: Open, session: ClientSession, server: string): Promise<void> => {
    const { exchange, identity } = stream;
    if (!hears(stream, server)) return;
    const member = await memberFor(world, world.findRoute, server, exchange, identity);
    if (member.speaks === 'sse') return;
    const own = await sessions.forClient(exchange, session, member.target);
    if (own.id === null || exchange.res.writableEnded) return;
    const headers = memberHeaders(exchange, member.target, sessionHeaders(own));
    // A stream that broke off is taken up by the member that gave its events their ids; the others hear nothing of them.
    const last = exchange.req.headers['last-event-id'];
    const event = typeof last === 'string' ? eventIdsOf(world.key, session.key).open(last) : undefined;
    const from = event?.server === server ? event : undefined;
    if (from) headers.push('last-event-id', from.id);
    const calls = { server, id: from?.call, progressToken: null, asks: true };
    follow(stream, server, (again) =>
      askMember(
        world,
        member.target,
        { method: 'GET', headers, longLived: true },
        {
          onMessage(message) {
            // Changes of lists are told when the stored ones have changed.
            const { method } = message;
            if (typeof method !== 'string' && from === undefined) return;
            if (method === changeOf.tools) world.toolsChanged(server);
            const text = JSON.stringify(message);
            const own = ownMessage(text, calls);
            if (own !== '') exchange.res.write(eventOf(own ?? text));
          },
          // A member without such a stream says 405; there is nothing to follow.
          onEnd: (failure) => failure && again(),
        },
      ),
    );
  };

  /** What a member of 2026-07-28 tells those who listen. */
  const followMember = async (stream: Open, server: string, wanted: JsonObject): Promise<void> => {
    const { exchange, identity } = stream;
    if (!hears(stream, server)) return;
    const member = await memberFor(world, world.findRoute, server, exchange, identity);
    if (member.speaks !== 'modern' || exchange.res.writableEnded) return;
    const _meta = { [metaKeys.version]: modern, [metaKeys.capabilities]: {}, [metaKeys.client]: serverInfo };
    const params = { notifications: wanted, _meta };
    const body = JSON.stringify({ jsonrpc: '2.0', id: exchange.id, method: 'subscriptions/listen', params });
    const headers = memberHeaders(exchange, member.target, modernHeaders('subscriptions/listen', undefined));
    follow(stream, server, (again) =>
      askMember(
        world,
        member.target,
        { method: 'POST', headers, body, longLived: true },
        {
          onMessage(message) {
            const { method } = message;
            if (typeof method !== 'string' || method === 'notifications/subscriptions/acknowledged') return;
            if (method === changeOf.tools) world.toolsChanged(server);
            const { _meta: own, ...rest } = objectIn(message, 'params');
            stream.notify(method, rest);
          },
          onEnd: (failure) => failure && again(),
        },
      ),
    );
  };

  return {
    /** The stream by GET of a client of the eras before. */
    async open(listener: Listener, session: ClientSession | undefined): Promise<void> {
      const { exchange } = listener;
      const kinds: readonly VirtualKind[] = ['tools', 'prompts', 'resources', 'resourceTemplates'];
      const stream = begin(listener, kinds, (method, params) => {
        const body = Object.keys(params).length > 0 ? { method, params } : { method };
        exchange.res.write(eventOf(JSON.stringify({ jsonrpc: '2.0', ...body })));
      });
      if (!session) return;
      const attach = (server: string): void =>
        void followSession(stream, session, server).catch(() => undefined);
      // Members are asked for nothing until the client calls them; then their streams join this one.
      stream.stops.set(
        '',
        sessions.onOpen((key, server) => key === session.key && attach(server)),
      );
      for (const { server } of await sessions.openOf(session)) attach(server);
    },

    /** `subscriptions/listen` of 2026-07-28. */
    listen(listener: Listener, params: JsonObject): void {
      const { exchange, message, virtual } = listener;
      const { id } = message;
      const asked = params.notifications;
      if (!isObject(asked) || id === null)
        throw new RpcError(invalidParams, "'params.notifications' says what to listen to.", { status: 400 });
      if (exchange.req.headers.accept?.includes('text/event-stream') === false)
        throw new Failure('bad_request', 'The response is an event stream; accept text/event-stream.');
      const wanted = (['toolsListChanged', 'promptsListChanged', 'resourcesListChanged'] as const).filter(
        (name) => asked[name] === true,
      );
      const uris = Array.isArray(asked.resourceSubscriptions)
        ? (asked.resourceSubscriptions as string[])
        : [];
      const honored: JsonObject = Object.fromEntries(wanted.map((name) => [name, true]));
      if (uris.length > 0) honored.resourceSubscriptions = uris;
      const kinds = wanted.flatMap((name): VirtualKind[] =>
        name === 'toolsListChanged'
          ? ['tools']
          : name === 'promptsListChanged'
            ? ['prompts']
            : ['resources', 'resourceTemplates'],
      );
      const subscription = { 'io.modelcontextprotocol/subscriptionId': id };
      const stream = begin(listener, kinds, (method, more) => {
        const text = JSON.stringify({ jsonrpc: '2.0', method, params: { ...more, _meta: subscription } });
        exchange.res.write(eventOf(text));
      });
      stream.notify('notifications/subscriptions/acknowledged', { notifications: honored });
      const ofServer = Map.groupBy(uris, (uri) => locate(virtual.resolved, { resource: uri })?.item.server);
      for (const server of virtual.resolved.servers) {
        const own = ofServer.get(server) ?? [];
        const filter: JsonObject = Object.fromEntries(wanted.map((name) => [name, true]));
        if (own.length > 0) filter.resourceSubscriptions = own;
        // A member that is not there says nothing; the others do.
        if (Object.keys(filter).length > 0) void followMember(stream, server, filter).catch(() => undefined);
      }
    },

    close(): void {
      endLooking();
      for (const { exchange } of streams) exchange.res.end();
    },
  };
}
