import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LRUCache } from 'lru-cache';
import { createRefusals, type Refusals } from '../audit/refusals.ts';
import { asFailure, Failure } from '../failure/errors.ts';
import { type BodyRoom, ClientLeft, createBodyRoom } from '../http/request/body-room.ts';
import type { Identity, Who } from '../identity/identity.ts';
import { createShares, type Share, type Shares } from '../identity/shares.ts';
import type { Route } from '../registry/servers/route.ts';
import { admit } from './admit.ts';
import { connected, connectedAnew, withAnew } from './connected.ts';
import { auditEvent, beginExchange, type Exchange } from './exchange.ts';
import { type Errand, forward } from './forward.ts';
import { createOlderStreams, type OlderStreams } from './legacy.ts';
import { defaultLimits, type GatewayLimits } from './limits.ts';
import { createListMemory, type ListMemory } from './lists/list-memory.ts';
import { decideAll, filterFor, requireReach } from './may.ts';
import { ownAuthorization, requestHeaders } from './pass-headers.ts';
import { type Asking, ask } from './read/ask.ts';
import { owns, type Place } from './read/place.ts';
import type { AskedCall } from './read/read-call.ts';
import { answerEmptyList, asksForOneList, refuse } from './refuse.ts';
import { routeTo, type Target } from './route.ts';
import { createOpenings, type Openings } from './sessions/openings.ts';
import { createSeals, type Seals } from './sessions/seals.ts';
import { takeCall, takeStream } from './sessions/seats.ts';
import { createSessions, type McpSessions, type SessionPlace } from './sessions/sessions.ts';
import { createTasks, type Tasks } from './sessions/tasks.ts';
import { tendAnswers } from './sessions/tend.ts';
import { createStillAllowed } from './still-allowed.ts';
import { createTraffic, type Traffic } from './traffic.ts';
import { answerOpening, findConnected } from './unconnected.ts';
import { createUpstreams, type Upstreams } from './upstream/upstream.ts';
import type { Gateway, GatewayWorld, ServerSession, Terminal } from './world.ts';

interface Running extends Omit<GatewayWorld, 'terminal'> {
  readonly terminal: Terminal | undefined;
  readonly limits: GatewayLimits;
  readonly lists: ListMemory;
  readonly sessions: McpSessions;
  readonly tasks: Tasks;
  readonly openings: Openings;
  readonly showUrls: LRUCache<string, true>;
  readonly olderStreams: OlderStreams;
  readonly shares: Shares;
  readonly refusals: Refusals;
  readonly bodies: BodyRoom;
  readonly tickets: Seals;
  readonly upstreams: Upstreams;
  readonly traffic: Traffic;
}

/** Makes the data plane for a world; it opens no connection until it is asked to. */
export function createGateway(world: GatewayWorld): Gateway {
  const limits = { ...defaultLimits, ...world.limits };
  const random = (): [Buffer] => [randomBytes(32)];
  const keys = world.keys ?? { ticket: random(), session: random(), task: random() };
  const [upstreams, traffic] = [createUpstreams(limits, world.connect, world.now), createTraffic()];
  const shares = createShares();
  const terminal = world.terminal?.({
    ...{ upstreams, limits, each: traffic.each },
    takeCall: (identity, pool) => takeCall(shares, shares.of(identity), pool, limits),
    waitFor: (asked, route) => waitFor(asked, route, limits),
    authorizationOf: ({ req }, credentials) => ownAuthorization(req, credentials, world.isForGateway),
    connected: async (exchange, target, identity) => {
      const to = await connected(world.connections, exchange, target, identity);
      return world.connections ? withAnew(world.connections, exchange, to, identity) : to;
    },
  });
  const { bodyBytes, bodyBytesPerIdentity, bodyBytesTotal, bodyMs } = limits;
  const running: Running = {
    ...{ ...world, limits, upstreams, traffic, terminal },
    lists: createListMemory(),
    sessions: createSessions(keys.session),
    tasks: createTasks(keys.task, world.taskNotes),
    showUrls: new LRUCache({ max: 20_000 }),
    openings: createOpenings(limits.openingMs),
    refusals: createRefusals(limits.refusalsPerMinute, world.now),
    olderStreams: createOlderStreams(({ identity }) => identity && shares.of(identity).holder),
    shares,
    bodies: createBodyRoom({
      one: bodyBytes,
      perHolder: bodyBytesPerIdentity,
      total: bodyBytesTotal,
      ms: bodyMs,
    }),
    tickets: createSeals(keys.ticket),
  };
  const endTending = tendAnswers(traffic.each, limits);
  const stillAllowed = createStillAllowed({ ...running, each: traffic.each });
  const drain = async (limitMs: number): Promise<void> => {
    await traffic.drain(limitMs);
    endTending();
    stillAllowed.close();
    running.tasks.close();
    terminal?.close();
    await upstreams.destroy();
  };
  return {
    owns,
    handle: (req, res, waitsToSend = false) => handle(running, req, res, waitsToSend),
    counts: () => ({ calls: traffic.calls, streams: traffic.streams, upstream: upstreams.counts() }),
    isResting: (server) => upstreams.isResting(server),
    recheck: stillAllowed.recheck,
    drain,
    close: () => drain(0),
  };
}

