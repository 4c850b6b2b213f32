import { findServicePrincipal } from '../tenant/directory.ts';
import { graphAppId, graphUri, microsoftGraph } from '../tenant/first-party.ts';
import type { Application, ServicePrincipal, Tenant, User } from '../tenant/model.ts';
import { findRegistration, graphOrigin, type World } from '../world.ts';
import { Aadsts } from './aadsts.ts';

/** The API that a token is for. */
export type Resource = {
  principal: ServicePrincipal;
  application: Application;
  /** The identifier as it was asked for: the audience of a v1.0 token. */
  asked: string;
};

/** A scope parameter, understood. */
export type Wanted = {
  /** openid, profile, email, offline_access, as far as asked for. */
  oidc: ReadonlySet<string>;
  /** What the access token is for; Graph when no API was named. */
  resource: Resource;
  /** Scope values of the resource; empty with `.default` or when only OIDC scopes were asked for. */
  values: readonly string[];
  isDefault: boolean;
  /** The text before each value, to give scopes back in the form they came in. */
  prefix: string;
};

const oidcScopes = new Set(['openid', 'profile', 'email', 'offline_access']);

/** True for an application id or URI that means Microsoft Graph. */
export function isGraph(application: Application): boolean {
  return application.appId === graphAppId;
}

/** Reads a scope parameter against the resources of a tenant; throws 28000, 500011 or 70011. */
export function readScopes(world: World, tenant: Tenant, scope: string): Wanted {
  const oidc = new Set<string>();
  const values: string[] = [];
  let prefix: string | undefined;
  for (const word of scope.split(' ').filter(Boolean)) {
    if (oidcScopes.has(word)) {
      oidc.add(word);
      continue;
    }
    const at = word.lastIndexOf('/');
    const before = at < 0 ? '' : word.slice(0, at + 1);
    if (prefix !== undefined && before !== prefix) throw new Aadsts(28000, [scope]);
    prefix = before;
    values.push(word.slice(at + 1));
  }
  const isDefault = values.includes('.default');
  if (values.includes('') || (isDefault && values.length > 1)) throw new Aadsts(70011, [scope]);
  const resource = findResource(world, tenant, prefix ? prefix.slice(0, -1) : graphUri);
  return { oidc, resource, values: isDefault ? [] : values, isDefault, prefix: prefix ?? '' };
}

/** The resource an identifier names in a tenant: an application id or an App ID URI; throws 500011. */
export function findResource(world: World, tenant: Tenant, asked: string): Resource {
  const name = asked.replace(/\/$/, '');
  if (name === graphUri || name === graphAppId || name === graphOrigin(world)) {
    const principal = findServicePrincipal(tenant, graphAppId);
    if (principal)
      return {
        principal,
        application: microsoftGraph,
        asked: name === graphAppId ? graphAppId : graphUri,
      };
  }
  for (const principal of tenant.servicePrincipals.values()) {
    if (!principal.servicePrincipalNames.some((own) => own.replace(/\/$/, '') === name)) continue;
    const registration = findRegistration(world, principal.appId);
    if (registration) return { principal, application: registration.application, asked };
  }
  throw new Aadsts(500011, [asked, tenant.displayName]);
}

/** The delegated permissions a client has on a resource for a user: consented or pre-authorised. */
export function consentedScopes(
  tenant: Tenant,
  client: ServicePrincipal,
  resource: Resource,
  user: User,
): Set<string> {
  const scopes = new Set<string>();
  for (const grant of tenant.grants.values()) {
    if (grant.clientId !== client.id || grant.resourceId !== resource.principal.id) continue;
    if (grant.principalId !== null && grant.principalId !== user.id) continue;
    for (const scope of grant.scope.split(' ').filter(Boolean)) scopes.add(scope);
  }
  for (const trusted of resource.application.api.preAuthorizedApplications) {
    if (trusted.appId !== client.appId) continue;
    for (const scope of resource.application.api.oauth2PermissionScopes)
      if (trusted.delegatedPermissionIds.includes(scope.id)) scopes.add(scope.value);
  }
  return scopes;
}

/** The values asked for that the resource does not have. */
export function unknownScopes({ resource, values }: Wanted): string[] {
  const known = new Set(
    resource.application.api.oauth2PermissionScopes
      .filter((scope) => scope.isEnabled)
      .map((scope) => scope.value),
  );
  return values.filter((value) => !known.has(value));
}

/** What still has to be consented to, OIDC scopes included. */
export function missingScopes(
  world: World,
  tenant: Tenant,
  client: { application: Application; principal: ServicePrincipal },
  user: User,
  wanted: Wanted,
): string[] {
  const { application, principal } = client;
  const consented = consentedScopes(tenant, principal, wanted.resource, user);
  const graph = findResource(world, tenant, graphUri);
  const basics = isGraph(wanted.resource.application)
    ? consented
    : consentedScopes(tenant, principal, graph, user);
  // `.default` asks only while nothing was consented yet, and then for everything the registration lists.
  const listed = wanted.isDefault && consented.size === 0 ? listedScopes(application, wanted.resource) : [];
  return [
    ...listed,
    ...[...wanted.oidc].filter((scope) => !basics.has(scope)),
    ...wanted.values.filter((value) => !consented.has(value)),
  ];
}

/** The permissions of a resource that a registration lists (`requiredResourceAccess`). */
function listedScopes(application: Application, resource: Resource): string[] {
  const ids = application.requiredResourceAccess
    .filter(({ resourceAppId }) => resourceAppId === resource.application.appId)
    .flatMap(({ resourceAccess }) => resourceAccess.map(({ id }) => id));
  const scopes = resource.application.api.oauth2PermissionScopes;
  return scopes.filter(({ id }) => ids.includes(id)).map(({ value }) => value);
}
