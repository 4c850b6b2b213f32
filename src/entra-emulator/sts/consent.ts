import { randomUUID } from 'node:crypto';
import { graphUri } from '../tenant/first-party.ts';
import type { ServicePrincipal, Tenant } from '../tenant/model.ts';
import type { World } from '../world.ts';
import { findResource, type Wanted } from './scopes.ts';

/** Notes that scopes were consented to, by one user or (null) for everybody. OIDC scopes belong to Graph. */
export function addConsent(
  world: World,
  tenant: Tenant,
  client: ServicePrincipal,
  wanted: Wanted,
  scopes: readonly string[],
  principalId: string | null,
): void {
  const oidc = scopes.filter((scope) => wanted.oidc.has(scope));
  const own = scopes.filter((scope) => !wanted.oidc.has(scope));
  extendGrant(tenant, client.id, findResource(world, tenant, graphUri).principal.id, oidc, principalId);
  extendGrant(tenant, client.id, wanted.resource.principal.id, own, principalId);
}

/** Adds scopes to the grant of a client on a resource, making it when there is none. */
export function extendGrant(
  tenant: Tenant,
  clientId: string,
  resourceId: string,
  scopes: readonly string[],
  principalId: string | null,
): void {
  if (scopes.length === 0) return;
  for (const grant of tenant.grants.values()) {
    if (grant.clientId !== clientId || grant.resourceId !== resourceId || grant.principalId !== principalId)
      continue;
    grant.scope = [...new Set([...grant.scope.split(' ').filter(Boolean), ...scopes])].join(' ');
    return;
  }
  const id = randomUUID();
  const consentType = principalId ? 'Principal' : 'AllPrincipals';
  tenant.grants.set(id, { id, clientId, consentType, principalId, resourceId, scope: scopes.join(' ') });
}
