import type { JWTPayload } from 'jose';
import type { Environment } from '../../config.ts';
import type { Endpoints } from './issuer.test-support.ts';

/** What a provider's tokens look like, by its documentation, and what the gateway has to make of them. */
export interface ProviderShape {
  readonly name: string;
  /** Where the shapes are documented. */
  readonly evidence: readonly string[];
  readonly settings: Environment;
  readonly endpoints: Endpoints;
  readonly client: { readonly id: string; readonly secret: string };
  /** Alice, in these groups. */
  idToken(groups: readonly string[]): JWTPayload;
  /** Alice by her ID and name, as sign-in has to find her. */
  readonly alice: { readonly subject: string; readonly username: string };
  /** Groups as the provider writes them. */
  readonly groups: readonly string[];
  /** Where the browser goes to sign out; undefined when the provider has no such page. */
  readonly signOut: RegExp | undefined;
  /** Absent where the provider has no access tokens for others. */
  readonly bearer?: {
    person(groups: readonly string[]): JWTPayload;
    agent(groups: readonly string[]): JWTPayload;
    readonly agentClient: string;
    /** Whether the tokens of agents carry groups in practice. */
    readonly agentHasGroups: boolean;
    /** Changes of a good token after which it is another kind of token, or for somebody else. */
    readonly wrong: Readonly<Record<string, JWTPayload>>;
    /** What a wrong audience has to be answered with. */
    readonly remedy: RegExp;
  };
}

const tenant = '12345678-1234-1234-1234-123456789012';
const app = '87654321-4321-4321-4321-210987654321';
const login = 'https://login.microsoftonline.com';
const entraGroup = '16c7e67e-e8ae-498c-ba2e-0593c0159e43';
const entraToken = {
  iss: `${login}/${tenant}/v2.0`,
  ...{ aud: app, tid: tenant, oid: 'alice-oid', sub: 'pairwise', ver: '2.0' },
};

const entra: ProviderShape = {
  name: 'entra',
  evidence: ['https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference'],
  settings: { ENTRA_TENANT_ID: tenant, ENTRA_CLIENT_ID: app, ENTRA_CLIENT_SECRET: 'abc8Q~example' },
  endpoints: {
    discovery: {
      [`${login}/${tenant}/v2.0/.well-known/openid-configuration`]: {
        issuer: `${login}/${tenant}/v2.0`,
        end_session_endpoint: `${login}/${tenant}/oauth2/v2.0/logout`,
      },
      [`${login}/${tenant}/.well-known/openid-configuration`]: {
        issuer: `https://sts.windows.net/${tenant}/`,
      },
    },
    authorize: `${login}/${tenant}/oauth2/v2.0/authorize`,
    token: `${login}/${tenant}/oauth2/v2.0/token`,
    jwks: `${login}/${tenant}/discovery/v2.0/keys`,
  },
  client: { id: app, secret: 'abc8Q~example' },
  idToken: (groups) => ({ ...entraToken, preferred_username: 'alice@example.com', groups }),
  alice: { subject: 'alice-oid', username: 'alice@example.com' },
  groups: [entraGroup],
  signOut: /^https:\/\/login\.microsoftonline\.com\/.+\/oauth2\/v2\.0\/logout\?post_logout_redirect_uri=/,
  bearer: {
    person: (groups) => ({ ...entraToken, azp: app, scp: 'access_as_user', groups }),
    agent: (groups) => ({ ...entraToken, oid: 'sp', sub: 'sp', azp: 'agent-app', idtyp: 'app', groups }),
    agentClient: 'agent-app',
    agentHasGroups: true,
    wrong: {
      'of another tenant': { tid: '99999999-1234-1234-1234-123456789012' },
      'an ID token': { nonce: 'n', scp: undefined },
    },
    remedy: /\.default/,
  },
};

