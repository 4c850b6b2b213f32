import { Failure } from '../failure/errors.ts';
import type { Exchange } from './exchange.ts';
import type { RewriteEvent } from './lists/sse.ts';
import type { Place } from './read/place.ts';

/** Query parameter that carries the ticket of a legacy SSE session. */
const ticketParameter = 'session';

/**
 * Rewrites the `endpoint` event of the 2024-11-05 transport: in place of the server's own address for messages, the
 * client gets the gateway's, with a ticket. Fails when the server names an address of another origin, which clients
 * must refuse too.
 */
export function rewriteEndpoint(
  sse: URL,
  messagesPath: string,
  seal: (address: string) => string,
): RewriteEvent {
  return (type, data) => {
    if (type !== 'endpoint') return undefined;
    const address = URL.canParse(data, sse.href) ? new URL(data, sse.href) : undefined;
    if (address?.origin !== sse.origin)
      throw new Failure('upstream_invalid', 'The server sends messages to an origin other than its own.');
    return `${messagesPath}?${ticketParameter}=${seal(address.pathname + address.search)}`;
  };
}

/** The ticket in a query; undefined when there is not exactly one. */
export function ticketIn(query: string): string | undefined {
  const [ticket, ...more] = new URLSearchParams(query).getAll(ticketParameter);
  return more.length === 0 ? ticket : undefined;
}

/** The streams of the older transport that this process has, by the ticket that their clients were given. */
export interface OlderStreams {
  /** Notes the ticket that passes on a stream, in the address that `rewrite` makes. */
  noting(exchange: Exchange, rewrite: RewriteEvent): RewriteEvent;
  /** How to answer a message on the stream of its session; undefined when this process does not have it. */
  sayingFor({ place, holder }: { place: Place; holder: string }): Exchange['say'];
  remove(exchange: Exchange): void;
}

/** There are no streams yet. `holderOf` says whose an exchange is. */
export function createOlderStreams(holderOf: (exchange: Exchange) => string | undefined): OlderStreams {
  const streams = new Map<string, Exchange>();
  return {
    noting: (exchange, rewrite) => (type, data) => {
      const address = rewrite(type, data);
      const ticket = address === undefined ? undefined : ticketIn(address.slice(address.indexOf('?') + 1));
      if (ticket === undefined) return address;
      if (exchange.ticket !== undefined) streams.delete(exchange.ticket);
      exchange.ticket = ticket;
      streams.set(ticket, exchange);
      return address;
    },
    sayingFor({ place, holder }) {
      const ticket = place.endpoint === 'messages' ? ticketIn(place.query) : undefined;
      const stream = ticket === undefined ? undefined : streams.get(ticket);
      if (!stream || stream.place?.server !== place.server || holderOf(stream) !== holder) return undefined;
      return (message) => stream.passage?.say?.(message) ?? false;
    },
    remove(exchange) {
      if (exchange.ticket !== undefined) streams.delete(exchange.ticket);
    },
  };
}
