import { reservedFirstSegments } from '../../../contract/servers/servers.ts';

/** What a gateway URL names: a server and one of its endpoints. */
export interface Place {
  /** The server's name: its path without the leading slash. */
  readonly server: string;
  readonly endpoint: 'mcp' | 'sse' | 'messages';
  /** The query, without the question mark. */
  readonly query: string;
}

const looksOurs = /^\/([^/?#]+)(?:\/[^?#]*)?\/(?:mcp|sse|messages)\/?(?:\?|$)/;
/** Of what belongs to the gateway itself, these are MCP endpoints. */
const ours = ['virtual', 'airegistry-tools'];
const reserved: ReadonlySet<string> = new Set(
  reservedFirstSegments.filter((name: string) => !ours.includes(name)),
);

/**
 * Whether a request target belongs to the data plane: `/{server}/mcp`, `/{server}/sse`, `/{server}/messages`, also
 * when it is spelt in a way that `placeOf` refuses, so that no other part of the process reads it differently.
 */
export function owns(url: string): boolean {
  const first = looksOurs.exec(url)?.[1];
  return first !== undefined && !reserved.has(first.toLowerCase());
}

// A segment may not begin with a dot and holds no '%', so dot segments, encoded slashes and double slashes never match.
const exact =
  /^\/([A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)\/(mcp|sse|messages)\/?(?:\?([^#]*))?$/;

/** Reads a request target, with a slash at its end or without; undefined when it is not spelt exactly as a server's endpoint is. */
export function placeOf(url: string): Place | undefined {
  const [, server, endpoint, query = ''] = exact.exec(url) ?? [];
  if (!server || server.length > 200) return undefined;
  if (endpoint !== 'mcp' && endpoint !== 'sse' && endpoint !== 'messages') return undefined;
  return { server, endpoint, query };
}