const realm = 'https://sso.example.com/realms/company';
const keycloakToken = {
  iss: realm,
  sub: 'f4a3c8d2-alice',
  typ: 'Bearer',
  azp: 'desktop',
  aud: ['account', 'mcp-gateway-web'],
};

const keycloak: ProviderShape = {
  name: 'keycloak',
  evidence: [
    'https://www.keycloak.org/docs/latest/server_admin/#_audience',
    'https://www.keycloak.org/docs/latest/server_admin/#_service_accounts',
  ],
  settings: {
    KEYCLOAK_URL: 'https://sso.example.com',
    KEYCLOAK_REALM: 'company',
    KEYCLOAK_CLIENT_ID: 'mcp-gateway-web',
    KEYCLOAK_CLIENT_SECRET: 'keycloak-secret',
  },
  endpoints: {
    discovery: {
      [`${realm}/.well-known/openid-configuration`]: {
        issuer: realm,
        end_session_endpoint: `${realm}/protocol/openid-connect/logout`,
      },
    },
    authorize: `${realm}/protocol/openid-connect/auth`,
    token: `${realm}/protocol/openid-connect/token`,
    jwks: `${realm}/protocol/openid-connect/certs`,
  },
  client: { id: 'mcp-gateway-web', secret: 'keycloak-secret' },
  idToken: (groups) => ({
    ...{ iss: realm, aud: 'mcp-gateway-web', azp: 'mcp-gateway-web', typ: 'ID', sub: 'f4a3c8d2-alice' },
    ...{ preferred_username: 'alice', email: 'alice@example.com', sid: 'kc-session', groups },
  }),
  alice: { subject: 'f4a3c8d2-alice', username: 'alice' },
  groups: ['/staff/admins', 'mcp-registry-admin'],
  signOut:
    /\/protocol\/openid-connect\/logout\?post_logout_redirect_uri=.+&id_token_hint=ey.+&client_id=mcp-gateway-web/,
  bearer: {
    person: (groups) => ({ ...keycloakToken, scope: 'openid profile', preferred_username: 'alice', groups }),
    agent: (groups) => ({
      ...{
        ...keycloakToken,
        sub: 'sa-user-id',
        azp: 'agent-one',
        client_id: 'agent-one',
        scope: 'profile email',
      },
      ...{ preferred_username: 'service-account-agent-one', groups },
    }),
    agentClient: 'agent-one',
    agentHasGroups: true,
    wrong: {
      'an ID token': { typ: 'ID' },
      'a refresh token': { typ: 'Refresh' },
      'without a client': { azp: undefined },
      'for our client, but without the audience mapper': { azp: 'mcp-gateway-web', aud: 'account' },
    },
    remedy: /add an audience mapper/,
  },
};

const pool = 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI';
const poolHost = 'https://company.auth.eu-central-1.amazoncognito.com';
const cognitoToken = {
  iss: pool,
  token_use: 'access',
  version: 2,
  scope: 'openid',
  origin_jti: 'o',
  jti: 'j',
};

