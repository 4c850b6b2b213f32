import type { RequestListener } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Reply } from '../../contract/endpoint.ts';
import type { Call, Decision } from '../access/call.ts';
import { decide } from '../access/decide.ts';
import { holdingOf } from '../access/grants.ts';
import { createApp } from '../app.ts';
import type { Trail } from '../audit/event.ts';
import { recordChange } from '../changes/record.ts';
import { packagedFile } from '../config/config.ts';
import { knownProviders } from '../config/config-oidc.ts';
import { acquireLease } from '../db/lease.ts';
import type { Connecting } from '../egress/connecting.ts';
import type { EgressCredentials } from '../egress/credential.ts';
import type { ConnectionsEnded, Revocations } from '../egress/revoke.ts';
import type { FailureCode } from '../failure/errors.ts';
import { createGateway } from '../gateway/handle.ts';
import type { Gateway } from '../gateway/world.ts';
import type { HttpIdentity } from '../http/env.ts';
import { createTurns, type Turn } from '../http/guards/turns.ts';
import { createHttpIdentity } from '../http/http-identity.ts';
import { resourceMetadataUrl } from '../http/protected-resource.ts';
import { clientIp, networkOf } from '../http/request/client-ip.ts';
import { type Watch, watchProviders } from '../iam/watch.ts';
import { groupNames } from '../identity/groups/group-names.ts';
import { identityChanges, isAbout } from '../identity/identify.ts';
import type { Identity } from '../identity/identity.ts';
import { deriveKey, type KeyPurpose } from '../identity/keys.ts';
import { createIds } from '../ids.ts';
import { createMetrics, type Metrics } from '../metrics/metrics.ts';
import { guardedConnector } from '../net/connector.ts';
import type { ConsentWorld } from '../oauth/consent/consent.ts';
import type { JobEndpointsWorld } from '../registry/jobs/handlers.ts';
import { searchHandlers } from '../registry/search/handlers.ts';
import type { HealthWatch } from '../registry/servers/health/watch-health.ts';
import type { Finder } from '../search/finder.ts';
import type { OtherProcesses } from '../virtual/call-member.ts';
import { decideThrough } from '../virtual/locate.ts';
import type { RegistryToolsWorld } from '../virtual/registry-tools.ts';
import { createVirtualServing } from '../virtual/serve.ts';
import { startAccounts } from './accounts.ts';
import type { Base } from './base.ts';
import { buildEgress } from './egress.ts';
import type { Ending } from './ending.ts';
import type { IdentityParts } from './identity.ts';
import type { Inventory } from './inventory.ts';
import { examineKeys } from './keys.ts';
import { buildOauth } from './oauth.ts';
import { overview } from './overview.ts';
import { createTaskNotes } from './task-notes.ts';
import { allOf, doctorOf } from './tools.ts';
import { recordsOfGroups, recordsOfTokens } from './unasked-grants.ts';

/** What the two planes are built from. */
interface Parts {
  readonly base: Base;
  readonly identity: IdentityParts;
  readonly inventory: Inventory;
  readonly search: Finder<Identity>;
  readonly version: string;
  /** Whether the process was asked to end. */
  readonly isLeaving: () => boolean;
}

