import { Failure } from '../failure/errors.ts';
import type { Identity } from '../identity/identity.ts';
import type { Credentials, FindRoute, Route } from '../registry/servers/route.ts';
import { rewriteEndpoint, ticketIn } from './legacy.ts';
import type { Place } from './place.ts';
import type { RewriteEvent } from './sse.ts';
import type { Tickets } from './ticket.ts';

/** Where a request goes. */
export interface Target {
  readonly server: string;
  /** Whose connections are used: those of one server at one origin, so that no server waits for another's. */
  readonly pool: string;
  readonly origin: string;
  readonly path: string;
  /** What goes along on the operator's behalf. */
  readonly credentials: Credentials;
  /** On the stream of a legacy SSE session: gives the client an address for its messages. */
  readonly rewriteOther?: RewriteEvent | undefined;
}

const addresses = new WeakMap<URL, Target>();

/** Finds where to send a request of an identity that is allowed to make it; fails when there is no such place. */
export function routeTo(
  findRoute: FindRoute,
  tickets: Tickets,
  place: Place,
  method: string | undefined,
  identity: Identity,
): Target {
  const route = findRoute(place.server);
  if (!route) throw new Failure('not_found', `There is no server '${place.server}'.`);
  if (!route.enabled) throw new Failure('server_disabled', `The server '${place.server}' is switched off.`);
  const { mcp, sse, credentials } = route;
  if (!credentials)
    throw new Failure(
      'credential_unreadable',
      `The gateway cannot read its credential for '${place.server}'; an administrator has to set it anew.`,
    );
  if (place.endpoint === 'mcp' && mcp) return addressOf(route, mcp, credentials);
  // Clients that find no streamable HTTP at an address try the older transport at the same one.
  const wantsSse = place.endpoint === 'sse' || (place.endpoint === 'mcp' && method === 'GET');
  const holder = [route.name, sse?.origin ?? '', identity.provider, identity.subject];
  if (sse && wantsSse)
    return { ...addressOf(route, sse, credentials), rewriteOther: endpointOf(route, sse, tickets, holder) };
  if (sse && place.endpoint === 'messages')
    return { ...messagesOf(place, sse, tickets, holder), credentials };
  throw new Failure('not_found', `The server '${place.server}' does not speak this transport.`);
}

function endpointOf(route: Route, sse: URL, tickets: Tickets, holder: readonly string[]): RewriteEvent {
  return rewriteEndpoint(sse, `/${route.name}/messages`, (address) => tickets.seal(address, holder));
}

function messagesOf(
  place: Place,
  sse: URL,
  tickets: Tickets,
  holder: readonly string[],
): Omit<Target, 'credentials'> {
  const ticket = ticketIn(place.query);
  const path = ticket === undefined ? undefined : tickets.open(ticket, holder);
  if (path === undefined) throw new Failure('not_found', 'This session is not known; open the stream anew.');
  return { server: place.server, pool: poolOf(place.server, sse), origin: sse.origin, path };
}

function poolOf(server: string, url: URL): string {
  return `${server} ${url.origin}`;
}

function addressOf({ name }: Route, url: URL, credentials: Credentials): Target {
  const known = addresses.get(url);
  if (known?.credentials === credentials && known.server === name) return known;
  const address = {
    ...{ server: name, pool: poolOf(name, url), origin: url.origin },
    ...{ path: url.pathname + url.search, credentials },
  };
  addresses.set(url, address);
  return address;
}