const cognito: ProviderShape = {
  name: 'cognito',
  evidence: [
    'https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html',
    'https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html',
    'https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html',
  ],
  settings: {
    COGNITO_USER_POOL_ID: 'eu-central-1_AbCdEfGhI',
    COGNITO_CLIENT_ID: '1h57kf5cpq17m0eml12EXAMPLE',
    COGNITO_CLIENT_SECRET: 'cognito-secret',
    COGNITO_ALLOWED_CLIENT_IDS: 'agentclient1',
  },
  endpoints: {
    discovery: { [`${pool}/.well-known/openid-configuration`]: { issuer: pool } },
    authorize: `${poolHost}/oauth2/authorize`,
    token: `${poolHost}/oauth2/token`,
    jwks: `${pool}/.well-known/jwks.json`,
    userInfo: `${poolHost}/oauth2/userInfo`,
  },
  client: { id: '1h57kf5cpq17m0eml12EXAMPLE', secret: 'cognito-secret' },
  idToken: (groups) => ({
    ...{ iss: pool, aud: '1h57kf5cpq17m0eml12EXAMPLE', sub: 'cognito-alice', token_use: 'id' },
    ...{ 'cognito:username': 'alice', 'cognito:groups': groups, email: 'alice@example.com' },
  }),
  alice: { subject: 'cognito-alice', username: 'alice' },
  groups: ['mcp-registry-admin'],
  signOut:
    /^https:\/\/company\.auth\.eu-central-1\.amazoncognito\.com\/logout\?client_id=1h57kf5cpq17m0eml12EXAMPLE&logout_uri=/,
  bearer: {
    person: (groups) => ({
      ...{
        ...cognitoToken,
        sub: 'cognito-alice',
        client_id: '1h57kf5cpq17m0eml12EXAMPLE',
        username: 'alice',
      },
      'cognito:groups': groups,
    }),
    agent: () => ({ ...cognitoToken, sub: 'agentclient1', client_id: 'agentclient1', scope: 'gateway/call' }),
    agentClient: 'agentclient1',
    agentHasGroups: false,
    wrong: {
      'an ID token': { token_use: 'id', aud: '1h57kf5cpq17m0eml12EXAMPLE' },
      'of another app client': { client_id: 'somebody-else' },
      'without a client': { client_id: undefined },
      'for another resource': { aud: 'https://other.example.com' },
    },
    remedy: /COGNITO_ALLOWED_CLIENT_IDS|another resource/,
  },
};

const auth0Issuer = 'https://example.eu.auth0.com/';
const auth0Groups = 'https://mcp-gateway/groups';
const auth0Token = { iss: auth0Issuer, aud: ['https://gateway.example.com', `${auth0Issuer}userinfo`] };

const auth0: ProviderShape = {
  name: 'auth0',
  evidence: [
    'https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles',
    'https://auth0.com/docs/authenticate/login/logout/log-users-out-of-auth0',
  ],
  settings: {
    AUTH0_DOMAIN: 'example.eu.auth0.com',
    AUTH0_CLIENT_ID: 'auth0-web',
    AUTH0_CLIENT_SECRET: 'auth0-secret',
    AUTH0_AUDIENCE: 'https://gateway.example.com',
  },
  endpoints: {
    discovery: { [`${auth0Issuer}.well-known/openid-configuration`]: { issuer: auth0Issuer } },
    authorize: `${auth0Issuer}authorize`,
    token: `${auth0Issuer}oauth/token`,
    jwks: `${auth0Issuer}.well-known/jwks.json`,
  },
  client: { id: 'auth0-web', secret: 'auth0-secret' },
  idToken: (groups) => ({
    ...{ iss: auth0Issuer, aud: 'auth0-web', sub: 'auth0|507f1f77bcf86cd799439020', nickname: 'alice' },
    ...{ email: 'alice@example.com', [auth0Groups]: groups },
  }),
  alice: { subject: 'auth0|507f1f77bcf86cd799439020', username: 'alice' },
  groups: ['mcp-registry-admin'],
  signOut: /^https:\/\/example\.eu\.auth0\.com\/v2\/logout\?client_id=auth0-web&returnTo=/,
  bearer: {
    person: (groups) => ({
      ...{ ...auth0Token, sub: 'auth0|507f1f77bcf86cd799439020', azp: 'desktop', scope: 'openid' },
      [auth0Groups]: groups,
    }),
    agent: () => ({
      ...auth0Token,
      aud: 'https://gateway.example.com',
      sub: 'm2m1@clients',
      azp: 'm2m1',
      gty: 'client-credentials',
    }),
    agentClient: 'm2m1',
    agentHasGroups: false,
    wrong: { 'an ID token': { aud: 'auth0-web', azp: undefined }, 'without a client': { azp: undefined } },
    remedy: /gateway\.example\.com/,
  },
};

