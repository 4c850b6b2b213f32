import { createServer, type Server } from 'node:http';
import type { Config } from '../config/config.ts';
import { httpOptionsFor } from '../gateway/http-options.ts';
import { listenForMetrics } from '../metrics/listen.ts';
import type { Ending } from './ending.ts';
import type { Inventory } from './inventory.ts';
import type { buildPlanes } from './planes.ts';

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