/** Builds the data plane, the control plane and the metrics of both. */
export function buildPlanes(parts: Parts, ending: Ending) {
  const { base, inventory } = parts;
  const egress = buildEgress(base, parts.identity, inventory, ending);
  const providers = doctorOf(base.config, parts.identity.toProvider, base.now);
  const examine = () => allOf([providers(), examineKeys(base.keys), egress.examine()]);
  const doctor = watchProviders(examine, {
    ...base,
    // Released by nobody: a day later it is free for whoever is next.
    isOurTurn: async () => (await acquireLease(base.db, 'doctor', 23 * 3_600_000)) !== undefined,
  });
  ending.defer(() => doctor.close());
  const metrics = createMetrics({
    version: parts.version,
    servers: inventory.routes,
    open: () => gateway.counts(),
    isResting: (server) => gateway.isResting(server),
    audit: base.trail.counts,
    trailRoom: base.trailRoom,
    listeners: () => inventory.events.size,
    daysLeft: doctor.daysLeft,
  });
  ending.defer(base.feed.follow(['server'], () => metrics.dropGone()));
  const trail = measured(base.trail, metrics, inventory.watch);
  const gateway = dataPlane(parts, trail, egress.credentials);
  const { grants } = inventory.scopes;
  const { qualify } = groupNames(base.config.providers, knownProviders);
  const jobs = startAccounts(
    base,
    parts.identity,
    trail,
    { grants, qualify, manages: base.config.iam.manages },
    ending,
  );
  const http = createHttpIdentity({
    ...{ sessions: parts.identity.sessions, accessOf: inventory.access },
    identifyByToken: parts.identity.tokens.identify,
    csrfKey: deriveKey(base.config.secretKey, 'csrf'),
    session: base.config.session,
  });
  parts.identity.servers.find = inventory.routes.find;
  parts.identity.scopes.groups = () => grants().byGroup.keys();
  parts.identity.seen.groups = recordsOfGroups({ ...base, trail }, parts.identity.trusted, grants);
  const recordToken = recordsOfTokens({ ...base, trail }, parts.identity.trusted, grants);
  parts.identity.seen.token = (identity) =>
    void recordToken(identity).catch((error: unknown) =>
      base.log.warn({ err: error }, 'it could not be recorded which groups a token names'),
    );
  const oauth = buildOauth({ ...parts, trail, http }, ending);
  const { connecting, revocations, connectionsEnded } = egress;
  const turn = createTurns();
  const app = controlPlane(parts, {
    turn,
    ...{ trail, metrics, doctor, jobs, http, connecting, revocations, connectionsEnded },
    consent: oauth.consent,
  });
  const control = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const { trustedProxyHops } = base.config;
  const listener: RequestListener = (req, res) => {
    const url = req.url ?? '';
    if (gateway.owns(url)) return gateway.handle(req, res);
    // Who calls the API is known there, and takes turns there.
    if (url.startsWith('/api/')) return void control(req, res);
    const address = clientIp(req.socket.remoteAddress, req.headers['x-forwarded-for'], trustedProxyHops);
    void turn(`from ${networkOf(address)}`).then(() => {
      if (oauth.endpoints.owns(url)) oauth.endpoints.handle(req, res);
      else void control(req, res);
    });
  };
  const continueListener: RequestListener = (req, res) => {
    const url = req.url ?? '';
    if (gateway.owns(url)) return gateway.handle(req, res, true);
    res.writeContinue();
    listener(req, res);
  };
  endWhatIsNoLongerAllowed(parts, gateway, ending);
  return { gateway, metrics, listener, continueListener };
}

/** What is open in either plane ends when the credential behind it does, whoever ended it and in whichever process. */
function endWhatIsNoLongerAllowed(
  { base, inventory }: Parts,
  gateway: Pick<Gateway, 'recheck'>,
  ending: Ending,
): void {
  // After the caches of identity, which follow the same changes: who is asked again must not be told what was.
  ending.defer(
    base.feed.follow([...identityChanges, 'session'], (change) => {
      const isAffected = (known: Identity): boolean => isAbout(change, known);
      gateway.recheck(isAffected);
      inventory.events.end(isAffected);
    }),
  );
}

/** What the registry's own MCP tools find, by the search that the API has. */
function registrySearch(
  { db, config }: Base,
  inventory: Inventory,
  finder: Finder<Identity>,
): Pick<RegistryToolsWorld, 'findTools' | 'findAll'> {
  const { virtualServers } = inventory;
  const semantic = searchHandlers({ db, finder, publicUrl: config.registryUrl, virtualServers })[
    'search.semantic'
  ];
  return {
    async findTools(identity, query, limit) {
      const { hits } = await finder.search(identity, query, { kinds: ['tool'] });
      const tools = hits.slice(0, limit).map(({ item, score, similarity }) => ({
        ...{ path: item.path, server_name: item.owner, name: item.name, description: item.description },
        ...{ inputSchema: JSON.parse(item.definition ?? '{}').inputSchema ?? { type: 'object' } },
        ...{ score, similarity },
      }));
      return { tools, total: hits.length };
    },
    async findAll(identity, query, limit) {
      const access = inventory.access(identity);
      const caller = { identity, access, correlationId: '', note: () => undefined };
      const body = { query, max_results: limit, include_disabled: false, include_draft: false };
      const found = await semantic(
        { params: undefined, query: undefined, body: { ...body, include_deprecated: false } },
        caller,
      );
      return found instanceof Reply ? found.body : found;
    },
  };
}

/** Cancelled calls are told by the change feed, to all processes. */
function otherProcesses({ db, feed }: Base): OtherProcesses {
  return {
    cancelled: (call) => recordChange(db, 'call', call),
    follow: (listener) =>
      feed.follow(['call'], ({ key }) => {
        if (key !== null) listener(key);
      }),
  };
}

