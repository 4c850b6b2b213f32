import { createServer } from 'node:http';
import { type Metrics, metricsType } from './metrics.ts';

/** Serves `GET /metrics` on an address of its own, to whoever can reach it; answers how to stop. */
export async function listenForMetrics(
  metrics: Pick<Metrics, 'render'>,
  { host, port }: { host: string; port: number },
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (req, res) => {
    req.resume();
    if (req.url?.split('?')[0] !== '/metrics') return void res.writeHead(404).end();
    if (req.method !== 'GET') return void res.writeHead(405, { allow: 'GET' }).end();
    metrics.render().then(
      (text) =>
        void res.writeHead(200, { 'content-type': metricsType, 'cache-control': 'no-store' }).end(text),
      () => void res.writeHead(500).end(),
    );
  });
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new Error(`metrics cannot be served on ${host}:${port} (${cause.code}); see METRICS_PORT`, { cause }),
      ),
    );
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
