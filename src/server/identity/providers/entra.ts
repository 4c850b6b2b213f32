import type { JWTPayload } from 'jose';
import type { ClientAuth } from 'openid-client';
import type { EntraConfig } from '../../config/config.ts';
import { Failure } from '../../failure/errors.ts';
import { clientAuthOf } from '../../provider/entra-credential.ts';
import { type NamedGroups, readGraphGroups } from '../../provider/entra-graph.ts';
import type { OidcClient } from '../../provider/oidc.ts';
import type { Bearer, GroupApi, Person, Provider } from '../../provider/provider.ts';
import { record, text, texts } from '../claims.ts';

const graphAudiences = ['https://graph.microsoft.com', '00000003-0000-0000-c000-000000000000'];

// User.Read: the access token is one for Graph, which tells the groups of people in too many for a token.
const scope = 'openid profile email offline_access User.Read';

/** Microsoft Entra ID: v1.0 and v2.0 tokens of one tenant (or several), groups by Object ID, app roles in a namespace of their own. */
export function entra(config: EntraConfig, named?: NamedGroups): Provider {
  const clientAuth = clientAuthOf(config);
  const tenants = [config.tenantId, ...(config.allowedTenants ?? [])];
  return {
    name: 'entra',
    displayName: 'Microsoft Entra ID',
    realm: config.tenantId,
    clientId: config.clientId,
    clientAuth,
    redirectUris: config.redirectUris ?? [config.redirectUri],
    scope,
    refreshScope: scope,
    exchangesBy: 'on_behalf_of',
    algorithms: ['RS256'],
    hasOwnKeys: true,
    tokensOutliveSignIn: config.tokensOutliveSignIn ?? false,
    resourceScopes: [`${apiOf(config)}/.default`],
    discoveryUrls: tenants.flatMap((tenant) => discoveryUrlsOf(config, tenant)),
    groupApi: graphOf(config, clientAuth, named),
    ...commandLineOf(config),
    // Nobody but Graph can verify its tokens, so what is wrong with one has to be said before its signature fails.
    unverifiable: (claims) => (isForGraph(claims) ? graphToken(config) : undefined),
    person(claims) {
      requireTenant(claims, [config.tenantId]);
      return personOf(claims);
    },
    bearer(claims) {
      requireTenant(claims, tenants);
      requireAudience(claims, config);
      const bearer = bearerOf(claims);
      if (bearer.kind === 'agent') requireAssigned(bearer, config);
      return bearer;
    },
  };
}

function discoveryUrlsOf(config: EntraConfig, tenant: string): [string, string] {
  const base = `${config.loginBaseUrl}/${tenant}`;
  return [`${base}/v2.0/.well-known/openid-configuration`, `${base}/.well-known/openid-configuration`];
}

function commandLineOf(config: EntraConfig): Pick<Provider, 'commandLine'> {
  const { commandLineClientId: client_id, clientId } = config;
  if (!client_id) return {};
  const oauth = `${config.loginBaseUrl}/${config.tenantId}/oauth2/v2.0`;
  // A registration that asks for itself has to name itself by its id (AADSTS90009).
  const api = client_id === clientId ? clientId : apiOf(config);
  return {
    commandLine: {
      client_id,
      authorization_endpoint: `${oauth}/authorize`,
      token_endpoint: `${oauth}/token`,
      device_authorization_endpoint: `${oauth}/devicecode`,
      scope: `openid profile offline_access ${api}/access_as_user`,
    },
  };
}

function graphOf(config: EntraConfig, clientAuth: ClientAuth, named?: NamedGroups): GroupApi {
  const { graph } = config;
  const client = graph
    ? { clientId: graph.clientId, clientAuth: clientAuthOf(graph) }
    : { clientId: config.clientId, clientAuth };
  return {
    client: (tenant): OidcClient => ({ ...client, discoveryUrl: discoveryUrlsOf(config, tenant)[0] }),
    scope: `${config.graphBaseUrl}/.default`,
    read: (who, accessToken, send) => readGraphGroups(config.graphBaseUrl, who, accessToken, send, named),
  };
}

function requireTenant(claims: JWTPayload, tenants: readonly string[]): void {
  if (typeof claims.tid !== 'string' || !tenants.includes(claims.tid))
    throw new Failure('credential_invalid', 'The token is of another tenant than ENTRA_TENANT_ID.');
  if (!claims.iss?.includes(`/${claims.tid}/`))
    throw new Failure('credential_invalid', "The token's tenant (tid) is not that of its issuer.");
}

