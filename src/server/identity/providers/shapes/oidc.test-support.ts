import type { ProviderShape } from './shape.test-support.ts';

const anyIssuer = 'https://id.example.com/tenant/';

/** Any issuer: several audiences, groups at a path, a secret with signs in it. */
export const oidc: ProviderShape = {
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
