import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Client, type Dispatcher, Pool } from 'undici';
import type { Connector } from '../connector.ts';
import { Failure } from '../errors.ts';
import type { Limits } from './limits.ts';

/** What is open towards servers. */
export interface UpstreamCounts {
  readonly sockets: number;
  readonly calls: number;
  readonly streams: number;
}

/** The connections to servers: one bounded pool for calls per origin, and one connection for each stream. */
export interface Upstreams {
  /**
   * Sends a request; `handler.settled` runs once when the connection is done with it. Fails with `overloaded` when
   * the origin has as many calls or streams as it may.
   */
  send(
    origin: string,
    longLived: boolean,
    options: Dispatcher.DispatchOptions,
    handler: SettledHandler,
  ): void;
  counts(): UpstreamCounts;
  /** Ends idle connections at once and the others when what they carry has ended. */
  close(): Promise<void>;
  /** Ends all connections at once. */
  destroy(): Promise<void>;
}

/** A response handler that is told when its request no longer holds a connection. */
export interface SettledHandler extends Dispatcher.DispatchHandler {
  settled: (() => void) | undefined;
}

interface Origin {
  readonly pool: Pool;
  calls: number;
  streams: number;
}

/** Opens no connection yet; `connect` will, to where it may. */
export function createUpstreams(limits: Limits, connect: Connector): Upstreams {
  const origins = new Map<string, Origin>();
  const streams = new Set<Client>();
  const sockets = new Set<Socket>();
  const options = clientOptions(limits, connect, sockets);

  const originOf = (name: string): Origin => {
    const known = origins.get(name);
    if (known) return known;
    if (origins.size >= limits.pools) closeIdle(origins);
    const pool = new Pool(name, { ...options, connections: limits.connectionsPerServer });
    const origin: Origin = { pool, calls: 0, streams: 0 };
    origins.set(name, origin);
    return origin;
  };

  const sendCall = (origin: Origin, request: Dispatcher.DispatchOptions, handler: SettledHandler): void => {
    if (origin.calls >= limits.connectionsPerServer + limits.queuePerServer) throw tooMany('calls');
    origin.calls += 1;
    handler.settled = () => {
      origin.calls -= 1;
    };
    origin.pool.dispatch(request, handler);
  };

  // A stream in the pool would take a connection from the calls for hours, and the pool would keep as many afterwards.
  const sendStream = (name: string, request: Dispatcher.DispatchOptions, handler: SettledHandler): void => {
    const origin = originOf(name);
    if (origin.streams >= limits.streamsPerServer) throw tooMany('streams');
    const client = new Client(name, options);
    origin.streams += 1;
    streams.add(client);
    handler.settled = () => {
      origin.streams -= 1;
      streams.delete(client);
      // Destroyed while it was connecting: then it has nothing to close, and would reject.
      if (!client.destroyed) void client.close();
    };
    client.dispatch(request, handler);
  };

  return {
    send(name, longLived, request, handler) {
      if (longLived) sendStream(name, request, handler);
      else sendCall(originOf(name), request, handler);
    },
    counts() {
      let calls = 0;
      for (const origin of origins.values()) calls += origin.calls;
      return { sockets: sockets.size, calls, streams: streams.size };
    },
    async close() {
      await Promise.all([...origins.values()].map(({ pool }) => pool.close()));
    },
    async destroy() {
      await Promise.all([...origins.values()].map(({ pool }) => pool.destroy()));
      await Promise.all([...streams].map((client) => client.destroy()));
      await Promise.all([...sockets].map((socket) => once(socket.destroy(), 'close')));
    },
  };
}

function tooMany(what: string): Failure {
  return new Failure(
    'overloaded',
    `This server has as many ${what} open as the gateway allows; try again soon.`,
  );
}

function closeIdle(origins: Map<string, Origin>): void {
  for (const [name, origin] of origins) {
    if (origin.calls + origin.streams > 0) continue;
    origins.delete(name);
    void origin.pool.close();
  }
}

/** Timeouts are the forwarder's: they must cover the wait for a connection, and never a stream. */
function clientOptions(limits: Limits, connect: Connector, sockets: Set<Socket>): Client.Options {
  return {
    allowH2: false,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: limits.answerHeaderBytes,
    connect(target, callback) {
      connect(target, (...result) => {
        const [, socket] = result;
        if (socket) {
          sockets.add(socket);
          socket.once('close', () => sockets.delete(socket));
        }
        callback(...result);
      });
    },
  };
}
