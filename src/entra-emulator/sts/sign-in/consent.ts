import { randomUUID } from 'node:crypto';
import { isAdministrator } from '../../tenant/directory.ts';
import { graphUri } from '../../tenant/first-party.ts';
import type { ServicePrincipal, Tenant, User } from '../../tenant/model.ts';
import type { World } from '../../world.ts';
import { Aadsts } from '../aadsts.ts';
import type { Client } from '../client.ts';
import { findResource, missingScopes, type Wanted } from '../scopes.ts';

/** Who is asked for what. */
export type ConsentQuestion = { tenant: Tenant; user: User; client: Client; wanted: Wanted };

/**
 * Decides whether a consent page is needed: undefined when everything is or has just been consented to, else what to
 * ask for. Throws 65001 when nobody may be asked, 90094 without an administrator, 65004 when the user declined.
 */
export function openConsent(
  world: World,
  { tenant, user, client, wanted }: ConsentQuestion,
  form: Record<string, string>,
  prompt?: string,
): { scopes: string[]; canConsentForAll: boolean } | undefined {
  const missing = missingScopes(world, tenant, client, user, wanted);
  if (missing.length === 0 && prompt !== 'consent') return undefined;
  const { appId, displayName } = client.application;
  if (prompt === 'none') throw new Aadsts(65001, [appId, displayName]);
  const administrator = isAdministrator(tenant, user);
  const definitions = wanted.resource.application.api.oauth2PermissionScopes;
  const forAdmins = missing.filter(
    (scope) => definitions.find(({ value }) => value === scope)?.type === 'Admin',
  );
  if (forAdmins.length && !administrator) throw new Aadsts(90094, [forAdmins.join(' ')]);
  if (form.emulator_consent === 'decline') throw new Aadsts(65004);
  if (form.emulator_consent !== 'accept')
    return {
      scopes: missing.length ? missing : [...wanted.oidc, ...wanted.values],
      canConsentForAll: administrator,
    };
  const forAll = administrator && form.emulator_consent_for_all === 'yes';
  addConsent(world, tenant, client.principal, wanted, missing, forAll ? null : user.id);
  return undefined;
}

/** Notes that scopes were consented to, by one user or (null) for everybody. OIDC scopes belong to Graph. */
function addConsent(
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
