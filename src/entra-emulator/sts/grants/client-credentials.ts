import type { World } from '../../world.ts';
import { Aadsts } from '../aadsts.ts';
import { requireConfidential } from '../authenticate.ts';
import { issueForApp, type TokenResponse } from '../issue.ts';
import { findResource, type Resource, readScopes } from '../scopes.ts';
import type { TokenRequest } from '../token-request.ts';

/** client_credentials: one resource, named with `/.default` (v2.0) or as `resource` (v1.0). */
export async function grantClientCredentials(world: World, request: TokenRequest): Promise<TokenResponse> {
  const { tenant, client, clientAuth, form, version } = request;
  requireConfidential(clientAuth);
  const resource = version === 2 ? byScope(world, request) : byResource(world, request);
  return issueForApp(world, { tenant, client, clientAuth, claims: form.claims }, resource, version);
}

function byScope(world: World, { tenant, form }: TokenRequest): Resource {
  if (!form.scope) throw new Aadsts(900144, ['scope']);
  if (
    form.scope
      .trim()
      .split(/\s+/)
      .some((scope) => !scope.endsWith('/.default'))
  )
    throw new Aadsts(1002012, [form.scope]);
  return readScopes(world, tenant, form.scope).resource;
}

function byResource(world: World, { tenant, form }: TokenRequest): Resource {
  if (!form.resource) throw new Aadsts(900144, ['resource']);
  return findResource(world, tenant, form.resource);
}