function handle(gateway: Running, req: IncomingMessage, res: ServerResponse, waitsToSend: boolean): void {
  const exchange = beginExchange(req, res, gateway.newId(), gateway.now(), waitsToSend);
  gateway.traffic.add(exchange);
  exchange.opening = gateway.openings.begin(req);
  // The `finally` of every exchange, however it ends: emitted once, after the answer or the loss of the client.
  res.on('close', () => finish(gateway, exchange));
  // A write that meets a connection just lost must not become an uncaught error; 'close' follows.
  res.on('error', ignore);
  serve(gateway, exchange).catch((error: unknown) => {
    const { identity } = exchange;
    const counts = identity && error instanceof Failure && error.code === 'not_allowed';
    fail(exchange, counts ? gateway.refusals.of(exchange, gateway.shares.of(identity).holder, error) : error);
  });
}

function ignore(): void {}

async function serve(gateway: Running, exchange: Exchange): Promise<void> {
  const { decide, limits, traffic, shares } = gateway;
  // From the head alone: where it goes, who it is, and whether that identity has anything there.
  const place = admit(exchange, gateway, traffic.size <= limits.requests);
  const who = gateway.identify(exchange.req.headers, `/${place.server}`, exchange.req.socket);
  const identity = identityOf(gateway, exchange, place, who instanceof Promise ? await who : who);
  requireReach(decide, exchange, identity, place.server);
  const share = shares.of(identity);
  const asking = await ask(exchange, gateway.bodies, share, limits);
  const { asked, method } = asking;
  exchange.say = gateway.olderStreams.sayingFor({ place, holder: share.holder });
  const empty = asksForOneList(asked, exchange);
  if (!decideAll(decide, exchange, identity, place.server, asked, empty))
    return answerEmptyList(exchange, asked);
  exchange.rights = gateway.rightsOf(identity);
  traffic.checkDraining(exchange);
  if (gateway.terminal?.owns(place.server)) {
    if (exchange.longLived) exchange.leave = takeStream(shares, share, limits);
    return gateway.terminal.serve({ exchange, identity, place, asking });
  }
  const found = routeTo(gateway.findRoute, gateway.tickets, place, method, share.holder);
  exchange.route = found.route;
  const looked = found.route.egress
    ? findConnected(gateway, { exchange, identity, holder: share.holder, asking }, found)
    : { target: found, asking, isWaiting: false };
  const way = looked instanceof Promise ? await looked : looked;
  if (!way) return;
  const { target } = way;
  const sent = { gateway, exchange, identity, share, asking: way.asking };
  const own = way.isWaiting ? await ownSession(sent, target) : undefined;
  if (own === 'answered') return;
  const errand = { ...errandFor(sent, target, own), takesOver: retryOf(sent, target, own) };
  const turn = method === 'POST' ? gateway.openings.turnOf(exchange.req) : undefined;
  if (turn) await turn;
  // Who left while it was found out who it is must not leave a stream behind that nobody ends.
  if (exchange.res.writableEnded || exchange.res.destroyed) throw new ClientLeft();
  exchange.leave = exchange.longLived
    ? takeStream(shares, share, limits)
    : takeCall(shares, share, target.pool, limits);
  forward(gateway.upstreams, exchange, errand);
}

/** Who is calling; fails for nobody (401, with the way to sign in) and for could-not-tell (503). */
function identityOf(gateway: Running, exchange: Exchange, place: Place, who: Who): Identity {
  if (who.is !== 'identity') {
    exchange.challenge = gateway.resourceMetadataUrl(`/${place.server}/${place.endpoint}`);
    throw who.failure;
  }
  exchange.identity = who.identity;
  if (who.identity.onlyReading)
    exchange.challenge = gateway.resourceMetadataUrl(`/${place.server}/${place.endpoint}`);
  return who.identity;
}

/** A request that is allowed, and whose. */
interface Allowed {
  readonly gateway: Running;
  readonly exchange: Exchange;
  readonly identity: Identity;
  readonly share: Share;
  readonly asking: Asking;
}

/** The server's session behind one that began before there was a connection; what only opens it is answered here. */
async function ownSession({ gateway, exchange, identity, share, asking }: Allowed, target: Target) {
  const { kind, method } = asking.asked.messages[0];
  if (kind === 'notification') {
    answerOpening(exchange, method);
    return 'answered' as const;
  }
  const { connections, terminal } = gateway;
  if (!terminal) throw new Failure('not_found', 'This session is not known; begin with initialize.');
  const to = connections ? withAnew(connections, exchange, target, identity) : target;
  return terminal.sessionAt(exchange, share.holder, to);
}