/** Any application of the tenant can get a token for our API; the settings can ask for a role or name the clients. */
function requireAssigned({ clientId, groups }: Bearer, config: EntraConfig): void {
  const { requiredAppRoles = [], allowedClientIds = [] } = config;
  if (requiredAppRoles.length + allowedClientIds.length === 0) return;
  const assigned = requiredAppRoles.some((role) => groups.includes(`role:${role}`));
  if (assigned || allowedClientIds.includes(clientId.toLowerCase())) return;
  throw new Failure(
    'client_refused',
    `The application ${clientId} is not allowed to use this gateway. Assign its service principal an app role of ` +
      'ENTRA_REQUIRED_APP_ROLE, or name it in ENTRA_ALLOWED_CLIENT_IDS.',
  );
}

/** Version 1.0 tokens carry the App ID URI as it was asked for, version 2.0 tokens the client id: both are one API. */
function requireAudience(claims: JWTPayload, config: EntraConfig): void {
  if (isForGraph(claims)) throw new Failure('credential_invalid', graphToken(config));
  const accepted = [
    config.clientId,
    `api://${config.clientId}`,
    config.applicationIdUri,
    ...(config.audiences ?? []),
  ];
  if (!audiencesIn(claims).some((audience) => accepted.includes(audience)))
    throw new Failure(
      'credential_invalid',
      `The token is for another audience. Ask for scope ${apiOf(config)}/.default.`,
    );
}

function audiencesIn(claims: JWTPayload): string[] {
  return [claims.aud ?? []].flat().map((audience) => audience.replace(/\/$/, ''));
}

function isForGraph(claims: JWTPayload): boolean {
  return audiencesIn(claims).some((audience) => graphAudiences.includes(audience));
}

function graphToken(config: EntraConfig): string {
  return `This is a token for Microsoft Graph. Ask for scope ${apiOf(config)}/.default to get one for this gateway.`;
}

/** The App ID URI, as scopes name the API of this gateway. */
function apiOf({ applicationIdUri, clientId }: EntraConfig): string {
  return applicationIdUri ?? `api://${clientId}`;
}

function bearerOf(claims: JWTPayload): Bearer {
  const clientId = text(claims.azp) ?? text(claims.appid);
  // An ID token is for the client that asked for it, never a key to an API (OpenID Connect Core, section 2).
  const isIdToken = 'nonce' in claims || 'at_hash' in claims || 'c_hash' in claims || !clientId;
  if (isIdToken)
    throw new Failure(
      'credential_invalid',
      'This is not an access token. Send the access_token, not the id_token.',
    );
  const delegated = typeof claims.scp === 'string' && claims.scp !== '';
  // `idtyp` is an optional claim: a default app-only token has none, but is its own subject.
  const appOnly =
    !delegated && (claims.idtyp === 'app' || (claims.sub !== undefined && claims.sub === claims.oid));
  if (!delegated && !appOnly)
    throw new Failure(
      'credential_invalid',
      'The token has no scope (scp) and is not an application token either.',
    );
  const person = personOf(claims);
  if (appOnly)
    return {
      ...person,
      kind: 'agent',
      clientId,
      username: clientId,
      name: text(claims.app_displayname),
      email: null,
    };
  return { ...person, kind: 'person', clientId };
}

/** Where tokens name groups instead of their ids, a group may be called like an app role: it never passes for one. */
function groupsOf(claim: unknown): string[] {
  return texts(claim).filter((group) => !/^\s*role:/i.test(group));
}

function personOf(claims: JWTPayload): Person {
  const subject = text(claims.oid);
  if (!subject)
    throw new Failure('credential_invalid', "The token has no 'oid' claim; ask for scope 'openid profile'.");
  const overage = claims.hasgroups === true || record(claims._claim_names).groups !== undefined;
  return {
    subject,
    tenant: text(claims.tid) ?? '',
    username:
      text(claims.preferred_username) ??
      text(claims.email) ??
      text(claims.upn) ??
      // What version 1.0 tokens call a guest, who has no upn there.
      text(claims.unique_name) ??
      text(claims.sub) ??
      subject,
    name: text(claims.name) ?? text(claims.given_name),
    email: text(claims.email) ?? text(claims.preferred_username),
    groups: [...groupsOf(claims.groups), ...texts(claims.roles).map((role) => `role:${role}`)],
    groupsComplete: !overage,
    logoutHint: text(claims.login_hint),
    sid: text(claims.sid),
  };
}
