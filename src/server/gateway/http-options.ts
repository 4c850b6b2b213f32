import type { ServerOptions } from 'node:http';

/** How long clients may take to send, in milliseconds, and how much. */
export interface ClientLimits {
  /** The header block of a request. */
  readonly headersMs: number;
  /** The whole request, its body included; answers and streams have no such limit. */
  readonly requestMs: number;
  /** Bytes of the header block of a request. */
  readonly headerBytes: number;
}

/**
 * How the HTTP server in front of the data plane is to be made: the strict parser, which refuses what two parsers could
 * take for two requests (RFC 9112 section 11.2), and limits on clients that send slowly, who get 408 or are cut off.
 */
export function httpOptionsFor({ headersMs, requestMs, headerBytes }: ClientLimits): ServerOptions {
  return {
    insecureHTTPParser: false,
    requireHostHeader: true,
    noDelay: true,
    maxHeaderSize: headerBytes,
    headersTimeout: Math.min(headersMs, requestMs),
    requestTimeout: requestMs,
    /** Longer than the usual minute after which a load balancer drops an idle connection, so that it does so first. */
    keepAliveTimeout: 75_000,
    /** How often Node looks for those who take too long. */
    connectionsCheckingInterval: Math.min(5_000, headersMs),
  };
}