/** Makes a request anew, once, whose credential the server refused, or whose session that was found for it is gone. */
function retryOf(sent: Allowed, target: Target, own: ServerSession | undefined): Errand['takesOver'] {
  const { gateway, exchange, identity, share } = sent;
  const { connections, terminal } = gateway;
  if (!target.connection || !connections) return undefined;
  const again = (making: Promise<Errand | undefined>): true => {
    making
      .then((errand) => {
        if (errand && !exchange.res.destroyed) forward(gateway.upstreams, exchange, errand);
      })
      .catch((error: unknown) => fail(exchange, error));
    return true;
  };
  return (status) => {
    if (status === 401)
      return again(
        connectedAnew(connections, exchange, target, identity).then(
          (anew) => anew && errandFor(sent, anew, own),
        ),
      );
    if (!own || !terminal || own.id === null || ![400, 404, 410].includes(status)) return false;
    return again(
      terminal.sessionAt(exchange, share.holder, target, own).then((fresh) => errandFor(sent, target, fresh)),
    );
  };
}

/** How a request that is allowed goes to its server, and what is made of the answer. */
function errandFor(
  { gateway, exchange, identity, share, asking }: Allowed,
  target: Target,
  own?: ServerSession,
): Errand {
  const { holder } = share;
  const { req, asked } = exchange;
  const { limits, sessions, olderStreams } = gateway;
  const { credentials, route, rewriteOther } = target;
  const rewrite = rewriteOther && olderStreams.noting(exchange, rewriteOther);
  const at: SessionPlace = { serverId: route.id, origin: target.origin, holder };
  const tasks = asked && gateway.tasks.of(at, asked, asking.body);
  const sent = (asking.body && tasks?.opened(exchange, asking.body)) || { ...asking, name: undefined };
  const filter = asked && filterFor(gateway, identity, route, asked, rewrite, limits.filterBytes, tasks);
  const given = req.headers['mcp-session-id'];
  const session = own
    ? (own.id ?? undefined)
    : typeof given === 'string'
      ? sessions.open(at, given)
      : undefined;
  const authorization = ownAuthorization(req, credentials, gateway.isForGateway);
  const readable = filter !== undefined || exchange.longLived;
  return {
    ...target,
    ...{ method: asking.method, body: sent.body },
    headers: requestHeaders(exchange, {
      readable,
      credentials,
      session,
      authorization,
      name: sent.name,
      version: own?.version,
    }),
    filter,
    wait: waitFor(asked, route, limits),
    passesChallenge: credentials.forwardAuthorization,
    onAnswer(answered) {
      exchange.opening?.done();
      if (answered === undefined || own) return undefined;
      return answered === session ? String(given) : sessions.seal(at, answered);
    },
    onToolsChanged: () => gateway.toolsChanged(route.name),
  };
}

/** Methods that a server answers from what it has at hand; all others may work. */
const atHand =
  /^(?:initialize|ping|notifications\/|logging\/|server\/discover|[a-z/]+\/list$|\$end|\$response)/;

/** How long the beginning of an answer is waited for, and the setting that says so. */
function waitFor(
  asked: AskedCall | undefined,
  route: Route,
  { headersMs, callMs }: GatewayLimits,
): Errand['wait'] {
  if (asked?.messages.every(({ method }) => atHand.test(method)))
    return { ms: headersMs, setting: 'the setting MCP_PROXY_TIMEOUT' };
  return route.callMs === null
    ? { ms: callMs, setting: 'the setting MCP_CALL_TIMEOUT_SECONDS, or call_timeout_seconds of this server,' }
    : { ms: route.callMs, setting: 'call_timeout_seconds of this server' };
}

function fail(exchange: Exchange, error: unknown): void {
  const { res } = exchange;
  if (error instanceof ClientLeft || res.writableEnded || res.destroyed) return;
  if (!res.headersSent) refuse(exchange, asFailure(error));
  else res.destroy();
}

function finish(gateway: Running, exchange: Exchange): void {
  const { traffic, trail, log, now, clientIp } = gateway;
  if (!exchange.res.writableFinished) {
    exchange.passage?.hangUp();
    exchange.reason ??= 'client_left';
  }
  exchange.opening?.done();
  gateway.olderStreams.remove(exchange);
  exchange.leave?.();
  exchange.freeBody?.();
  traffic.remove(exchange);
  trail.record(auditEvent(exchange, clientIp(exchange.req), now()));
  const { failure, id } = exchange;
  if (failure && failure.status >= 500)
    log.warn({ correlationId: id, server: exchange.place?.server, err: failure.cause }, failure.message);
}
