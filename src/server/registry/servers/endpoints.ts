import type { ServerInput } from '../../../contract/servers/servers.ts';
import { withoutEndSlashes } from '../../../contract/values/names.ts';
import { endpointSegment } from '../../../contract/values/server-path.ts';

/** Where a server's own MCP endpoints are. */
export interface ServerEndpoints {
  /** Streamable HTTP; null when it has none. */
  readonly mcp: URL | null;
  /** HTTP+SSE of 2024-11-05; null when it has none. */
  readonly sse: URL | null;
}

type Addresses = Pick<
  ServerInput,
  'proxy_pass_url' | 'mcp_endpoint' | 'sse_endpoint' | 'supported_transports'
>;

/**
 * The endpoints of a server: those given explicitly; else `proxy_pass_url` itself where it ends in `/mcp` or `/sse`
 * already; else that URL with `/mcp` or `/sse` added, for each transport that the server supports.
 */
export function endpointsOf(server: Addresses): ServerEndpoints {
  const has = (transport: 'streamable-http' | 'sse') => server.supported_transports.includes(transport);
  const both = has('streamable-http') && has('sse');
  const resolve = (explicit: string | null, supported: boolean, segment: string): URL | null => {
    if (explicit !== null) return withoutHash(new URL(explicit));
    return supported ? under(new URL(server.proxy_pass_url), segment, both) : null;
  };
  return {
    mcp: resolve(server.mcp_endpoint, has('streamable-http'), 'mcp'),
    sse: resolve(server.sse_endpoint, has('sse'), 'sse'),
  };
}

function under(base: URL, segment: string, both: boolean): URL {
  const last = endpointSegment(base);
  // An operator who gives one transport and a URL ending in the other's segment means that URL.
  if (last === segment || (last && !both)) return withoutHash(base);
  const parent = last ? base.pathname.replace(/\/(mcp|sse)\/?$/, '') : withoutEndSlashes(base.pathname);
  base.pathname = `${parent}/${segment}`;
  return withoutHash(base);
}

function withoutHash(url: URL): URL {
  url.hash = '';
  return url;
}
