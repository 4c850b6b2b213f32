import { Failure, type FailureCode } from '../failure/errors.ts';
import type { Identify, Identity } from '../identity/identity.ts';
import type { FindRoute, Route } from '../registry/servers/route.ts';
import type { Exchange } from './exchange.ts';
import { firstRefused, type Rights } from './may.ts';
import { refuse } from './refuse.ts';

/** What deciding again needs. */
export interface StillAllowedWorld extends Pick<Rights, 'decide' | 'rightsOf'> {
  readonly identify: Identify;
  readonly findRoute: FindRoute;
  each(visit: (exchange: Exchange) => void): void;
  /** Milliseconds since 1970. */
  now(): number;
}

/** Ends what is open as soon as it is no longer allowed. */
export interface StillAllowed {
  /** These identities have to prove themselves again, everything they have open is looked at, and so is all else. */
  recheck(isAffected: (identity: Identity) => boolean): void;
  close(): void;
}

/** How often what is open is compared with the rights, servers and times of this moment; a few look-ups for each. */
const everyMs = 250;
/** How long a verdict on a credential is believed, as for requests. */
const believedMs = 60_000;

/** Why something open ends: what the audit says, and the failure for who has had no answer yet. */
interface End {
  readonly reason: string;
  readonly code: FailureCode;
  readonly message: string;
}

/**
 * What was allowed can end: each request and stream under way is held against the present rights of its identity, the
 * present state of its server and the life of its credential, in one round for all of them. Reads memory only; who
 * is affected by a revocation is identified anew.
 */
export function createStillAllowed(world: StillAllowedWorld): StillAllowed {
  const look = (exchange: Exchange): void => {
    const end = reasonToEnd(world, exchange);
    if (end) endOpen(exchange, end);
  };
  const round = (): void => {
    const now = world.now();
    world.each((exchange) => {
      if (!isOpen(exchange)) return;
      if (now - exchange.identifiedAt >= believedMs)
        void identifyAnew(world, exchange).then(() => look(exchange));
      else look(exchange);
    });
  };
  const timer = setInterval(round, everyMs).unref();
  return {
    recheck(isAffected) {
      world.each((exchange) => {
        if (isOpen(exchange) && exchange.identity && isAffected(exchange.identity))
          void identifyAnew(world, exchange).then(() => look(exchange));
      });
    },
    close: () => clearInterval(timer),
  };
}

function isOpen({ decision, res }: Exchange): boolean {
  return decision === 'allow' && !res.writableEnded && !res.destroyed;
}

/** Asks again who it is. Could not tell: what was known holds until its time is over, as for requests that are cached. */
async function identifyAnew(world: StillAllowedWorld, exchange: Exchange): Promise<void> {
  exchange.identifiedAt = world.now();
  const who = await world.identify(
    exchange.req.headers,
    `/${exchange.via?.server ?? exchange.place?.server ?? ''}`,
  );
  if (!isOpen(exchange)) return;
  if (who.is === 'identity') exchange.identity = who.identity;
  else if (who.is === 'nobody')
    endOpen(exchange, { reason: who.failure.code, code: who.failure.code, message: who.failure.message });
}

function reasonToEnd(
  { decide, rightsOf, findRoute, now }: StillAllowedWorld,
  exchange: Exchange,
): End | undefined {
  const { identity, asked, place, res, longLived } = exchange;
  if (!identity || !asked || !place || !isOpen(exchange)) return undefined;
  // A call that was allowed may be answered; what streams goes on, and so needs a credential that does.
  if (identity.expiresAt <= now() && (longLived || res.headersSent))
    return { reason: 'credential_expired', code: 'credential_expired', message: 'The token has expired.' };
  const moved = reasonOfRoute(exchange, findRoute(place.server));
  if (moved) return moved;
  const rights = rightsOf(identity);
  if (rights === exchange.rights) return undefined;
  exchange.rights = rights;
  const refused = firstRefused(decide, identity, place.server, asked);
  return (
    refused && {
      reason: refused.reason,
      code: 'not_allowed',
      message: `You are no longer allowed to do this on '${place.server}'.`,
    }
  );
}

function reasonOfRoute(exchange: Exchange, route: Route | undefined): End | undefined {
  const before = exchange.route;
  if (route === before || !before) return undefined;
  if (!route || route.id !== before.id)
    return {
      reason: 'server_removed',
      code: 'not_found',
      message: `The server '${before.name}' was removed.`,
    };
  if (!route.enabled)
    return {
      reason: 'server_disabled',
      code: 'server_disabled',
      message: `The server '${before.name}' was disabled.`,
    };
  if (route.mcp?.href !== before.mcp?.href || route.sse?.href !== before.sse?.href)
    return {
      reason: 'server_moved',
      code: 'upstream_unreachable',
      message: `The server '${before.name}' has a new address; start a new session.`,
    };
  exchange.route = route;
  return undefined;
}

/** Ends it: with a refusal where no answer has begun, else by ending the stream. */
function endOpen(exchange: Exchange, { reason, code, message }: End): void {
  const { res, passage } = exchange;
  passage?.hangUp();
  if (!res.headersSent) refuse(exchange, new Failure(code, message));
  else if (res.chunkedEncoding) res.end();
  else res.destroy();
  exchange.reason = `ended: ${reason}`;
}
