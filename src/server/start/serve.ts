import { createServer, type Server, type ServerOptions } from 'node:http';
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

/** Listens for requests and, where it is set, for those of the metrics; the ending drains what is in flight. */
export async function serve(
  { gateway, metrics, listener, continueListener }: ReturnType<typeof buildPlanes>,
  { events, watch }: Inventory,
  config: Config,
  ending: Ending,
): Promise<void> {
  if (config.metrics.port > 0) {
    const apart = await listenForMetrics(metrics, config.metrics);
    ending.defer(() => apart.close());
  }
  const server = createServer(httpOptionsFor(config.gateway.clients), listener);
  // Who asks before sending a body is told to send it once it is known that it will be read.
  server.on('checkContinue', continueListener);
  await listen(server, config);
  ending.defer(async () => {
    events.close();
    void watch.close();
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeIdleConnections();
    await gateway.drain(drainLimit);
    server.closeAllConnections();
    await closed;
  });
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
