import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { asFailure } from '../failure/errors.ts';
import { admit } from './admit.ts';
import { ask } from './ask.ts';
import { auditEvent, beginExchange, type Exchange } from './exchange.ts';
import { type Errand, forward } from './forward.ts';
import { identify } from './identify.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { createListMemory, type ListMemory } from './list-memory.ts';
import { decideAll, filterFor } from './may.ts';
import { createOpenings, type Openings } from './openings.ts';
import { requestHeaders } from './pass-headers.ts';
import { owns } from './place.ts';
import { ClientLeft } from './read-body.ts';
import { refuse } from './refuse.ts';
import { routeTo } from './route.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { createStreamSeats, type StreamSeats } from './stream-seats.ts';
import { tendAnswers } from './tend.ts';
import { createTickets, type Tickets } from './ticket.ts';
import { createTraffic, type Traffic } from './traffic.ts';
import { createUpstreams, type Upstreams } from './upstream.ts';
import type { Gateway, GatewayWorld } from './world.ts';

interface Running extends GatewayWorld {
  readonly limits: Limits;
  readonly lists: ListMemory;
  readonly sessions: Sessions;
  readonly openings: Openings;
  readonly seats: StreamSeats;
  readonly tickets: Tickets;
  readonly upstreams: Upstreams;
  readonly traffic: Traffic;
}

/** Makes the data plane for a world; it opens no connection until it is asked to. */
export function createGateway(world: GatewayWorld): Gateway {
  const limits = { ...defaultLimits, ...world.limits };
  const tickets = createTickets(world.ticketKey ?? randomBytes(32));
  const [upstreams, traffic] = [createUpstreams(limits, world.connect, world.now), createTraffic()];
  const sessions = createSessions(limits.sessions);
  const openings = createOpenings(limits.openingMs);
  const seats = createStreamSeats(limits.streamsPerIdentity);
  const lists = createListMemory();
  const memory = { lists, sessions, openings, seats };
  const running: Running = { ...world, limits, ...memory, tickets, upstreams, traffic };
  const endTending = tendAnswers(traffic.each, limits);
  const drain = async (limitMs: number): Promise<void> => {
    await traffic.drain(limitMs);
    endTending();
    await upstreams.destroy();
  };
  return {
    owns,
    handle: (req, res) => handle(running, req, res),
    counts: () => ({ calls: traffic.calls, streams: traffic.streams, upstream: upstreams.counts() }),
    isResting: (server) => upstreams.isResting(server),
    drain,
    close: () => drain(0),
  };
}

function handle(gateway: Running, req: IncomingMessage, res: ServerResponse): void {
  const exchange = beginExchange(req, res, gateway.newId(), gateway.now());
  gateway.traffic.add(exchange);
  exchange.opening = gateway.openings.begin(req);
  // The `finally` of every exchange, however it ends: emitted once, after the answer or the loss of the client.
  res.once('close', () => finish(gateway, exchange));
  // A write that meets a connection just lost must not become an uncaught error; 'close' follows.
  res.on('error', ignore);
  serve(gateway, exchange).catch((error: unknown) => fail(exchange, error));
}

function ignore(): void {}

async function serve(gateway: Running, exchange: Exchange): Promise<void> {
  const { decide, findRoute, limits, openings, sessions, tickets, traffic, upstreams } = gateway;
  const { req } = exchange;
  const place = admit(exchange, gateway, traffic.size <= limits.requests);
  const identity = await identify(gateway, exchange, place);
  const { asked, method, body } = await ask(exchange, limits);
  decideAll(decide, exchange, identity, place.server, asked);
  traffic.checkDraining(exchange, asked);
  sessions.check(place.server, req.headers['mcp-session-id'], identity);
  const target = routeTo(findRoute, tickets, place, method, identity);
  const filter = filterFor(gateway, identity, place.server, asked, target.rewriteOther, limits.filterBytes);
  const isRead = filter !== undefined || exchange.longLived;
  const headers = requestHeaders(exchange, isRead, target.credentials);
  const onAnswer: Errand['onAnswer'] = (answer) => {
    exchange.opening?.done();
    sessions.note(place.server, answer['mcp-session-id'], identity, asked);
  };
  const onToolsChanged = (): void => gateway.toolsChanged(place.server);
  const { headersMs } = limits;
  const turn = method === 'POST' ? openings.turnOf(req) : undefined;
  if (turn) await turn;
  // Who left while it was found out who it is must not leave a stream behind that nobody ends.
  if (exchange.res.writableEnded || exchange.res.destroyed) throw new ClientLeft();
  if (exchange.longLived) exchange.leave = gateway.seats.take(identity);
  const errand = { ...target, method, headers, body, filter, headersMs, onAnswer, onToolsChanged };
  forward(upstreams, exchange, errand);
}

function fail(exchange: Exchange, error: unknown): void {
  const { res } = exchange;
  if (error instanceof ClientLeft || res.writableEnded || res.destroyed) return;
  if (!res.headersSent) refuse(exchange, asFailure(error));
  else res.destroy();
}

function finish({ traffic, trail, log, now, clientIp }: Running, exchange: Exchange): void {
  if (!exchange.res.writableFinished) {
    exchange.passage?.hangUp();
    exchange.reason ??= 'client_left';
  }
  exchange.opening?.done();
  exchange.leave?.();
  traffic.remove(exchange);
  trail.record(auditEvent(exchange, clientIp(exchange.req), now()));
  const { failure, id } = exchange;
  if (failure && failure.status >= 500)
    log.warn({ correlationId: id, server: exchange.place?.server, err: failure.cause }, failure.message);
}