function dataPlane(
  { base, identity, inventory, search }: Parts,
  trail: Trail,
  connections: EgressCredentials,
) {
  const { config, feed, log, now } = base;
  const { scopes, routes } = inventory;
  const decideCall = (who: Identity, call: Call) => decide(who, call, scopes.grants());
  const decideAny = decideThrough(inventory.virtualServers.table, decideCall, inventory.access);
  return createGateway({
    terminal: createVirtualServing({
      ...{ db: base.db, now, findRoute: routes.find, table: inventory.virtualServers.table },
      ...{ decide: decideCall, accessOf: inventory.access, ...registrySearch(base, inventory, search) },
      key: deriveKey(config.secretKey, 'virtual-session'),
      rightsOf: (who) => holdingOf(who, scopes.grants()),
      toolsChanged: inventory.watch.soon,
      onChange: (listener) => base.feed.follow(['server', 'virtual_server', 'scope'], listener),
      ...(config.database ? { elsewhere: otherProcesses(base) } : {}),
    }),
    ...{ log, trail, now, connections, newId: createIds(now) },
    identify: (headers, at, connection) =>
      feed.current()?.then(() => identity.tokens.identify(headers, at, connection)) ??
      identity.tokens.identify(headers, at, connection),
    decide: decideAny,
    rightsOf: (who) => holdingOf(who, scopes.grants()),
    taskNotes: createTaskNotes(base),
    findRoute: routes.find,
    toolsChanged: inventory.watch.soon,
    connect: guardedConnector({
      ...inventory.wayOut,
      policy: inventory.servers.policy,
      timeoutMs: config.gateway.limits.connectMs,
    }),
    limits: config.gateway.limits,
    allowedHosts: new Set(config.allowedHosts),
    allowedOrigins: new Set(config.allowedOrigins),
    keys: {
      ticket: keysFor(config, 'sse-session'),
      session: keysFor(config, 'mcp-session'),
      task: keysFor(config, 'mcp-task'),
    },
    isForGateway: identity.tokens.isForGateway,
    clientIp: ({ socket, headers }) =>
      clientIp(socket.remoteAddress, headers['x-forwarded-for'], config.trustedProxyHops),
    resourceMetadataUrl: (path) => resourceMetadataUrl(config.registryUrl, path),
  });
}

/** The key of a purpose under the present secret, and under the one before, where that is at hand. */
function keysFor(
  { secretKey, previousSecretKey }: Base['config'],
  purpose: KeyPurpose,
): readonly [Buffer, ...Buffer[]] {
  const previous = previousSecretKey ? [deriveKey(previousSecretKey, purpose)] : [];
  return [deriveKey(secretKey, purpose), ...previous];
}

/** What the control plane is built from besides. */
interface ControlParts {
  readonly turn: Turn;
  readonly trail: Trail;
  readonly metrics: Metrics;
  readonly doctor: Watch;
  readonly jobs: JobEndpointsWorld;
  readonly http: HttpIdentity;
  readonly consent: ConsentWorld;
  readonly connecting: Connecting;
  readonly revocations: Revocations;
  readonly connectionsEnded: ConnectionsEnded;
}

function controlPlane({ base, identity, inventory, search, version, isLeaving }: Parts, parts: ControlParts) {
  const { allow, config, db, reads, log, now } = base;
  const { trusted, personal, login, sessions } = identity;
  const { trail, metrics, doctor, jobs, http, consent, connecting, revocations, connectionsEnded } = parts;
  const { directory } = jobs;
  return createApp({
    turn: parts.turn,
    ...{ allow, config, db, reads, log, trail, now, sessions, login, trusted, personal, version, consent },
    identity: http,
    servers: inventory.servers,
    virtualServers: inventory.virtualServers,
    scopes: {
      ...{ db, now, scopes: inventory.scopes, directory },
      ...{ grants: jobs.grants, qualify: jobs.qualify, manages: jobs.manages },
      groupsAreIds: config.providers.every((name) => name === 'entra'),
    },
    grants: inventory.scopes.grants,
    connectionsEnded,
    connections: {
      ...{ db, now, connecting, revocations, rows: inventory.servers.rows, ...inventory.servers.egress },
      grants: inventory.scopes.grants,
      isAdmin: (who) => inventory.access(who).isAdmin,
      listsConnected: inventory.watch.soon,
      reaches: (who, server) => reaches(decide(who, { server, method: '' }, inventory.scopes.grants())),
    },
    search,
    jobs,
    metrics: metrics.render,
    doctor: doctor.look,
    caughtUp: base.feed.caughtUp,
    behindSince: base.feed.behindSince,
    isLeaving,
    trailAlarm: () => base.trailRoom().alarm,
    overview: () => overview(base),
    uiDirectory: packagedFile('dist/ui'),
    docsDirectory: packagedFile('dist/docs'),
  });
}

/** Whether somebody has anything on a server at all. */
function reaches(decision: Decision): boolean {
  return decision.allow || (decision.reason !== 'server' && decision.reason !== 'no-scopes');
}

/** Why a call failed when its server was not reached. */
const notReached: ReadonlySet<string | undefined> = new Set<FailureCode>([
  ...(['upstream_unreachable', 'upstream_timeout', 'upstream_resting'] as const),
]);

/** What is recorded is what the metrics count, and what the watch over the servers' health knows of calls. */
function measured(trail: Trail, metrics: Pick<Metrics, 'record'>, watch: Pick<HealthWatch, 'met'>): Trail {
  return {
    record(event) {
      trail.record(event);
      metrics.record(event);
      if (event.kind !== 'mcp' || event.resource === null || event.decision === 'deny') return;
      if (event.decision === 'allow') watch.met(event.resource, true);
      else if (notReached.has(event.reason)) watch.met(event.resource, false);
    },
    flush: trail.flush,
  };
}
