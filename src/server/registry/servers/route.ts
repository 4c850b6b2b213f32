import type { Tool } from '../../../contract/servers.ts';

/** Where the data plane sends a server's calls; made anew at each change, so that a request computes nothing. */
export interface Route {
  readonly id: string;
  /** The name in scopes: the path without the leading slash. */
  readonly name: string;
  readonly enabled: boolean;
  /** The upstream's streamable HTTP endpoint; null when it has none. */
  readonly mcp: URL | null;
  /** The upstream's legacy HTTP+SSE endpoint (2024-11-05); null when it has none. */
  readonly sse: URL | null;
  /** The tools as last seen, for the registry's own lists; never used to decide. */
  readonly tools: readonly Tool[];
}

/** Finds an enabled or disabled server by name, in memory. */
export type FindRoute = (name: string) => Route | undefined;
