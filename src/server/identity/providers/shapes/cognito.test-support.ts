import type { ProviderShape } from './shape.test-support.ts';

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

/** Amazon Cognito: `token_use`, access tokens without an audience. */
export const cognito: ProviderShape = {
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
