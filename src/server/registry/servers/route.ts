import type { HealthStatus, Tool } from '../../../contract/servers/servers.ts';
import type { EgressSettings } from '../../egress/settings.ts';
import type { Offers } from './store.ts';

/** What goes with every request to a server on the operator's behalf. */
export interface Credentials {
  /** Name, value, name, value. */
  readonly headers: readonly string[];
  /** The names in lower case: what a client sends under one of them is not passed on. */
  readonly names: ReadonlySet<string>;
  /** Whether a client's own `Authorization` goes to the server, where the client proved itself by `X-Authorization`. */
  readonly forwardAuthorization: boolean;
  /** Names in lower case of headers that clients may send to this server besides those of the protocol. */
  readonly passes: ReadonlySet<string>;
}

/** Where the data plane sends a server's calls; made anew at each change, so that a request computes nothing. */
export interface Route {
  readonly id: string;
  /** The name in scopes: the path without the leading slash. */
  readonly name: string;
  readonly enabled: boolean;
  /** How long a call may take until its answer begins, in milliseconds; null: as the settings have it. */
  readonly callMs: number | null;
  /** The upstream's streamable HTTP endpoint; null when it has none. */
  readonly mcp: URL | null;
  /** The upstream's legacy HTTP+SSE endpoint (2024-11-05); null when it has none. */
  readonly sse: URL | null;
  /** The tools as last seen, for the registry's own lists; never used to decide. */
  readonly tools: readonly Tool[];
  /** Names in its list of what is no valid tool, which clients are not shown; null or absent where there is none. */
  readonly invalidTools?: ReadonlySet<string> | null;
  /** What else it offers, as last seen; null when nobody has looked. */
  readonly offers?: Offers | null;
  /** The protocol version that the last check came to; null when nobody knows. */
  readonly protocolVersion?: string | null;
  /** The server's version as registered. */
  readonly version?: string | null;
  /** What the last check found; for the metrics, never used to decide. */
  readonly health: HealthStatus;
  /** Null when a credential is stored that cannot be read: then nothing is sent to the server. */
  readonly credentials: Credentials | null;
  /** How the credential of each caller is got; null or absent where it is the operator's, or nobody's. */
  readonly egress?: EgressSettings | null;
}

/** Finds an enabled or disabled server by name, in memory. */
export type FindRoute = (name: string) => Route | undefined;
