import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Trail } from '../audit/event.ts';
import type { EgressCredentials } from '../egress/credential.ts';
import type { Identify, Identity } from '../identity/identity.ts';
import type { Connector } from '../net/connector.ts';
import type { Credentials, FindRoute, Route } from '../registry/servers/route.ts';
import type { Doors } from './admit.ts';
import type { Exchange } from './exchange.ts';
import type { Errand } from './forward.ts';
import type { GatewayLimits } from './limits.ts';
import type { Rights } from './may.ts';
import type { Asking } from './read/ask.ts';
import type { Place } from './read/place.ts';
import type { AskedCall } from './read/read-call.ts';
import type { Target } from './route.ts';
import type { TaskNotes } from './sessions/tasks.ts';
import type { UpstreamCounts, Upstreams } from './upstream/upstream.ts';

/** What the gateway lends to endpoints that it serves itself. */
export interface TerminalKit {
  readonly upstreams: Upstreams;
  readonly limits: GatewayLimits;
  /** Takes a seat for a call of an identity to a server, by its pool; returns how to leave it. */
  takeCall(identity: Identity, pool: string): () => void;
  /** Visits what is in flight; the visitor may end it. */
  each(visit: (exchange: Exchange) => void): void;
  /** How long the beginning of an answer is waited for, and what sets that. */
  waitFor(asked: AskedCall | undefined, route: Route): Errand['wait'];
  /** The client's own `Authorization` for a server, where the setting of the server passes it on. */
  authorizationOf(exchange: Exchange, credentials: Credentials): string | undefined;
  /** A target with the credential of whoever calls, for servers that want one, and how to get another. */
  connected(exchange: Exchange, target: Target, identity: Identity): Promise<Target>;
}

/** A request to such an endpoint: whose it is is known, and that it is allowed. */
export interface TerminalRequest {
  readonly exchange: Exchange;
  readonly identity: Identity;
  readonly place: Place;
  readonly asking: Asking;
}

/** A session that a server has with the gateway. */
export interface ServerSession {
  /** Null where the server has no sessions. */
  readonly id: string | null;
  /** The protocol version that was agreed on. */
  readonly version: string;
}

/** Endpoints at which the gateway speaks MCP itself instead of passing on what servers say. */
export interface Terminal {
  owns(server: string): boolean;
  serve(request: TerminalRequest): Promise<void>;
  /** The session at a server that all calls of a holder share; `gone`: the one that the server does not know any more. */
  sessionAt(exchange: Exchange, holder: string, target: Target, gone?: ServerSession): Promise<ServerSession>;
  close(): void;
}

/** What the data plane needs of the rest of the house. */
export interface GatewayWorld extends Doors {
  readonly identify: Identify;
  readonly decide: Rights['decide'];
  readonly rightsOf: Rights['rightsOf'];
  readonly findRoute: FindRoute;
  /** Opens the connections to servers, and judges where they may go. */
  readonly connect: Connector;
  /** Looks up the credential of each caller at servers that want one; needed where there are such servers. */
  readonly connections?: EgressCredentials | undefined;
  /** Makes the endpoints that the gateway serves itself; none unless given. */
  readonly terminal?: ((kit: TerminalKit) => Terminal) | undefined;
  /** Told that a stream says that the server's tools changed; it may be a mistake, and may come often. */
  toolsChanged(server: string): void;
  readonly trail: Pick<Trail, 'record'>;
  /** What differs from `defaultLimits`. */
  readonly limits?: Partial<GatewayLimits>;
  /**
   * Keys of 32 bytes that seal the addresses of legacy SSE sessions, and the ids of sessions and tasks: the first seals, all open. Processes
   * behind one address share them. Default: random.
   */
  readonly keys?: {
    readonly ticket: readonly [Buffer, ...Buffer[]];
    readonly session: readonly [Buffer, ...Buffer[]];
    readonly task: readonly [Buffer, ...Buffer[]];
  };
  /** Which tasks other processes, and this one before it was started, know as somebody's; only this one's unless given. */
  readonly taskNotes?: TaskNotes;
  /** Whether a token is meant for the gateway (or for the provider's own API), so that no server may get it. */
  isForGateway(token: string): boolean;
  /** The client's address, behind trusted proxies as they saw it. */
  clientIp(req: IncomingMessage): string | null;
  /** The URL of the protected-resource metadata (RFC 9728) of the endpoint at `path`. */
  resourceMetadataUrl(path: string): string;
  readonly log: { warn(fields: object, message: string): void };
  /** Milliseconds since 1970. */
  now(): number;
  /** A correlation id: unique, and fit for a header. */
  newId(): string;
}

/** What is open: exchanges with clients, and what they hold towards servers. */
export interface GatewayCounts {
  readonly calls: number;
  readonly streams: number;
  readonly upstream: UpstreamCounts;
}

/** The data plane, to be put in front of the rest of an HTTP server. */
export interface Gateway {
  /** Whether a request target is the data plane's. */
  owns(url: string): boolean;
  /** `waitsToSend`: the client sends the body of its request only when it is told to (`Expect: 100-continue`). */
  handle(req: IncomingMessage, res: ServerResponse, waitsToSend?: boolean): void;
  /** The identities that `isAffected` names have to prove themselves again; what is no longer allowed ends. */
  recheck(isAffected: (identity: Identity) => boolean): void;
  counts(): GatewayCounts;
  /** Whether calls to a server are refused for the time being, because no connection to it can be made. */
  isResting(server: string): boolean;
  /** Takes no new calls, lets those in flight finish for `limitMs` at most, then ends streams and connections. */
  drain(limitMs: number): Promise<void>;
  /** Ends everything at once. */
  close(): Promise<void>;
}
