import type { ProviderShape } from './shape.test-support.ts';

const realm = 'https://sso.example.com/realms/company';
const keycloakToken = {
  iss: realm,
  sub: 'f4a3c8d2-alice',
  typ: 'Bearer',
  azp: 'desktop',
  aud: ['account', 'mcp-gateway-web'],
};

/** Keycloak 26: `typ`, an audience mapper, service accounts that are users. */
export const keycloak: ProviderShape = {
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
