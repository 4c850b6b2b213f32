import type { Credential } from '../egress/credential.ts';
import { Failure } from '../failure/errors.ts';
import type { Credentials, FindRoute, Route } from '../registry/servers/route.ts';
import { rewriteEndpoint, ticketIn } from './legacy.ts';
import type { RewriteEvent } from './lists/sse.ts';
import type { Place } from './read/place.ts';
import type { Seals } from './sessions/seals.ts';

/** Where a request goes. */
export interface Target {
  readonly server: string;
  readonly route: Route;
  /** Whose connections are used: those of one server at one address, so that no server waits for another's. */
  readonly pool: string;
  readonly origin: string;
  readonly path: string;
  /** What goes along on the operator's behalf. */
  readonly credentials: Credentials;
  /** Whose credential is among them, where it is not the operator's. */
  readonly connection?: Credential['connection'] | undefined;
  /** The same with another credential, once the server has refused this one; fails where there is none. */
  readonly anew?: (() => Promise<Target | undefined>) | undefined;
  /** On the stream of a legacy SSE session: gives the client an address for its messages. */
  readonly rewriteOther?: RewriteEvent | undefined;
}

const addresses = new WeakMap<URL, Target>();

/** Finds where to send a request of an identity that is allowed to make it; fails when there is no such place. */
export function routeTo(
  findRoute: FindRoute,
  tickets: Seals,
  place: Place,
  method: string | undefined,
  identityHolder: string,
): Target {
  const route = findRoute(place.server);
  if (!route) throw new Failure('not_found', `Server '${place.server}' does not exist.`);
  if (!route.enabled) throw new Failure('server_disabled', `The server '${place.server}' is disabled.`);
  const { mcp, sse, credentials } = route;
  if (!credentials)
    throw new Failure(
      'credential_unreadable',
      `The gateway cannot read its credential for '${place.server}'; an administrator has to set it again.`,
    );
  if (place.endpoint === 'mcp' && mcp) return addressOf(route, mcp, credentials);
  // Clients that find no streamable HTTP at an address try the older transport at the same one.
  const wantsSse = place.endpoint === 'sse' || (place.endpoint === 'mcp' && method === 'GET');
  const holder = [route.id, sse?.origin ?? '', identityHolder];
  if (sse && wantsSse)
    return { ...addressOf(route, sse, credentials), rewriteOther: endpointOf(route, sse, tickets, holder) };
  if (sse && place.endpoint === 'messages')
    return { ...messagesOf(place, sse, tickets, holder), credentials, route };
  throw new Failure('not_found', `The server '${place.server}' does not speak this transport.`);
}

function endpointOf(route: Route, sse: URL, tickets: Seals, holder: readonly string[]): RewriteEvent {
  return rewriteEndpoint(sse, `/${route.name}/messages`, (address) => tickets.seal(address, holder));
}

function messagesOf(
  place: Place,
  sse: URL,
  tickets: Seals,
  holder: readonly string[],
): Omit<Target, 'credentials' | 'route'> {
  const ticket = ticketIn(place.query);
  const path = ticket === undefined ? undefined : tickets.open(ticket, holder);
  if (path === undefined) throw new Failure('not_found', 'This session is not known; open the stream again.');
  return { server: place.server, pool: poolOf(sse), origin: sse.origin, path };
}

/** Two paths to one server share its connections, and so its limits; two servers on one host do not. */
function poolOf(url: URL): string {
  return url.origin + url.pathname;
}

/** The address of a server at one of its endpoints; one object as long as it stays the same. */
export function addressOf(route: Route, url: URL, credentials: Credentials): Target {
  const { name } = route;
  const known = addresses.get(url);
  if (known?.route === route) return known;
  const address = {
    ...{ server: name, route, pool: poolOf(url), origin: url.origin },
    ...{ path: url.pathname + url.search, credentials },
  };
  addresses.set(url, address);
  return address;
}
