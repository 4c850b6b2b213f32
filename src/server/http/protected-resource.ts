import type { Hono } from 'hono';
import { Failure } from '../failure/errors.ts';
import type { TrustedProvider } from '../identity/bearer.ts';
import type { HttpEnv } from './env.ts';

const prefix = '/.well-known/oauth-protected-resource';

/** The URL of the document that describes the resource at `path` (RFC 9728, section 3.1). */
export function resourceMetadataUrl(registryUrl: string, path: string): string {
  return `${registryUrl}${prefix}${path === '/' ? '' : path}`;
}

/** Mounts the protected-resource documents: every `/{server}/mcp` is a resource of its own (RFC 9728). */
export function mountProtectedResource(
  app: Hono<HttpEnv>,
  world: { registryUrl: string; trusted: readonly TrustedProvider[] },
): void {
  app.get(`${prefix}/*`, (c) => describe(c.req.path.slice(prefix.length)));
  app.get(prefix, () => describe(''));

  const describe = async (path: string): Promise<Response> => {
    if (path !== '' && !/^(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/.test(path))
      throw new Failure('not_found', 'There is no such resource.');
    // Where a token can be got: not every provider issues tokens for others than itself.
    const givers = world.trusted.filter(({ provider }) => provider.bearer);
    const issuers = await Promise.all(givers.map(({ issuers }) => issuers[0]?.name()));
    const scopes = givers.flatMap(({ provider }) => provider.resourceScopes);
    const document = {
      resource: `${world.registryUrl}${path}`,
      authorization_servers: issuers.filter((name) => name !== undefined),
      bearer_methods_supported: ['header'],
      ...(scopes.length > 0 ? { scopes_supported: scopes } : {}),
      resource_name: 'MCP Gateway & Registry',
    };
    const headers = { 'access-control-allow-origin': '*', 'cache-control': 'public, max-age=300' };
    return Response.json(document, { headers });
  };
}