const googleIssuer = 'https://accounts.google.com';

const google: ProviderShape = {
  name: 'google',
  evidence: ['https://developers.google.com/identity/openid-connect/openid-connect'],
  settings: {
    GOOGLE_CLIENT_ID: '1234-web.apps.googleusercontent.com',
    GOOGLE_CLIENT_SECRET: 'google-secret',
    GOOGLE_HOSTED_DOMAINS: 'example.com',
  },
  endpoints: {
    discovery: { [`${googleIssuer}/.well-known/openid-configuration`]: { issuer: googleIssuer } },
    authorize: `${googleIssuer}/o/oauth2/v2/auth`,
    token: 'https://oauth2.googleapis.com/token',
    jwks: 'https://www.googleapis.com/oauth2/v3/certs',
  },
  client: { id: '1234-web.apps.googleusercontent.com', secret: 'google-secret' },
  // Google has no groups: what stands for them is the domain and the address.
  idToken: ([, address = 'email:alice@example.com']) => ({
    ...{
      iss: googleIssuer,
      aud: '1234-web.apps.googleusercontent.com',
      azp: '1234-web.apps.googleusercontent.com',
    },
    ...{
      sub: '10769150350006150715113082367',
      hd: 'example.com',
      email_verified: true,
      email: address.slice(6),
    },
  }),
  alice: { subject: '10769150350006150715113082367', username: 'alice@example.com' },
  groups: ['domain:example.com', 'email:alice@example.com'],
  signOut: undefined,
};

const anyIssuer = 'https://id.example.com/tenant/';

const oidc: ProviderShape = {
  name: 'oidc',
  evidence: [
    'https://openid.net/specs/openid-connect-core-1_0.html#IDToken',
    'https://www.rfc-editor.org/rfc/rfc9068#section-2.2',
  ],
  settings: {
    OIDC_ISSUER: anyIssuer,
    OIDC_CLIENT_ID: 'gateway',
    OIDC_CLIENT_SECRET: 'any-secret:with%signs',
    OIDC_GROUPS_CLAIM: 'realm_access.roles',
  },
  endpoints: {
    discovery: {
      [`${anyIssuer}.well-known/openid-configuration`]: {
        issuer: anyIssuer,
        end_session_endpoint: `${anyIssuer}end`,
      },
    },
    authorize: `${anyIssuer}authorize`,
    token: `${anyIssuer}token`,
    jwks: `${anyIssuer}keys`,
    userInfo: `${anyIssuer}me`,
  },
  client: { id: 'gateway', secret: 'any-secret:with%signs' },
  idToken: (groups) => ({
    ...{
      iss: anyIssuer,
      aud: ['gateway', 'other'],
      azp: 'gateway',
      sub: 'alice-1',
      email: 'alice@example.com',
    },
    realm_access: { roles: groups },
  }),
  alice: { subject: 'alice-1', username: 'alice@example.com' },
  groups: ['admins'],
  signOut:
    /^https:\/\/id\.example\.com\/tenant\/end\?post_logout_redirect_uri=.+&id_token_hint=ey.+&client_id=gateway/,
  bearer: {
    person: (groups) => ({
      ...{ iss: anyIssuer, aud: 'gateway', sub: 'alice-1', client_id: 'desktop', scope: 'openid' },
      realm_access: { roles: groups },
    }),
    agent: () => ({ iss: anyIssuer, aud: 'gateway', sub: 'agent-1', client_id: 'agent-1', scope: 'call' }),
    agentClient: 'agent-1',
    agentHasGroups: false,
    wrong: {
      'an ID token': { nonce: 'n' },
      'an ID token of a refresh': { scope: undefined },
      'without a client': { client_id: undefined },
    },
    remedy: /must be for gateway/,
  },
};

/** Every provider: joining this list buys the contract's tests. */
export const shapes: readonly ProviderShape[] = [entra, keycloak, cognito, auth0, google, oidc];
