import { Failure } from '../failure/errors.ts';
import type { RewriteEvent } from './sse.ts';

/** Query parameter that carries the ticket of a legacy SSE session. */
export const ticketParameter = 'session';

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
      throw new Failure('upstream_invalid', 'The server sends messages to another origin than its own.');
    return `${messagesPath}?${ticketParameter}=${seal(address.pathname + address.search)}`;
  };
}

/** The ticket in a query; undefined when there is not exactly one. */
export function ticketIn(query: string): string | undefined {
  const [ticket, ...more] = new URLSearchParams(query).getAll(ticketParameter);
  return more.length === 0 ? ticket : undefined;
}
