import { createHash, randomBytes } from 'node:crypto';
import { seconds } from '../clock.ts';
import { assignedRoles } from '../tenant/directory.ts';
import type { Application, OptionalClaim, ServicePrincipal, Tenant, User } from '../tenant/model.ts';
import { issuersOf, type World } from '../world.ts';
import { groupClaims } from './groups.ts';
import { isGraph, type Resource } from './scopes.ts';
import type { Claims } from './sign.ts';

/** Who gets a token, through which client, for what. */
export type TokenFor = {
  tenant: Tenant;
  client: { application: Application; principal: ServicePrincipal };
  /** How the client authenticated: 0 not at all, 1 with a secret, 2 with a certificate or assertion. */
  clientAuth: '0' | '1' | '2';
  /** Absent for app-only tokens. */
  user?: User;
  sid?: string;
  authTime?: number;
  amr?: readonly string[];
  nonce?: string | undefined;
  /** The `claims` parameter, for the capabilities of the client. */
  claims?: string | undefined;
  isImplicit?: boolean;
};

/** The claims of an access token, and how long it lives in seconds. */
export type AccessToken = { claims: Claims; lifetime: number; version: 1 | 2 };

/** The version of a resource's access tokens: its registration decides; Graph's are v1.0. */
function accessTokenVersion({ application }: Resource): 1 | 2 {
  return !isGraph(application) && application.api.requestedAccessTokenVersion === 2 ? 2 : 1;
}

/** Claims of an access token; `scopes` are the delegated permissions, empty for app-only tokens. */
export function accessTokenClaims(
  world: World,
  request: TokenFor,
  resource: Resource,
  scopes: readonly string[],
): AccessToken {
  const { tenant, user } = request;
  const version = accessTokenVersion(resource);
  const capable = capabilities(request.claims);
  // 60 to 90 minutes at random, so that many clients do not come back at once; a day for clients that take revocations.
  const lifetime = capable.length ? 86_399 : 3600 + Math.floor(Math.random() * 1800);
  const graph = isGraph(resource.application);
  const subject = user ?? request.client.principal;
  return {
    version,
    lifetime,
    claims: {
      aud: audience(resource, version),
      ...envelope(world, tenant, version, lifetime),
      ...clientClaims(request, version, graph),
      oid: subject.id,
      sub: user ? pairwise(tenant, user, resource.application.appId) : subject.id,
      ...(user ? delegated(world, request, user, scopes, version) : appOnly(world, request, version)),
      ...roleClaims(tenant, subject, resource.principal),
      ...groupClaims(world, tenant, subject, { ...resource, kind: 'accessToken' }),
      ...optionalClaims(
        resource.application.optionalClaims?.accessToken ?? [],
        request,
        version,
        'accessToken',
      ),
      ...(graph && capable.length ? { xms_cc: capable } : {}),
      ...(graph ? { idtyp: user ? 'user' : 'app' } : {}),
    },
  };
}

function clientClaims({ client, clientAuth }: TokenFor, version: 1 | 2, isForGraph: boolean): Claims {
  const { appId, displayName } = client.application;
  return {
    ...(version === 2 ? { azp: appId, azpacr: clientAuth } : { appid: appId, appidacr: clientAuth }),
    ...(isForGraph ? { app_displayname: displayName } : {}),
  };
}

function roleClaims(tenant: Tenant, subject: User | ServicePrincipal, resource: ServicePrincipal): Claims {
  const roles = assignedRoles(tenant, subject, resource).flatMap((role) => role.value ?? []);
  return roles.length ? { roles } : {};
}

/** Claims of an ID token; its version is that of the endpoint. */
export function idTokenClaims(
  world: World,
  request: TokenFor & { user: User },
  scopes: ReadonlySet<string>,
  version: 1 | 2,
): Claims {
  const { tenant, client, user, nonce } = request;
  const wrong =
    nonce !== undefined && world.faults.take('nonceMismatch', { appId: client.application.appId });
  const profile = { name: user.displayName, oid: user.id, ...preferredUsername(world, user) };
  const guest = user.userType === 'Guest';
  return {
    aud: client.application.appId,
    ...envelope(world, tenant, version, 3600),
    ...(version === 1 ? legacyIdentity(request, user) : {}),
    ...(version === 2 && scopes.has('profile') ? profile : {}),
    ...(version === 1 ? { oid: user.id, name: user.displayName } : {}),
    ...(user.mail && (scopes.has('email') || guest) ? { email: user.mail } : {}),
    ...(nonce === undefined ? {} : { nonce: wrong ? `not-${nonce}` : nonce }),
    ...roleClaims(tenant, user, client.principal),
    ...groupClaims(world, tenant, user, {
      application: client.application,
      principal: client.principal,
      kind: 'idToken',
      isImplicit: request.isImplicit ?? false,
    }),
    sub: pairwise(tenant, user, client.application.appId),
    ...(request.sid ? { sid: request.sid } : {}),
    ...(guest ? { idp: foreignIdentityProvider(world, user) } : {}),
    ...optionalClaims(client.application.optionalClaims?.idToken ?? [], request, version, 'idToken'),
  };
}

