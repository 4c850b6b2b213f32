import type { Ask, Reply } from '../exchange.ts';
import type { SigningKey } from '../keys/keyring.ts';
import { findTenant, graphOrigin, issuersOf, type World } from '../world.ts';
import { Aadsts, aadsts, errorBody } from './aadsts.ts';

const headers = {
  'cache-control': 'max-age=86400, private',
  'access-control-allow-origin': '*',
};

/** `/{tenant}/v2.0/.well-known/openid-configuration` and the v1.0 form; issuers always carry the tenant's GUID. */
export function discovery(world: World, ask: Ask, tenantName: string, version: 1 | 2): Reply {
  const isTemplate = tenantName === 'common' || tenantName === 'organizations';
  const tenant = isTemplate ? undefined : findTenant(world, tenantName);
  if (!tenant && !isTemplate) return unknownTenant(world, tenantName);
  const id = tenant?.id ?? tenantName;
  const issuer = issuersOf(world, tenant?.id ?? '{tenantid}')[version === 2 ? 'v2' : 'v1'];
  const body = metadata(world, id, issuer, version, isTemplate);
  // An application with keys of its own is told where they are only here.
  const appId = ask.url.searchParams.get('appid');
  const keys = appId ? { jwks_uri: `${body.jwks_uri}?appid=${encodeURIComponent(appId)}` } : {};
  return { status: 200, headers, body: { ...body, ...keys } };
}

function metadata(world: World, id: string, issuer: string, version: 1 | 2, isTemplate: boolean) {
  const base = `${world.origin}/${id}`;
  const oauth = version === 2 ? `${base}/oauth2/v2.0` : `${base}/oauth2`;
  return {
    token_endpoint: `${oauth}/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    jwks_uri: `${base}/discovery/${version === 2 ? 'v2.0/' : ''}keys`,
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    issuer,
    request_uri_parameter_supported: false,
    userinfo_endpoint: `${graphOrigin(world)}/oidc/userinfo`,
    authorization_endpoint: `${oauth}/authorize`,
    device_authorization_endpoint: `${oauth}/devicecode`,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    end_session_endpoint: `${oauth}/logout`,
    claims_supported: claimsSupported,
    kerberos_endpoint: `${base}/kerberos`,
    tenant_region_scope: isTemplate ? null : 'NA',
    cloud_instance_name: new URL(world.origin).host,
    cloud_graph_host_name: 'graph.windows.net',
    msgraph_host: new URL(world.origin).host,
    rbac_url: `${world.origin}/rbac`,
  };
}

const claimsSupported = [
  'sub',
  'iss',
  'cloud_instance_name',
  'cloud_instance_host_name',
  'cloud_graph_host_name',
  'msgraph_host',
  'aud',
  'exp',
  'iat',
  'auth_time',
  'acr',
  'nonce',
  'preferred_username',
  'name',
  'tid',
  'ver',
  'at_hash',
  'c_hash',
  'email',
];

function unknownTenant(world: World, name: string): Reply {
  if (name === 'consumers')
    return { status: 501, body: { error: 'not_implemented', feature: 'personal accounts' } };
  const code = /^[\w.-]+$/.test(name) ? 90002 : 900023;
  // The same number is `invalid_tenant` here and `invalid_request` at the token endpoint.
  const body = { ...errorBody(world, new Aadsts(code, [name])), error: 'invalid_tenant' };
  return { status: aadsts[code].status, headers, body };
}

/** The JWKS: several keys, no `alg` member; v2.0 names the issuer beside each key. */
export async function keySet(world: World, ask: Ask, tenantName: string, version: 1 | 2): Promise<Reply> {
  const tenant = findTenant(world, tenantName);
  const outage = world.faults.take('jwksOutage');
  if (outage) return { status: Number(outage.status ?? 503), body: { error: 'temporarily_unavailable' } };
  const issuer = issuersOf(world, tenant?.id ?? '{tenantid}').v2;
  const appId = ask.url.searchParams.get('appid') ?? '';
  const hasOwn = world.faults.list().some((fault) => fault.kind === 'ownKeys' && fault.appId === appId);
  const keys = (hasOwn ? [await world.keys.own()] : await world.keys.published()).map((key) =>
    publicForm(key, version === 2 ? issuer : undefined),
  );
  return { status: 200, headers, body: { keys } };
}

function publicForm({ kid, n, e, x5c }: SigningKey, issuer: string | undefined) {
  const key = { kty: 'RSA', use: 'sig', kid, x5t: kid, n, e, x5c: [x5c] };
  return issuer ? { ...key, issuer } : key;
}

/** MSAL's question whether an authority is one it may trust. */
export function instanceDiscovery(world: World, endpoint: string | null): Reply {
  const tenant = /^https?:\/\/[^/]+\/([^/]+)/.exec(endpoint ?? '')?.[1];
  if (!tenant) return { status: 400, body: errorBody(world, new Aadsts(900144, ['authorization_endpoint'])) };
  const host = new URL(world.origin).host;
  return {
    status: 200,
    headers,
    body: {
      tenant_discovery_endpoint: `${world.origin}/${tenant}/v2.0/.well-known/openid-configuration`,
      'api-version': '1.1',
      metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
    },
  };
}
