import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Client, type Dispatcher, Pool } from 'undici';
import { Failure } from '../../failure/errors.ts';
import type { Connector } from '../../net/connector.ts';
import type { GatewayLimits } from '../limits.ts';
import { type Breaker, createBreaker } from './breaker.ts';

/** What is open towards servers. */
export interface UpstreamCounts {
  readonly sockets: number;
  readonly calls: number;
  readonly streams: number;
}

/** Where connections lead, and whose they are. */
export interface PoolPlace {
  readonly server: string;
  readonly pool: string;
  readonly origin: string;
}

/** The connections to servers: one bounded pool for calls to each server, and one connection for each stream. */
export interface Upstreams {
  /**
   * Sends a request; `handler.settled` runs once when the connection is done with it. Fails with `overloaded` when
   * the server has as many calls or streams as it may, with `upstream_resting` while it is left alone.
   */
  send(to: PoolPlace, longLived: boolean, options: Dispatcher.DispatchOptions, handler: SettledHandler): void;
  counts(): UpstreamCounts;
  /** Whether a server is left alone because connections to it failed. */
  isResting(server: string): boolean;
  /** Ends all connections at once. */
  destroy(): Promise<void>;
}

/** A response handler that is told when its request no longer holds a connection. */
export interface SettledHandler extends Dispatcher.DispatchHandler {
  settled: (() => void) | undefined;
}

interface Upstream {
  /** The names of the servers that have this address. */
  readonly servers: Set<string>;
  readonly origin: string;
  readonly options: Client.Options;
  readonly pool: Pool;
  readonly breaker: Breaker;
  readonly sockets: Set<Socket>;
  calls: number;
  streams: number;
}

/** Opens no connection yet; `connect` will, to where it may. */
export function createUpstreams(limits: GatewayLimits, connect: Connector, now: () => number): Upstreams {
  const known = new Map<string, Upstream>();
  const streams = new Set<Client>();
  const sockets = new Set<Socket>();

  const upstreamOf = (destination: PoolPlace): Upstream => {
    const { pool } = destination;
    const before = known.get(pool);
    if (before) {
      before.servers.add(destination.server);
      return before;
    }
    if (known.size >= limits.pools) closeIdle(known);
    const made = openUpstream(destination, limits, connect, now, sockets);
    known.set(pool, made);
    return made;
  };

  const sendCall = (to: Upstream, request: Dispatcher.DispatchOptions, handler: SettledHandler): void => {
    if (to.calls >= limits.connectionsPerServer + limits.queuePerServer) throw tooMany('calls');
    to.calls += 1;
    handler.settled = () => {
      to.calls -= 1;
    };
    to.pool.dispatch(request, handler);
  };

  // A stream in the pool would take a connection from the calls for hours, and the pool would keep as many afterwards.
  const sendStream = (to: Upstream, request: Dispatcher.DispatchOptions, handler: SettledHandler): void => {
    if (to.streams >= limits.streamsPerServer) throw tooMany('streams');
    const client = new Client(to.origin, to.options);
    to.streams += 1;
    streams.add(client);
    handler.settled = () => {
      to.streams -= 1;
      streams.delete(client);
      // Destroyed while it was connecting: then it has nothing to close, and would reject.
      if (!client.destroyed) void client.close();
    };
    client.dispatch(request, handler);
  };

  return {
    send(destination, longLived, request, handler) {
      const to = upstreamOf(destination);
      // Who has a connection that stands is there, whatever became of others.
      if (to.sockets.size === 0) to.breaker.check();
      if (longLived) sendStream(to, request, handler);
      else sendCall(to, request, handler);
    },
    counts() {
      let calls = 0;
      for (const upstream of known.values()) calls += upstream.calls;
      return { sockets: sockets.size, calls, streams: streams.size };
    },
    isResting(server) {
      for (const upstream of known.values())
        if (upstream.breaker.isOpen && upstream.servers.has(server)) return true;
      return false;
    },
    async destroy() {
      await Promise.all([...known.values()].map(({ pool }) => pool.destroy()));
      await Promise.all([...streams].map((client) => client.destroy()));
      await Promise.all([...sockets].map((socket) => once(socket.destroy(), 'close')));
    },
  };
}

function openUpstream(
  { server, origin }: PoolPlace,
  limits: GatewayLimits,
  connect: Connector,
  now: () => number,
  all: Set<Socket>,
): Upstream {
  const { breakerFailures: failures, breakerMaxMs: maxRestMs, connectMs } = limits;
  const breaker = createBreaker({ failures, maxRestMs, connectMs, now });
  const sockets = new Set<Socket>();
  const watched = watchedConnector(connect, breaker, [all, sockets]);
  const options = clientOptions(limits, watched);
  const pool = new Pool(origin, { ...options, connections: limits.connectionsPerServer });
  return { servers: new Set([server]), origin, options, pool, breaker, sockets, calls: 0, streams: 0 };
}

function tooMany(what: string): Failure {
  return new Failure(
    'overloaded',
    `This server has as many ${what} open as the gateway allows; try again soon.`,
  );
}

function closeIdle(known: Map<string, Upstream>): void {
  for (const [name, { pool, calls, streams }] of known) {
    if (calls + streams > 0) continue;
    known.delete(name);
    void pool.close();
  }
}

/** A connector that tells a breaker how it went, and keeps note of the connections that stand. */
function watchedConnector(connect: Connector, breaker: Breaker, notes: readonly Set<Socket>[]): Connector {
  return (target, callback) =>
    connect(target, (...result) => {
      const [error, socket] = result;
      if (socket) {
        breaker.connected();
        for (const note of notes) note.add(socket);
        socket.once('close', () => {
          for (const note of notes) note.delete(socket);
        });
      } else if (!(error instanceof Failure)) breaker.failed();
      callback(...result);
    });
}

/** Timeouts are the forwarder's: they must cover the wait for a connection, and never a stream. */
function clientOptions(limits: GatewayLimits, connect: Connector): Client.Options {
  return {
    allowH2: false,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: limits.answerHeaderBytes,
    connect,
  };
}
