import { isAssigned } from '../tenant/directory.ts';
import { hashSecret } from '../tenant/identify.ts';
import type { User } from '../tenant/model.ts';
import type { World } from '../world.ts';
import { Aadsts } from './aadsts.ts';
import { type AccessToken, accessTokenClaims, idTokenClaims, type TokenFor } from './claims.ts';
import { keep, opaque, type UserGrant } from './memory.ts';
import type { Platform } from './redirects.ts';
import { consentedScopes, isGraph, missingScopes, type Resource, type Wanted } from './scopes.ts';
import { signForGraph, signToken } from './sign.ts';

/** The success body of the token endpoint. */
export type TokenResponse = Record<string, unknown>;

const day = 86_400_000;

/** What a redeemed user grant yields: access token, and refresh and ID token where their scopes were asked for. */
export async function issueForUser(
  world: World,
  request: TokenFor & { user: User },
  wanted: Wanted,
  grant: UserGrant,
  options: { version: 1 | 2; platform: Platform; spaUntil?: number; withRefresh?: boolean },
): Promise<TokenResponse> {
  const { tenant, client, user } = request;
  const missing = missingScopes(world, tenant, client, user, wanted);
  if (missing.length) throw new Aadsts(65001, [client.application.appId, client.application.displayName]);
  const consented = consentedScopes(tenant, client.principal, wanted.resource, user);
  const scopes = [...consented].filter((scope) => scope !== 'offline_access');
  if (scopes.length === 0)
    throw new Aadsts(65001, [client.application.appId, client.application.displayName]);
  const access = accessTokenClaims(world, request, wanted.resource, scopes);
  const wantsRefresh = wanted.oidc.has('offline_access') || options.version === 1 || options.withRefresh;
  const refresh = wantsRefresh ? remember(world, grant, options) : undefined;
  const wantsId = wanted.oidc.has('openid');
  const idToken = wantsId
    ? await signToken(
        world,
        idTokenClaims(world, request, wanted.oidc, options.version),
        options.version,
        client.application.appId,
      )
    : undefined;
  return {
    token_type: 'Bearer',
    scope: grantedScope(wanted, scopes),
    ...(await body(world, access, wanted.resource, options.version)),
    ...(refresh ? { refresh_token: refresh } : {}),
    ...(idToken ? { id_token: idToken } : {}),
    client_info: Buffer.from(JSON.stringify({ uid: user.id, utid: tenant.id })).toString('base64url'),
  };
}

/** What a client gets for itself: an app-only access token, no refresh token. */
export async function issueForApp(
  world: World,
  request: TokenFor,
  resource: Resource,
  version: 1 | 2,
): Promise<TokenResponse> {
  const { tenant, client } = request;
  const { principal } = resource;
  if (principal.appRoleAssignmentRequired && !isAssigned(tenant, client.principal, principal)) {
    const { application } = client;
    const names = [application.appId, application.displayName, principal.appId, principal.displayName];
    throw new Aadsts(501051, names);
  }
  const access = accessTokenClaims(world, request, resource, []);
  return { token_type: 'Bearer', ...(await body(world, access, resource, version)) };
}

async function body(
  world: World,
  access: AccessToken,
  resource: Resource,
  version: 1 | 2,
): Promise<TokenResponse> {
  const { claims, lifetime } = access;
  const token = isGraph(resource.application)
    ? await signForGraph(world, claims)
    : await signToken(world, claims, access.version, resource.application.appId);
  if (version === 2) return { expires_in: lifetime, ext_expires_in: lifetime, access_token: token };
  // The v1.0 endpoint writes its numbers as text.
  return {
    expires_in: String(lifetime),
    ext_expires_in: String(lifetime),
    expires_on: String(claims.exp),
    not_before: String(claims.nbf),
    resource: resource.asked,
    access_token: token,
  };
}

function remember(
  world: World,
  grant: UserGrant,
  { spaUntil, platform }: { spaUntil?: number; platform: Platform },
): string {
  const token = `1.emulator.${opaque(48)}`;
  const now = world.clock.now();
  // 90 days rolling; a single-page app's 24 hours do not roll.
  const expires = platform === 'spa' ? (spaUntil ?? now + day) : now + 90 * day;
  const { nonce: _nonce, ...rest } = grant;
  keep(world.refreshTokens, hashSecret(token), { ...rest, issued: now, expires, platform }, now);
  return token;
}

function grantedScope(wanted: Wanted, scopes: readonly string[]): string {
  const own = scopes.filter((scope) => !wanted.oidc.has(scope));
  const prefixed = own.map((scope) => (isOidc(scope) ? scope : `${wanted.prefix}${scope}`));
  return [...[...wanted.oidc].filter((scope) => scope !== 'offline_access'), ...prefixed].join(' ');
}

function isOidc(scope: string): boolean {
  return ['openid', 'profile', 'email'].includes(scope);
}
