import { createHash } from 'node:crypto';
import { findUser } from '../tenant/directory.ts';
import { hashSecret } from '../tenant/identify.ts';
import type { User } from '../tenant/model.ts';
import { issuersOf, type World } from '../world.ts';
import { Aadsts } from './aadsts.ts';
import { requireConfidential } from './authenticate.ts';
import type { TokenFor } from './claims.ts';
import { issueForApp, issueForUser, type TokenResponse } from './issue.ts';
import type { AuthorizationCode, UserGrant } from './memory.ts';
import { isPublic, platformOf } from './redirects.ts';
import { findResource, type Resource, readScopes, unknownScopes, type Wanted } from './scopes.ts';
import { type Claims, verifyOwn } from './sign.ts';
import type { TokenRequest } from './token-request.ts';

/** The user of a grant, if the account still may sign in; throws 50034 or 50057. */
function userOf(request: TokenRequest, userId: string): User {
  const user = request.tenant.users.get(userId);
  if (!user) throw new Aadsts(50034, [userId, request.tenant.displayName]);
  if (!user.accountEnabled) throw new Aadsts(50057);
  return user;
}

/** What a token request wants, read from `scope` or, at the v1.0 endpoint, from `resource`. */
function wantedBy(
  world: World,
  { tenant, form, version }: TokenRequest,
  before: { scope: string; resource?: string },
): Wanted {
  const resource = form.resource ?? before.resource;
  if (version === 1 && resource) {
    const found = findResource(world, tenant, resource);
    return {
      oidc: new Set(['openid', 'profile', 'email']),
      resource: found,
      values: [],
      isDefault: true,
      prefix: '',
    };
  }
  const wanted = readScopes(world, tenant, form.scope || before.scope);
  const [unknown] = unknownScopes(wanted);
  if (unknown) throw new Aadsts(70011, [unknown]);
  return wanted;
}

/** The token request and the user's grant in one. */
function tokenFor(
  { tenant, client, clientAuth, form }: TokenRequest,
  grant: UserGrant,
  user: User,
): TokenFor & { user: User } {
  const { sid, authTime, amr, nonce } = grant;
  return { tenant, client, clientAuth, user, sid, authTime, amr, nonce, claims: form.claims ?? grant.claims };
}

/** authorization_code: single use, bound to client, redirect URI and PKCE challenge. */
export async function redeemCode(world: World, request: TokenRequest): Promise<TokenResponse> {
  const { client, form, clientAuth, version } = request;
  if (!form.code) throw new Aadsts(900144, ['code']);
  if (!form.redirect_uri) throw new Aadsts(900144, ['redirect_uri']);
  const code = world.codes.get(hashSecret(form.code));
  if (!code || code.appId !== client.application.appId || code.tenantId !== request.tenant.id)
    throw new Aadsts(70000);
  const platform = platformOf(client.application, code.redirectUri) ?? 'web';
  if (platform === 'web') requireConfidential(clientAuth);
  else if (clientAuth !== '0') throw new Aadsts(700025);
  checkOrigin(platform === 'spa', request.origin);
  if (code.used) throw new Aadsts(54005);
  code.used = true;
  if (code.expires < world.clock.now()) throw new Aadsts(70008);
  if (form.redirect_uri !== code.redirectUri) throw new Aadsts(500112, [form.redirect_uri, code.redirectUri]);
  checkVerifier(code, form.code_verifier);
  const user = userOf(request, code.userId);
  const wanted = wantedBy(world, request, code);
  return issueForUser(world, tokenFor(request, code, user), wanted, grantOf(code), {
    version,
    platform,
  });
}

function checkOrigin(isSpa: boolean, origin: string | undefined): void {
  if (isSpa && !origin) throw new Aadsts(9002327);
  if (!isSpa && origin) throw new Aadsts(9002326, [origin]);
}

function checkVerifier(
  { challenge, challengeMethod }: AuthorizationCode,
  verifier: string | undefined,
): void {
  if (challenge === undefined) {
    if (verifier !== undefined) throw new Aadsts(50147);
    return;
  }
  if (!verifier) throw new Aadsts(501481);
  const computed =
    challengeMethod === 'S256' ? createHash('sha256').update(verifier).digest('base64url') : verifier;
  if (computed !== challenge) throw new Aadsts(501481);
}

function grantOf(code: AuthorizationCode) {
  const { tenantId, appId, userId, sid, authTime, scope, amr, claims } = code;
  return { tenantId, appId, userId, sid, authTime, scope, amr, ...(claims === undefined ? {} : { claims }) };
}

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

