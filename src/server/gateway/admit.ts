import { Failure } from '../failure/errors.ts';
import { requireOnce } from '../http/request/once.ts';
import type { Exchange } from './exchange.ts';
import { type Place, placeOf } from './read/place.ts';

/** Whose requests are taken, before anything is known of the caller. */
export interface Doors {
  /** `host` or `host:port`, in lower case, as clients may address the gateway. */
  readonly allowedHosts: ReadonlySet<string>;
  /** Origins of browser pages that may call. */
  readonly allowedOrigins: ReadonlySet<string>;
}

const methods: Record<Place['endpoint'], ReadonlySet<string>> = {
  mcp: new Set(['GET', 'POST', 'DELETE']),
  sse: new Set(['GET']),
  messages: new Set(['POST']),
};

/** Checks what a request says of itself before its caller is asked for: host, origin, address, method; and the room. */
export function admit(exchange: Exchange, { allowedHosts, allowedOrigins }: Doors, hasRoom: boolean): Place {
  const { req } = exchange;
  const { host, origin } = req.headers;
  requireOnce(req.rawHeaders);
  // DNS rebinding: a page of another site, whose name was made to point here, still sends its own host and origin.
  if (!host || !allowedHosts.has(host.toLowerCase()))
    throw new Failure('host_refused', 'The gateway is not served under this host name.');
  if (origin !== undefined && !allowedOrigins.has(origin.toLowerCase()))
    throw new Failure('origin_refused', 'Pages of this origin are not allowed to call the gateway.');
  const place = placeOf(req.url ?? '');
  if (!place)
    throw new Failure(
      'bad_request',
      'Write the address as /<server>/mcp: no escapes, dots or doubled slashes.',
    );
  exchange.place = place;
  if (!methods[place.endpoint].has(req.method ?? ''))
    throw new Failure('method_not_allowed', `This endpoint does not accept ${req.method}.`);
  if (!hasRoom)
    throw new Failure('overloaded', 'The gateway is handling as many requests as it can; try again soon.');
  return place;
}
