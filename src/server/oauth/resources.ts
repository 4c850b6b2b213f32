/** The server whose tools make calls at every other one, as the address of a resource names it. */
export const registryToolsAt = '/airegistry-tools';

/** Scopes (RFC 6749, section 3.3) of an MCP endpoint: look and read, and call every tool. */
export const mcpScopes = ['mcp:read', 'mcp:call'] as const;
/** The scope of the registry's own API; only for the gateway as a whole. */
export const registryScope = 'registry';

/** A protected resource of ours (RFC 8707). */
export interface Resource {
  /** What the `aud` of its tokens says: the URL without a trailing slash. */
  readonly audience: string;
  /** Which endpoints accept them: `/` for all, else a path such as `/everything` or `/virtual/team`. */
  readonly at: string;
  readonly scopes: readonly string[];
}

const endpoint = /^((?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+)\/(?:mcp|sse)$/;

/**
 * The resource that a `resource` parameter names: the gateway itself, or an MCP endpoint by its exact URL; undefined for
 * anything else. A trailing slash makes no difference. Whether there is such a server is not said: unknown and forbidden
 * ones look alike.
 */
export function resourceOf(indicator: string, registryUrl: string): Resource | undefined {
  if (indicator.length > 500 || !URL.canParse(indicator)) return undefined;
  const url = new URL(indicator);
  // The URL as it was written and no other spelling of it: no query, user, escapes or dot segments.
  const written = indicator.replace(/\/$/, '');
  if (url.search || url.hash || url.href.replace(/\/$/, '') !== written) return undefined;
  if (written !== registryUrl && !written.startsWith(`${registryUrl}/`)) return undefined;
  const path = written.slice(registryUrl.length);
  if (path === '') return { audience: registryUrl, at: '/', scopes: [...mcpScopes, registryScope] };
  const at = endpoint.exec(path)?.[1];
  return at === undefined ? undefined : { audience: written, at, scopes: mcpScopes };
}
