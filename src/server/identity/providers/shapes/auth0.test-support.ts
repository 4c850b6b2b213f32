import type { ProviderShape } from './shape.test-support.ts';

const auth0Issuer = 'https://example.eu.auth0.com/';
const auth0Groups = 'https://mcp-gateway/groups';
const auth0Token = { iss: auth0Issuer, aud: ['https://gateway.example.com', `${auth0Issuer}userinfo`] };

/** Auth0: groups under a name with a scheme, `gty` for applications. */
export const auth0: ProviderShape = {
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
