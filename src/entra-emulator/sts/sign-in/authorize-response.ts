import { page, type Reply, redirect } from '../../exchange.ts';
import { hashSecret } from '../../tenant/identify.ts';
import type { Tenant, User } from '../../tenant/model.ts';
import type { World } from '../../world.ts';
import { accessTokenClaims, idTokenClaims } from '../claims.ts';
import type { Client } from '../client.ts';
import { keep, opaque, type Session, type UserGrant } from '../memory.ts';
import { consentedScopes, isGraph, type Wanted } from '../scopes.ts';
import { signForGraph, signToken } from '../sign.ts';
import { formPostPage } from './pages.ts';

/** A finished sign-in. */
export type Concluded = { tenant: Tenant; user: User; client: Client; session: Session; wanted: Wanted };

/** Makes what goes back to the application: a code, tokens, or both. */
export type Results = (world: World, concluded: Concluded) => Promise<Record<string, string>>;

/** Sends values to the redirect URI in the way the request wants; a path-less URI comes back with a slash. */
export function respond(
  to: { redirectUri: string; responseMode: 'query' | 'fragment' | 'form_post'; state: string | undefined },
  values: Record<string, string>,
): Reply {
  const all = { ...values, ...(to.state === undefined ? {} : { state: to.state }) };
  if (to.responseMode === 'form_post') return page(200, formPostPage(to.redirectUri, all));
  const target = new URL(to.redirectUri);
  if (to.responseMode === 'fragment') target.hash = new URLSearchParams(all).toString();
  else for (const [name, value] of Object.entries(all)) target.searchParams.set(name, value);
  return redirect(target.href);
}

/** The results a request asks for, once somebody signed in. */
export function results(
  values: Record<string, string>,
  request: { redirectUri: string; responseTypes: ReadonlySet<string>; scope: string; version: 1 | 2 },
): Results {
  return async (world, concluded) => {
    const { session } = concluded;
    const sent: Record<string, string> = {};
    if (request.responseTypes.has('code')) sent.code = rememberCode(world, concluded, values, request);
    if (request.responseTypes.has('id_token'))
      sent.id_token = await idToken(world, concluded, values, request.version);
    if (request.responseTypes.has('token')) Object.assign(sent, await accessToken(world, concluded));
    // `client_info` is asked for by MSAL, which keys its cache by it.
    if (values.client_info === '1') sent.client_info = clientInfo(concluded);
    return { ...sent, session_state: session.sid };
  };
}

function rememberCode(
  world: World,
  concluded: Concluded,
  values: Record<string, string>,
  { redirectUri, scope, version }: { redirectUri: string; scope: string; version: 1 | 2 },
): string {
  const code = `1.emulator.${opaque(48)}`;
  const remembered = {
    ...grantOf(concluded, scope, values),
    redirectUri,
    version,
    ...(values.code_challenge ? { challenge: values.code_challenge } : {}),
    ...(values.code_challenge ? { challengeMethod: values.code_challenge_method ?? 'plain' } : {}),
    ...(values.resource && version === 1 ? { resource: values.resource } : {}),
    expires: world.clock.now() + 600_000,
    used: false,
  };
  keep(world.codes, hashSecret(code), remembered, world.clock.now());
  return code;
}

function grantOf(
  { tenant, user, client, session }: Concluded,
  scope: string,
  { nonce, claims }: Record<string, string>,
): UserGrant {
  return {
    tenantId: tenant.id,
    appId: client.application.appId,
    userId: user.id,
    sid: session.sid,
    authTime: session.authTime,
    scope,
    amr: ['pwd'],
    ...(nonce === undefined ? {} : { nonce }),
    ...(claims === undefined ? {} : { claims }),
  };
}

function tokenFor({ tenant, user, client, session }: Concluded, nonce?: string) {
  const { sid, authTime } = session;
  return { tenant, user, client, clientAuth: '0' as const, sid, authTime, nonce, isImplicit: true };
}

function idToken(
  world: World,
  concluded: Concluded,
  { nonce }: Record<string, string>,
  version: 1 | 2,
): Promise<string> {
  const claims = idTokenClaims(world, tokenFor(concluded, nonce), concluded.wanted.oidc, version);
  return signToken(world, claims, version, concluded.client.application.appId);
}

async function accessToken(world: World, concluded: Concluded): Promise<Record<string, string>> {
  const { tenant, user, client, wanted } = concluded;
  const scopes = [...consentedScopes(tenant, client.principal, wanted.resource, user)];
  const access = accessTokenClaims(world, tokenFor(concluded), wanted.resource, scopes);
  const token = isGraph(wanted.resource.application)
    ? await signForGraph(world, access.claims)
    : await signToken(world, access.claims, access.version, wanted.resource.application.appId);
  return {
    access_token: token,
    token_type: 'Bearer',
    expires_in: String(access.lifetime),
    scope: scopes.join(' '),
  };
}

function clientInfo({ tenant, user }: Concluded): string {
  return Buffer.from(JSON.stringify({ uid: user.id, utid: tenant.id })).toString('base64url');
}
