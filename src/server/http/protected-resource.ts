import type { Hono } from 'hono';
import { Failure } from '../failure/errors.ts';
import type { TrustedProvider } from '../identity/bearer.ts';
import type { HttpEnv } from './env.ts';

const prefix = '/.well-known/oauth-protected-resource';

/** The URL of the document that describes the resource at `path` (RFC 9728, section 3.1). */
export function resourceMetadataUrl(registryUrl: string, path: string): string {
  return `${registryUrl}${prefix}${path === '/' ? '' : path}`;
}

/** What the documents say. */
export interface ProtectedResourceWorld {
  readonly registryUrl: string;
  readonly trusted: readonly TrustedProvider[];
  /** Names the identity providers that issue tokens for us after our own authorization server. */
  readonly alsoProviders: boolean;
}

/**
 * Mounts the protected-resource documents: every `/{server}/mcp` is a resource of its own (RFC 9728), and our own
 * authorization server gives tokens for it.
 */
export function mountProtectedResource(app: Hono<HttpEnv>, world: ProtectedResourceWorld): void {
  app.get(`${prefix}/*`, (c) => describe(c.req.path.slice(prefix.length)));
  app.get(prefix, () => describe(''));
  for (const path of [prefix, `${prefix}/*`]) app.options(path, (c) => preflight(c.req.header()));

  const describe = async (path: string): Promise<Response> => {
    if (path !== '' && !/^(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/.test(path))
      throw new Failure('not_found', 'There is no such resource.');
    // Not every provider issues tokens for others than itself.
    const givers = world.alsoProviders ? world.trusted.filter(({ provider }) => provider.bearer) : [];
    const issuers = await Promise.all(givers.map(({ issuers }) => issuers[0]?.name()));
    const document = {
      resource: `${world.registryUrl}${path}`,
      authorization_servers: [world.registryUrl, ...issuers.filter((name) => name !== undefined)],
      bearer_methods_supported: ['header'],
      scopes_supported: [
        ...(path === '' ? ['mcp:read', 'mcp:call', 'registry'] : ['mcp:read', 'mcp:call']),
        ...givers.flatMap(({ provider }) => provider.resourceScopes),
      ],
      resource_name: 'MCP Gateway & Registry',
    };
    return Response.json(document, { headers: { ...anyOrigin, 'cache-control': 'public, max-age=300' } });
  };
}

const anyOrigin = { 'access-control-allow-origin': '*' };

/** Pages of clients ask first, because of the protocol version that they send along. */
function preflight(headers: Readonly<Record<string, string | undefined>>): Response {
  return new Response(null, {
    status: 204,
    headers: {
      ...anyOrigin,
      'access-control-allow-methods': 'GET',
      'access-control-allow-headers': headers['access-control-request-headers'] ?? '*',
      'access-control-max-age': '3600',
    },
  });
}
