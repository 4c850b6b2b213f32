import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { shippedTenant } from '../../src/entra-emulator/shipped.ts';
import { flightBooking } from '../../src/samples/flight-booking.ts';
import { freePort, startGateway, type TestGateway } from '../harness.ts';
import { reloadNginx, startNginx } from '../nginx.ts';
import { agentToken } from '../sign-in.ts';

/** Three gateways in production mode on one PostgreSQL, behind nginx as it is shipped, with one directory for all. */
export interface Cluster {
  /** nginx, which gives each request to the next replica; the public URL. */
  readonly url: string;
  /** The directory (an emulated Entra ID), a process of its own. */
  readonly emulatorUrl: string;
  /** The database; empty for nobody else. */
  readonly database: string;
  /** A server that is called, outside of every replica. */
  readonly timeUrl: string;
  /** One that costs next to nothing, for loads; not registered. */
  readonly quickUrl: string;
  readonly folder: string;
  /** What every replica is started with, for commands beside them. */
  readonly environment: Readonly<Record<string, string>>;
  /** Those that run now, in the order of their ports. */
  readonly replicas: readonly TestGateway[];
  /** Lets nginx give requests to the replicas of these places only; resolves when it does. */
  use(places: readonly number[]): Promise<void>;
  /** Starts the replica of that place again, at its port, with more in its environment where that is given. */
  restart(place: number, more?: Readonly<Record<string, string>>): Promise<TestGateway>;
  close(): Promise<void>;
}

/** The address of a replica, past nginx. */
export function directly(replica: Pick<TestGateway, 'url'>): string {
  return `http://127.0.0.1:${new URL(replica.url).port}`;
}

/** What is told by the process that is outside of all replicas. */
interface Outside {
  readonly origin: string;
  readonly graphOrigin: string;
  readonly ca: string;
  readonly time: string;
  readonly quick: string;
  readonly everything?: string;
}

/** Starts all of it; what the environment names goes to every replica. */
export async function startCluster(
  database: string,
  given: Readonly<Record<string, string>> = {},
): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-cluster-'));
  const ends: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (let end = ends.pop(); end; end = ends.pop()) await end();
  };
  try {
    const outside = fork(resolve('test/replicas/outside.ts'), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    ends.push(() => ended(outside, () => outside.disconnect()));
    const [{ origin, graphOrigin, ca, time, quick, everything }] = (await once(outside, 'message')) as [
      Outside,
    ];
    const caFile = join(folder, 'ca.pem');
    writeFileSync(caFile, ca);
    // Of this process, and of programs that it starts.
    process.env.NODE_EXTRA_CA_CERTS = caFile;
    setDefaultCACertificates([...getCACertificates('default'), ca]);
    const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
    const [port = 0, ...replicaPorts] = ports;
    const url = `http://localhost:${port}`;
    const environment = {
      ...settingsOf(origin, graphOrigin),
      ...{ DATABASE_URL: database, REGISTRY_URL: url, NODE_EXTRA_CA_CERTS: caFile, ...given },
    };
    const start = (place: number, more: Readonly<Record<string, string>> = {}): Promise<TestGateway> =>
      startGateway({
        ...{ environment: { ...environment, ...more }, port: replicaPorts[place] ?? 0, emulatorPort: 1 },
        dataDir: mkdtempSync(join(folder, 'replica-')),
      });
    const started = await Promise.allSettled(replicaPorts.map((_, place) => start(place)));
    const replicas = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    ends.push(() => Promise.all(replicas.map((replica) => replica.close())));
    for (const one of started) if (one.status === 'rejected') throw one.reason;
    const site = { folder, port, tls: false };
    const nginx = startNginx({ ...site, replicas: replicaPorts });
    ends.push(() => ended(nginx, () => nginx.kill('SIGTERM')));
    await untilServed(url, nginx);
    const cluster: Cluster = {
      ...{ url, emulatorUrl: origin, database, timeUrl: time, quickUrl: quick, folder, replicas, close },
      environment,
      async use(places) {
        const used = replicaPorts.filter((_, place) => places.includes(place));
        reloadNginx(nginx, { ...site, replicas: used });
        for (let right = 0; right < 2 * used.length; ) {
          const answer = await fetch(`${url}/healthz`);
          await answer.text();
          const by = new Set(answer.headers.get('x-served-by')?.match(/\d+$/));
          right = used.some((one) => by.has(String(one))) ? right + 1 : 0;
        }
      },
      async restart(place, more) {
        const again = await start(place, more);
        replicas[place] = again;
        return again;
      },
    };
    await register(cluster, { currenttime: time, ...(everything ? { everything } : {}) });
    return cluster;
  } catch (error) {
    await close();
    throw error;
  }
}

/** Those of production mode with the demo tenant; nothing leaves the machine. */
function settingsOf(origin: string, graphOrigin: string): Record<string, string> {
  return {
    NODE_ENV: 'production',
    AUTH_PROVIDER: 'entra',
    ENTRA_TENANT_ID: shippedTenant.tenantId,
    ENTRA_CLIENT_ID: shippedTenant.clientId,
    ENTRA_CLIENT_SECRET: shippedTenant.clientSecret,
    ENTRA_LOGIN_BASE_URL: origin,
    ENTRA_GRAPH_BASE_URL: graphOrigin,
    ENTRA_APPLICATION_ID_URI: shippedTenant.appIdUri,
    ENTRA_GRAPH_CLIENT_ID: shippedTenant.admin.clientId,
    ENTRA_GRAPH_CLIENT_SECRET: shippedTenant.admin.clientSecret,
    IDE_OAUTH_CLIENT_ID: shippedTenant.publicClientId,
    SCOPES_CONFIG_PATH: resolve('examples/scopes.yml'),
    SECRET_KEY: '7d0f5c0e9b2a4c61b8e3d5f7a9c1e3b5d7f9a1c3e5b7d9f1',
    TRUSTED_PROXY_HOPS: '1',
    UPSTREAM_ALLOWED_NETWORKS: 'private',
    HEALTH_CHECK_INTERVAL_SECONDS: '0',
  };
}

async function ended(child: ChildProcess, end: () => unknown): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  end();
  await exited;
}

async function untilServed(url: string, nginx: ChildProcess): Promise<void> {
  while (nginx.exitCode === null) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await delay(50);
  }
  throw new Error('nginx ended');
}

/** The samples, under the paths that they have in evaluation mode. */
async function register(cluster: Cluster, servers: Readonly<Record<string, string>>): Promise<void> {
  const token = await agentToken(cluster.emulatorUrl, shippedTenant.agents.admin);
  const post = async (path: string, body: object): Promise<void> => {
    const answer = await fetch(`${cluster.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, is_enabled: true }),
    });
    if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  };
  for (const [name, proxy_pass_url] of Object.entries(servers))
    await post('/api/servers', { server_name: name, path: `/${name}`, proxy_pass_url });
  await post('/api/agents', flightBooking);
}