/** The subject of a user at one application: the same each time, another one at every other application. */
export function pairwise(tenant: Tenant, user: User, appId: string): string {
  return createHash('sha256').update(`${tenant.id}\n${user.id}\n${appId}`).digest('base64url');
}

function audience({ application, asked }: Resource, version: 1 | 2): string {
  return version === 2 ? application.appId : asked;
}

/** What every token has. Issued five minutes in the past, so the difference to `exp` is the lifetime plus 300. */
function envelope(world: World, tenant: Tenant, version: 1 | 2, lifetime: number): Claims {
  const now = seconds(world.clock);
  const issuers = issuersOf(world, tenant.id);
  return {
    iss: version === 2 ? issuers.v2 : issuers.v1,
    iat: now - 300,
    nbf: now - 300,
    exp: now + lifetime,
    aio: randomBytes(24).toString('base64url'),
    rh: `1.${randomBytes(20).toString('base64url')}.`,
    tid: tenant.id,
    uti: randomBytes(16).toString('base64url'),
    ver: version === 2 ? '2.0' : '1.0',
    xms_ftd: randomBytes(24).toString('base64url'),
  };
}

function delegated(
  world: World,
  request: TokenFor,
  user: User,
  scopes: readonly string[],
  version: 1 | 2,
): Claims {
  return {
    scp: scopes.join(' '),
    name: user.displayName,
    ...(version === 2 ? preferredUsername(world, user) : { acr: '1', ...legacyIdentity(request, user) }),
    ...(version === 1 && user.userType === 'Guest' ? { idp: foreignIdentityProvider(world, user) } : {}),
  };
}

function legacyIdentity({ amr = ['pwd'] }: TokenFor, user: User): Claims {
  return {
    amr,
    ipaddr: '127.0.0.1',
    ...(user.givenName ? { given_name: user.givenName } : {}),
    ...(user.surname ? { family_name: user.surname } : {}),
    // A guest has no upn, and is named by the address at home.
    ...(user.userType === 'Guest'
      ? { unique_name: user.mail ?? user.userPrincipalName }
      : { unique_name: user.userPrincipalName, upn: user.userPrincipalName }),
  };
}

function appOnly(world: World, { tenant }: TokenFor, version: 1 | 2): Claims {
  return version === 1 ? { idp: issuersOf(world, tenant.id).v1 } : {};
}

function foreignIdentityProvider(world: World, user: User): string {
  const domain = user.mail?.split('@')[1];
  for (const tenant of world.tenants.values())
    if (tenant.domains.some(({ name }) => name === domain)) return issuersOf(world, tenant.id).v1;
  return 'mail';
}

/** Whether a guest's tokens name the account at home, or nothing, nobody could decide. */
function preferredUsername({ isStrict }: World, user: User): Claims {
  return isStrict && user.userType === 'Guest' ? {} : { preferred_username: user.userPrincipalName };
}

/** The optional claims a registration asks for, as far as there is a value. */
function optionalClaims(
  wanted: readonly OptionalClaim[],
  request: TokenFor,
  version: 1 | 2,
  kind: 'idToken' | 'accessToken',
): Claims {
  const claims: Claims = {};
  for (const { name, additionalProperties } of wanted) {
    const value = optionalClaim(name, request, additionalProperties, version, kind);
    if (value !== undefined && value !== null) claims[name] = value;
  }
  return claims;
}

function optionalClaim(
  name: string,
  request: TokenFor,
  properties: readonly string[],
  version: 1 | 2,
  kind: 'idToken' | 'accessToken',
): unknown {
  const { user, tenant } = request;
  if (name === 'idtyp') {
    if (kind === 'idToken') return undefined;
    return user ? (properties.includes('include_user_token') ? 'user' : undefined) : 'app';
  }
  if (name === 'xms_cc') return nonEmpty(capabilities(request.claims));
  if (!user) return undefined;
  const guest = user.userType === 'Guest';
  const values: Record<string, unknown> = {
    acct: guest ? 1 : 0,
    email: user.mail,
    login_hint: Buffer.from(`O.${user.id}`).toString('base64url'),
    sid: request.sid,
    auth_time: request.authTime,
    ctry: user.country,
    upn:
      guest && !properties.includes('include_externally_authenticated_upn')
        ? undefined
        : user.userPrincipalName,
    preferred_username: user.userPrincipalName,
    family_name: user.surname,
    given_name: user.givenName,
    ipaddr: version === 2 ? '127.0.0.1' : undefined,
    tenant_ctry: 'US',
    verified_primary_email: guest || !user.mail ? undefined : [user.mail],
    xms_edov: tenant.domains.some((domain) => user.mail?.endsWith(`@${domain.name}`)),
  };
  return values[name];
}

/** The client capabilities in a `claims` parameter, such as `cp1`. */
function capabilities(claims: string | undefined): string[] {
  try {
    const values = JSON.parse(claims ?? '{}')?.access_token?.xms_cc?.values;
    return Array.isArray(values) ? values.filter((value) => typeof value === 'string') : [];
  } catch {
    return [];
  }
}

function nonEmpty<T>(list: T[]): T[] | undefined {
  return list.length ? list : undefined;
}