/** device_code: pending until somebody enters the user code and signs in. */
export async function redeemDeviceCode(world: World, request: TokenRequest): Promise<TokenResponse> {
  const { form, client, tenant, version } = request;
  const presented = form.device_code ?? form.code;
  if (!presented) throw new Aadsts(900144, ['device_code']);
  const device = world.deviceCodes.get(hashSecret(presented));
  if (!device || device.appId !== client.application.appId) throw new Aadsts(70018);
  if (device.expires < world.clock.now()) throw new Aadsts(70019);
  if (device.state === 'pending') throw new Aadsts(70016);
  if (device.state === 'declined') throw new Aadsts(70020);
  if (device.state === 'used') throw new Aadsts(54005);
  if (!isPublic(client.application) && request.clientAuth === '0') throw new Aadsts(7000218);
  const user = userOf(request, device.userId ?? '');
  const grant: UserGrant = {
    tenantId: tenant.id,
    appId: client.application.appId,
    userId: user.id,
    sid: device.sid ?? '',
    authTime: device.authTime ?? 0,
    scope: device.scope,
    amr: ['pwd'],
  };
  const wanted = wantedBy(world, request, grant);
  device.state = 'used';
  return issueForUser(world, tokenFor(request, grant, user), wanted, grant, { version, platform: 'public' });
}

/** On-behalf-of: trades a user's token for this client into a token of the same user for the next API. */
export async function exchangeOnBehalf(world: World, request: TokenRequest): Promise<TokenResponse> {
  const { form, clientAuth, tenant, client, version } = request;
  requireConfidential(clientAuth);
  if (form.requested_token_use !== 'on_behalf_of') throw new Aadsts(900144, ['requested_token_use']);
  if (!form.assertion) throw new Aadsts(900144, ['assertion']);
  const claims = await verifyOwn(world, form.assertion);
  if (!claims) throw new Aadsts(50013, ['The assertion is not a token of this tenant.']);
  checkAssertion(world, request, claims);
  const user = userOf(request, findUser(tenant, String(claims.oid))?.id ?? String(claims.oid));
  const grant = {
    tenantId: tenant.id,
    appId: client.application.appId,
    userId: user.id,
    sid: typeof claims.sid === 'string' ? claims.sid : '',
    authTime: Number(claims.iat),
    scope: form.scope ?? '',
    amr: ['pwd'],
  };
  const wanted = wantedBy(world, request, grant);
  return issueForUser(world, tokenFor(request, grant, user), wanted, grant, { version, platform: 'web' });
}

function checkAssertion(world: World, { tenant, client }: TokenRequest, claims: Claims): void {
  const { appId, identifierUris } = client.application;
  const issuers = issuersOf(world, tenant.id);
  const audience = String(claims.aud).replace(/\/$/, '');
  if (claims.iss !== issuers.v1 && claims.iss !== issuers.v2) throw new Aadsts(50013, ['Wrong issuer.']);
  if (![appId, ...identifierUris].includes(audience))
    throw new Aadsts(500131, [`aud: ${audience}, client: ${appId}`]);
  if (claims.scp === undefined) throw new Aadsts(7000114, [appId]);
  if (Number(claims.exp) <= world.clock.now() / 1000) throw new Aadsts(500133);
}

/** refresh_token: a new one each time, the old one lives on; redeems for any resource the client has consent for. */
export async function redeemRefreshToken(world: World, request: TokenRequest): Promise<TokenResponse> {
  const { client, form, tenant, version } = request;
  if (!form.refresh_token) throw new Aadsts(900144, ['refresh_token']);
  const grant = world.refreshTokens.get(hashSecret(form.refresh_token));
  if (!grant || grant.appId !== client.application.appId || grant.tenantId !== tenant.id)
    throw new Aadsts(70000);
  if (grant.platform === 'web') requireConfidential(request.clientAuth);
  if (grant.expires < world.clock.now()) throw new Aadsts(grant.platform === 'spa' ? 700084 : 700082);
  if (grant.issued < (tenant.revoked.get(grant.userId) ?? 0)) throw new Aadsts(50173);
  const user = userOf(request, grant.userId);
  const wanted = wantedBy(world, request, grant);
  refuseSelfByUri(wanted, request);
  const { issued: _issued, expires, platform, ...rest } = grant;
  return issueForUser(world, tokenFor(request, rest, user), wanted, rest, {
    version,
    platform,
    withRefresh: true,
    ...(platform === 'spa' ? { spaUntil: expires } : {}),
  });
}

/** A sign-in for oneself by App ID URI passes, its refresh does not; by GUID both do. */
function refuseSelfByUri({ resource }: Wanted, { client, version }: TokenRequest): void {
  const { appId } = client.application;
  if (version === 2 && resource.application.appId === appId && resource.asked !== appId)
    throw new Aadsts(90009, [appId]);
}
