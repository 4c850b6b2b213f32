import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import { listenForMetrics } from '../metrics/metrics.ts';
import type { Ending } from './ending.ts';
import type { Inventory } from './inventory.ts';
import type { buildPlanes } from './planes.ts';

/** How long clients may take to send, in milliseconds, and how much. */
export interface ClientLimits {
  /** The header block of a request. */
  readonly headersMs: number;
  /** The whole request, its body included; answers and streams have no such limit. */
  readonly requestMs: number;
  /** Bytes of the header block of a request. */
  readonly headerBytes: number;
}

/**
 * How the HTTP server in front of the data plane is to be made: the strict parser, which refuses what two parsers could
 * take for two requests (RFC 9112 section 11.2), and limits on clients that send slowly, who get 408 or are cut off.
 */
export function httpOptionsFor({ headersMs, requestMs, headerBytes }: ClientLimits): ServerOptions {
  return {
    insecureHTTPParser: false,
    requireHostHeader: true,
    noDelay: true,
    maxHeaderSize: headerBytes,
    headersTimeout: Math.min(headersMs, requestMs),
    requestTimeout: requestMs,
    /** Longer than the usual minute after which a load balancer drops an idle connection, so that it does so first. */
    keepAliveTimeout: 75_000,
    /** How often Node looks for those who take too long. */
    connectionsCheckingInterval: Math.min(5_000, headersMs),
  };
}

/** How long calls in flight may take to finish after SIGTERM, in milliseconds. */
const drainLimit = 30_000;

/** How long who has just connected to a process that is leaving may take to send, in milliseconds. */
const lateMs = 500;

/** Listens for requests and, where it is set, for those of the metrics; the ending drains what is in flight. */
export async function serve(
  planes: ReturnType<typeof buildPlanes> & { readonly isLeaving: () => boolean },
  { events, watch }: Inventory,
  config: Config,
  ending: Ending,
): Promise<void> {
  const { gateway, metrics, isLeaving } = planes;
  const requests = countRequests(isLeaving);
  if (config.metrics.port > 0) {
    const apart = await listenForMetrics(metrics, config.metrics);
    ending.defer(() => apart.close());
  }
  const server = createServer(httpOptionsFor(config.gateway.clients), requests.counted(planes.listener));
  // Who asks before sending a body is told to send it once it is known that it will be read.
  server.on('checkContinue', requests.counted(planes.continueListener));
  await listen(server, config);
  ending.defer(async () => {
    events.close();
    void watch.close();
    // The one of `node:net`: that of HTTP ends connections on which no request has come yet, and one may be on its way.
    const closed = new Promise((resolve) => NetServer.prototype.close.call(server, resolve));
    if (isLeaving()) await delay(lateMs);
    server.closeIdleConnections();
    const limit = delay(drainLimit, undefined, { ref: false });
    await gateway.drain(drainLimit);
    // What the control plane has in flight.
    await Promise.race([requests.ended(), limit]);
    server.closeAllConnections();
    await closed;
  });
}

/**
 * Counts the requests in flight. Those of a process that is leaving get the last answer on their connection: whoever keeps
 * connections open to it, as load balancers do, is rid of them before they are cut.
 */
function countRequests(isLeaving: () => boolean) {
  let open = 0;
  let onNone = (): void => {};
  const done = (): void => {
    open -= 1;
    if (open === 0) onNone();
  };
  return {
    counted:
      (listener: RequestListener): RequestListener =>
      (req, res) => {
        open += 1;
        res.once('close', done);
        if (isLeaving()) res.setHeader('connection', 'close');
        listener(req, res);
      },
    ended: () =>
      new Promise<void>((resolve) => {
        onNone = resolve;
        if (open === 0) resolve();
      }),
  };
}

async function listen(server: Server, { host, port }: Config): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`the port ${port} on ${host} is in use; choose another with PORT (or --port)`, {
              cause: error,
            })
          : error,
      ),
    );
    server.listen(port, host, resolve);
  });
}
