import { instant } from '../../clock.ts';
import { type Ask, page, queryAndForm, type Reply, redirect } from '../../exchange.ts';
import { findServicePrincipal, isAdministrator, place } from '../../tenant/directory.ts';
import { guidFrom } from '../../tenant/identify.ts';
import { makeServicePrincipal } from '../../tenant/make.ts';
import type { Application, ServicePrincipal, Tenant } from '../../tenant/model.ts';
import { findRegistration, type World } from '../../world.ts';
import { Aadsts, errorBody } from '../aadsts.ts';
import { platformOf } from '../redirects.ts';
import { readScopes } from '../scopes.ts';
import { tenantsOf } from './authorize.ts';
import { extendGrant } from './consent.ts';
import { listed } from './listed.ts';
import { consentPage, errorPage, messagePage, signInPage } from './pages.ts';
import { credentialsOf, signedIn, startSession } from './sign-in.ts';

/**
 * The admin consent page: an administrator grants an application everything its registration lists
 * (`requiredResourceAccess`), or the scopes of the request.
 */
export function adminConsent(world: World, ask: Ask, tenantName: string): Reply {
  const { values } = queryAndForm(ask);
  try {
    const tenants = tenantsOf(world, tenantName);
    const application = applicationOf(world, values);
    const action = `${world.origin}${ask.url.pathname}`;
    const hidden = Object.fromEntries(
      Object.entries(values).filter(([name]) => !name.startsWith('emulator_')),
    );
    const to = { action, hidden };
    const credentials = credentialsOf(tenants, values);
    const started = credentials && startSession(world, credentials.tenant, credentials.user);
    const who = started ?? signedIn(world, ask);
    if (!who || !tenants.includes(who.tenant))
      return page(200, signInPage(to, listed(tenants), { application: application.displayName }));
    if (!isAdministrator(who.tenant, who.user)) throw new Aadsts(90094, [application.displayName]);
    const wanted = wantedBy(world, who.tenant, application, values.scope);
    const reply =
      conclude(world, who.tenant, application, wanted, values) ??
      page(
        200,
        consentPage(to, {
          application: application.displayName,
          user: who.user,
          scopes: wanted.map(({ value }) => value),
          canConsentForAll: false,
        }),
      );
    return started ? { ...reply, headers: { ...reply.headers, 'set-cookie': started.cookie } } : reply;
  } catch (error) {
    if (!(error instanceof Aadsts)) throw error;
    return page(200, errorPage(errorBody(world, error)));
  }
}

type Wanted = { resource: ServicePrincipal; value: string; roleId?: string };

function applicationOf(
  world: World,
  { client_id: clientId, redirect_uri: uri }: Record<string, string>,
): Application {
  if (!clientId) throw new Aadsts(900144, ['client_id']);
  const registration = findRegistration(world, clientId);
  if (!registration) throw new Aadsts(700016, [clientId, '']);
  if (uri && !platformOf(registration.application, uri)) throw new Aadsts(50011, [uri, clientId]);
  return registration.application;
}

function wantedBy(
  world: World,
  tenant: Tenant,
  application: Application,
  scope: string | undefined,
): Wanted[] {
  if (scope && !scope.includes('.default')) {
    const { resource, values, oidc } = readScopes(world, tenant, scope);
    return [...oidc, ...values].map((value) => ({ resource: resource.principal, value }));
  }
  return application.requiredResourceAccess.flatMap(({ resourceAppId, resourceAccess }) => {
    const resource = findServicePrincipal(tenant, resourceAppId);
    const definition = findRegistration(world, resourceAppId)?.application;
    if (!resource || !definition) throw new Aadsts(500011, [resourceAppId, tenant.displayName]);
    return resourceAccess.flatMap(({ id, type }): Wanted[] => {
      const role = definition.appRoles.find((candidate) => candidate.id === id);
      if (type === 'Role' && role?.value) return [{ resource, value: role.value, roleId: id }];
      const value = definition.api.oauth2PermissionScopes.find((candidate) => candidate.id === id)?.value;
      return value ? [{ resource, value }] : [];
    });
  });
}

function conclude(
  world: World,
  tenant: Tenant,
  application: Application,
  wanted: readonly Wanted[],
  values: Record<string, string>,
): Reply | undefined {
  const { emulator_consent: answer, redirect_uri: uri, state } = values;
  if (answer !== 'accept' && answer !== 'decline') return undefined;
  if (answer === 'accept') grant(world, tenant, application, wanted);
  if (!uri)
    return page(
      200,
      messagePage('Admin consent', answer === 'accept' ? 'Consent was granted.' : 'You declined.'),
    );
  const target = new URL(uri);
  const result: Record<string, string> =
    answer === 'accept'
      ? { admin_consent: 'True', tenant: tenant.id }
      : {
          error: 'access_denied',
          error_description: 'AADSTS65004: User declined to consent to access the app.',
        };
  for (const [name, value] of Object.entries({ ...result, ...(state ? { state } : {}) }))
    target.searchParams.set(name, value);
  return redirect(target.href);
}

function grant(world: World, tenant: Tenant, application: Application, wanted: readonly Wanted[]): void {
  const now = world.clock.now();
  let client = findServicePrincipal(tenant, application.appId);
  if (!client) {
    const home = findRegistration(world, application.appId)?.home.id ?? null;
    client = makeServicePrincipal(application, home);
    place(tenant, client, now);
  }
  for (const { resource, value, roleId } of wanted) {
    if (!roleId) {
      extendGrant(tenant, client.id, resource.id, [value], null);
      continue;
    }
    const id = guidFrom('assignment', client.id, resource.id, roleId);
    tenant.appRoleAssignments.set(id, {
      id,
      appRoleId: roleId,
      principalId: client.id,
      principalType: 'ServicePrincipal',
      principalDisplayName: client.displayName,
      resourceId: resource.id,
      resourceDisplayName: resource.displayName,
      createdDateTime: instant(world.clock),
    });
  }
}
