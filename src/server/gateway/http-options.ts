import type { ServerOptions } from 'node:http';

/**
 * How the HTTP server in front of the data plane is to be made: the strict parser, which refuses what two parsers could
 * take for two requests (RFC 9112 section 11.2), and limits on clients that send slowly.
 */
export const httpOptions = {
  insecureHTTPParser: false,
  requireHostHeader: true,
  noDelay: true,
  maxHeaderSize: 32 * 1024,
  /** For the header block. */
  headersTimeout: 20_000,
  /** For the whole request, its body included; answers and streams have no such limit. */
  requestTimeout: 120_000,
  /** Longer than the usual minute after which a load balancer drops an idle connection, so that it does so first. */
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 5_000,
} as const satisfies ServerOptions;
