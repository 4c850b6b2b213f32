import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import packageJson from '../../package.json' with { type: 'json' };
import { decide } from './access/decide.ts';
import { accessOf } from './access/grants.ts';
import { createApp } from './app.ts';
import type { Trail } from './audit/event.ts';
import { deleteOldEvents } from './audit/sinks/database.ts';
import { sinksOf } from './audit/sinks/index.ts';
import { createTrail } from './audit/trail.ts';
import { type Config, ConfigFault, packagedFile, readConfig, readEnvironment } from './config.ts';
import { openDatabase } from './db/open.ts';
import { createGateway } from './gateway/handle.ts';
import { httpOptions } from './gateway/http-options.ts';
import { clientIp } from './http/client-ip.ts';
import { createHttpIdentity } from './http/http-identity.ts';
import { resourceMetadataUrl } from './http/protected-resource.ts';
import { watchEntra } from './iam/entra/doctor/watch.ts';
import { trust } from './identity/bearer.ts';
import { createFreshPeople } from './identity/fresh-people.ts';
import { createCompleteGroups } from './identity/groups.ts';
import { tokenIdentifier } from './identity/identify.ts';
import type { Identity } from './identity/identity.ts';
import { deriveKey } from './identity/keys.ts';
import { createLogin } from './identity/login.ts';
import { createMemberships } from './identity/memberships.ts';
import { createOidcClients } from './identity/oidc.ts';
import { providersOf } from './identity/providers/index.ts';
import { refusingEmulators } from './identity/real-provider.ts';
import { createSessions } from './identity/sessions.ts';
import { createLog } from './log.ts';
import { listenForMetrics } from './metrics/listen.ts';
import { createMetrics, type Metrics } from './metrics/metrics.ts';
import { outbound } from './outbound.ts';
import { startScopes } from './registry/scopes/watch.ts';
import { createCheck } from './registry/servers/check.ts';
import { credentialsFrom } from './registry/servers/credential.ts';
import { createServerEvents } from './registry/servers/events.ts';
import { createLookAfter } from './registry/servers/look-after.ts';
import { type Rotation, rotateCredentials } from './registry/servers/rotate.ts';
import { createRoutes } from './registry/servers/routes.ts';
import { listServers } from './registry/servers/store.ts';
import { createVault } from './registry/servers/vault.ts';
import { createHealthWatch } from './registry/servers/watch-health.ts';
import { doctorOf } from './tools.ts';

/** How long calls in flight may take to finish after SIGTERM, in milliseconds. */
const drainLimit = 30_000;

/** How `mcp-gateway start` is called; what is given goes before the environment. */
export interface StartOptions {
  readonly evaluation?: boolean | undefined;
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  readonly dataDir?: string | undefined;
}

/** A gateway that runs. */
export interface RunningGateway {
  readonly url: string;
  /** Refuses new calls, lets those in flight finish, writes what is held, closes everything. */
  stop(): Promise<void>;
}

/** Runs until SIGINT or SIGTERM; resolves to the exit code. Throws a ConfigFault when the settings cannot be used. */
export async function startServer(options: StartOptions = {}): Promise<number> {
  const directory = process.cwd();
  const environment = {
    ...readEnvironment(directory),
    ...(options.evaluation ? { EVALUATION: 'true' } : {}),
    ...(options.port === undefined ? {} : { PORT: String(options.port) }),
    ...(options.host === undefined ? {} : { HOST: options.host }),
    ...(options.dataDir === undefined ? {} : { DATA_DIR: options.dataDir }),
  };
  const config = readConfig(environment, directory);
  const gateway = await start(config, (text) => process.stdout.write(text));
  const signal = await new Promise<string>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve(name));
  });
  process.stdout.write(`\n${signal}: finishing what is in flight ...\n`);
  // A second signal does not wait.
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(130));
  await gateway.stop();
  return 0;
}

/**
 * Encrypts every stored credential of a server anew, from SECRET_KEY_PREVIOUS to SECRET_KEY, while no gateway has the
 * database open. Throws a ConfigFault when one of the two is missing.
 */
export async function rotateSecrets(options: { dataDir?: string | undefined } = {}): Promise<Rotation> {
  const directory = process.cwd();
  const environment = {
    ...readEnvironment(directory),
    ...(options.dataDir === undefined ? {} : { DATA_DIR: options.dataDir }),
  };
  const { secretKey, previousSecretKey, dataDir } = readConfig(environment, directory);
  if (!secretKey || !previousSecretKey)
    throw new ConfigFault([
      `${secretKey ? 'SECRET_KEY_PREVIOUS' : 'SECRET_KEY'}: is missing; give the new secret in SECRET_KEY and the old one in SECRET_KEY_PREVIOUS`,
    ]);
  const { db, close } = await openDatabase(dataDir);
  try {
    return await rotateCredentials(db, createVault(secretKey, previousSecretKey));
  } finally {
    await close();
  }
}

