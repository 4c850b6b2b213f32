import { createServer } from 'node:http';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { systemEndpoints } from '../../contract/system.ts';
import type { AuditEvent } from '../audit/event.ts';
import { failures } from '../failure/errors.ts';
import { createCallMetrics, type KnownServer } from './calls.ts';
import { metricText, type Sample } from './text.ts';

/** A server as the metrics see it. */
export interface MeasuredServer extends KnownServer {
  readonly name: string;
  readonly health: string;
}

/** Where figures come from that are only read when somebody asks for them. */
export interface MetricsWorld {
  readonly version: string;
  readonly servers: {
    find(name: string): MeasuredServer | undefined;
    all(): Iterable<MeasuredServer>;
  };
  /** What is open between clients, gateway and servers. */
  open(): {
    readonly calls: number;
    readonly streams: number;
    readonly upstream: { readonly sockets: number; readonly calls: number; readonly streams: number };
  };
  /** Whether calls to a server are refused because no connection to it can be made. */
  isResting(server: string): boolean;
  /** Audit events that wait to be written, and those that could not be kept. */
  audit(): { readonly held: number; readonly lost: number };
  /** The room that the audit trail takes and has, in bytes, null where that is not known; and what is wrong with it. */
  trailRoom(): {
    readonly bytes: number | null;
    readonly freeBytes: number | null;
    readonly alarm: string | null;
  };
  /** Browsers that listen for changes of servers. */
  listeners(): number;
  /** Days until the end of each credential of the gateway's own (`secret`, `certificate`) whose end is known. */
  daysLeft(): ReadonlyMap<string, number>;
}

/** The figures of this process, in the text format of Prometheus. */
export interface Metrics {
  /** Takes in what happened; each audit event says all that is counted, so that nothing is measured twice. */
  record(event: AuditEvent): void;
  /** Drops the series of servers that are gone. */
  dropGone(): void;
  render(): Promise<string>;
}

/** The media type of `render`. */
const metricsType = systemEndpoints['system.metrics'].media;

/** Makes the metrics; they cost a few lookups a request, and the rest when they are read. */
export function createMetrics(world: MetricsWorld): Metrics {
  const register = new Registry();
  const registers = [register];
  collectDefaultMetrics({ register });
  new Gauge({
    ...{ name: 'mcp_gateway_info', help: 'The version that runs', labelNames: ['version'], registers },
  }).set({ version: world.version }, 1);
  addGauges(registers, world);
  const calls = createCallMetrics((name) => world.servers.find(name));
  const [requests, results] = [new Map<string, Map<string, number>>(), new Map<string, number>()];
  return {
    record(event) {
      if (event.kind === 'mcp') calls.record(event);
      else if (event.kind !== 'sign-in') {
        const decisions = requests.get(event.action) ?? new Map<string, number>();
        requests.set(event.action, decisions);
        increment(decisions, event.decision);
      }
      increment(results, resultOf(event));
    },
    dropGone: calls.dropGone,
    async render() {
      const api = metricText(apiCounter, samplesOf(requests));
      const auth = metricText(
        authCounter,
        [...results].map(([result, value]) => ({ labels: { result }, value })),
      );
      return [calls.render(), api, auth, await register.metrics()].join('\n');
    },
  };
}

const apiCounter = {
  name: 'mcp_gateway_api_requests_total',
  help: 'Requests to the API by endpoint and decision',
  type: 'counter',
} as const;

const authCounter = {
  name: 'mcp_gateway_auth_total',
  help: 'Requests by how the caller was identified, or why not',
  type: 'counter',
} as const;

function* samplesOf(requests: Map<string, Map<string, number>>): Generator<Sample> {
  for (const [endpoint, decisions] of requests)
    for (const [decision, value] of decisions) yield { labels: { endpoint, decision }, value };
}

function increment(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** The way by which the caller was identified, or the code of the failure that stood in its way: both closed sets. */
function resultOf({ who, reason }: AuditEvent): string {
  if (who) return who.method;
  return reason !== undefined && Object.hasOwn(failures, reason) ? reason : 'not_asked';
}

function addGauges(
  registers: Registry[],
  { servers, open, isResting, audit, trailRoom, listeners, daysLeft }: MetricsWorld,
): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      ...{ name: `mcp_gateway_${name}`, help, registers },
      collect() {
        this.set(read());
      },
    });
  };
  gauge('calls_open', 'MCP requests of clients in flight, streams left out', () => open().calls);
  gauge('streams_open', 'Streams of clients that only listen', () => open().streams);
  gauge('upstream_sockets', 'Connections to servers', () => open().upstream.sockets);
  gauge(
    'upstream_calls',
    'Requests to servers in flight or waiting for a connection',
    () => open().upstream.calls,
  );
  gauge('upstream_streams', 'Streams to servers', () => open().upstream.streams);
  gauge('event_listeners', 'Browsers that listen for changes of servers', listeners);
  gauge('audit_queue', 'Audit events that wait to be written', () => audit().held);
  gauge('audit_lost', 'Audit events that could not be kept since the start', () => audit().lost);
  gauge('audit_bytes', 'Room that the audit trail takes, about', () => trailRoom().bytes ?? Number.NaN);
  gauge(
    'audit_disk_free_bytes',
    'Room on the disk of the audit trail',
    () => trailRoom().freeBytes ?? Number.NaN,
  );
  gauge('audit_alarm', '1 while there is too little room for the audit trail', () =>
    Number(trailRoom().alarm !== null),
  );
  new Gauge({
    name: 'mcp_gateway_provider_credential_days_left',
    help: "Days until the gateway's own credential at the identity provider ends, by kind; below zero when it has",
    ...{ labelNames: ['kind'], registers },
    collect() {
      this.reset();
      for (const [kind, days] of daysLeft()) this.set({ kind }, days);
    },
  });
  new Gauge({
    name: 'mcp_gateway_server_resting',
    help: '1 while calls to the server are refused because no connection to it could be made (circuit breaker)',
    ...{ labelNames: ['server'], registers },
    collect() {
      this.reset();
      for (const { name } of servers.all()) this.set({ server: name }, Number(isResting(name)));
    },
  });
  new Gauge({
    name: 'mcp_gateway_server_health',
    help: 'Always 1, with the state of health of each registered server',
    ...{ labelNames: ['server', 'health'], registers },
    collect() {
      this.reset();
      for (const { name, health } of servers.all()) this.set({ server: name, health }, 1);
    },
  });
}

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