/** Builds the world and listens; resolves once requests are served. */
export async function start(given: Config, print: (text: string) => void): Promise<RunningGateway> {
  const closers: (() => Promise<unknown> | unknown)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await build(given, print, closers, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function build(
  given: Config,
  print: (text: string) => void,
  closers: (() => Promise<unknown> | unknown)[],
  closeAll: () => Promise<void>,
): Promise<RunningGateway> {
  const now = Date.now;
  const { db, migrated, close: closeDatabase } = await openDatabase(given.dataDir);
  closers.push(closeDatabase);
  const evaluation = given.mode === 'evaluation' ? await import('./evaluation.ts') : undefined;
  const prepared = await evaluation?.prepareEvaluation(given);
  if (prepared) closers.push(() => prepared.emulator.close());
  const config = prepared?.config ?? given;
  const log = createLog(config.log, print);
  if (migrated.length > 0) log.info({ migrations: migrated }, 'the database was brought up to date');

  const held = createTrail({ sinks: sinksOf(db), log });
  closers.push(() => held.close());
  closers.push(keepAudit(config, () => deleteOldEvents(db, daysAgo(now(), config.auditRetentionDays)), log));

  // The operator names the provider's hosts, so they may be anywhere; servers are named by people with less trust.
  const wayToProvider = outbound({
    policy: { allowPrivate: true },
    headersMs: 10_000,
    totalMs: 20_000,
    maxBytes: 4 << 20,
  });
  closers.push(() => wayToProvider.close());
  const toProvider = config.mode === 'production' ? refusingEmulators(wayToProvider) : wayToProvider;
  const trusted = providersOf(config).map((provider) => trust(provider, toProvider, now));
  const clients = createOidcClients(toProvider, now);
  const ages = { maxAge: config.groups.maxAgeSeconds * 1000, grace: config.groups.graceSeconds * 1000 };
  const memberships = createMemberships({ ...ages, clients, now, fetch: toProvider });
  const refreshKey = deriveKey(config.secretKey, 'refresh-token');
  const freshPerson = createFreshPeople({
    ...{ ...ages, db, log, trusted, clients, memberships, now },
    key: refreshKey,
    fetch: toProvider,
  });
  const personal = {
    ...{ db, now, freshPerson, settings: config.tokens },
    key: deriveKey(config.secretKey, 'personal-token'),
  };
  const completeGroups = createCompleteGroups({ db, memberships });
  const tokens = tokenIdentifier({ trusted, personal, completeGroups, now });
  const login = createLogin({
    ...{ db, now, trusted, clients, fetch: toProvider },
    key: deriveKey(config.secretKey, 'login-attempt'),
  });

  const scopes = await startScopes({
    db,
    now,
    log,
    file: config.scopesFile,
    extraMappings: mappingsOf(config),
  });
  closers.push(() => scopes.close());
  const access = (identity: Identity) => accessOf(identity, scopes.grants());
  const sessions = createSessions({ db, now, refreshKey, freshPerson, limits: config.session });
  const identity = createHttpIdentity({
    ...{ sessions, accessOf: access, identifyByToken: tokens.identify },
    csrfKey: deriveKey(config.secretKey, 'csrf'),
    session: config.session,
  });

  const policy = policyOf(config);
  const vault = createVault(config.secretKey, config.previousSecretKey);
  const credentialsOf = credentialsFrom(vault);
  const routes = createRoutes(await listServers(db), credentialsOf);
  const check = createCheck({ policy, version: packageJson.version });
  const lookAfter = createLookAfter({ db, now, routes, check, credentialsOf, slowMs: config.health.slowMs });
  const decideTool = (who: Identity, server: string, tool: string): boolean =>
    decide(who, { server, method: 'tools/call', tool }, scopes.grants()).allow;
  const events = createServerEvents({ db, routes, decideTool, log, accessOf: access });
  closers.push(() => events.close());
  const intervalMs = config.health.intervalSeconds * 1000;
  const watch = createHealthWatch({ db, routes, lookAfter, log, now, intervalMs, random: Math.random });
  closers.push(() => watch.close());
  const servers = {
    ...{ db, now, routes, lookAfter, policy, vault, events, decideTool },
    newId: randomUUID as () => string,
    publicUrl: config.registryUrl,
  };
  const metrics = createMetrics({
    version: packageJson.version,
    servers: routes,
    open: () => gateway.counts(),
    audit: held.counts,
    listeners: () => events.size,
  });
  closers.push(routes.onChange((name, route) => route ?? metrics.forget(name)));
  const trail = measured(held, metrics);
  const gateway = createGateway({
    ...{ log, trail, now, newId: randomUUID },
    identify: tokens.identify,
    decide: (who, call) => decide(who, call, scopes.grants()),
    findRoute: routes.find,
    limits: { bodyBytes: config.gateway.maxBodyBytes, headersMs: config.gateway.timeoutSeconds * 1000 },
    allowedHosts: new Set(config.allowedHosts),
    allowedOrigins: new Set(config.allowedOrigins),
    ticketKey: deriveKey(config.secretKey, 'sse-session'),
    clientIp: ({ socket, headers }) =>
      clientIp(socket.remoteAddress, headers['x-forwarded-for'], config.trustedProxyHops),
    resourceMetadataUrl: (path) => resourceMetadataUrl(config.registryUrl, path),
  });
  const doctor = watchEntra(doctorOf(config, toProvider, now), { log, now });
  closers.push(() => doctor.close());
  const app = createApp({
    ...{ config, db, log, trail, now, identity, sessions, login, trusted, personal, servers },
    metrics: metrics.render,
    version: packageJson.version,
    doctor: doctor.look,
    forget: tokens.forget,
    forgetPerson(provider, subject) {
      memberships.forget(provider, subject);
      tokens.forget((known) => known.provider === provider && known.subject === subject);
    },
    uiDirectory: packagedFile('dist/ui'),
  });

  const control = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = createServer(httpOptions, (req, res) =>
    gateway.owns(req.url ?? '') ? gateway.handle(req, res) : void control(req, res),
  );
  if (config.metrics.port > 0) {
    const apart = await listenForMetrics(metrics, config.metrics);
    closers.push(() => apart.close());
  }
  await listen(server, config);
  closers.push(async () => {
    events.close();
    void watch.close();
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeIdleConnections();
    await gateway.drain(drainLimit);
    server.closeAllConnections();
    await closed;
  });

  if (evaluation) {
    const samples = await evaluation.startSamples({ ...servers, log });
    closers.push(() => samples.close());
    print(evaluation.banner(config));
  } else {
    log.info({ url: config.registryUrl, host: config.host, port: config.port }, 'the gateway serves');
  }
  if (intervalMs > 0) watch.start(Math.min(intervalMs, 5000));
  return { url: config.registryUrl, stop: closeAll };
}

/** What the trail is told is what the metrics count. */
function measured(trail: Trail, metrics: Pick<Metrics, 'record'>): Trail {
  return {
    record(event) {
      trail.record(event);
      metrics.record(event);
    },
    flush: trail.flush,
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

/** The guide's two group settings, as mappings for groups that scopes.yml does not map. */
function mappingsOf({ entra }: Config): Record<string, string[]> {
  const unrestricted = ['mcp-servers-unrestricted/read', 'mcp-servers-unrestricted/execute'];
  return {
    ...(entra?.groupAdminId
      ? { [entra.groupAdminId]: ['mcp-registry-admin', 'registry-admins', ...unrestricted] }
      : {}),
    ...(entra?.groupUsersId
      ? { [entra.groupUsersId]: ['mcp-registry-user', 'mcp-servers-restricted/read'] }
      : {}),
  };
}

function policyOf(config: Config): { allowPrivate: boolean; allow: readonly string[] } {
  const allow = config.allowedNetworks.filter((network) => network !== 'private');
  return { allowPrivate: config.allowedNetworks.includes('private'), allow };
}

/** Deletes old audit events now and every hour; answers how to stop. */
function keepAudit(
  config: Config,
  deleteOld: () => Promise<number>,
  log: ReturnType<typeof createLog>,
): () => void {
  const run = (): void => {
    deleteOld().then(
      (count) =>
        count > 0 && log.info({ count, days: config.auditRetentionDays }, 'old audit events were deleted'),
      (error: unknown) => log.error({ err: error }, 'old audit events could not be deleted'),
    );
  };
  run();
  const timer = setInterval(run, 3_600_000).unref();
  return () => clearInterval(timer);
}

function daysAgo(now: number, days: number): string {
  return new Date(now - days * 86_400_000).toISOString();
}
