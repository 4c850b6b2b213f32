import type { ProviderShape } from './shape.test-support.ts';

const issuer = 'https://example.okta.com/oauth2/default';
const alice = '00uixa271s6x7qt8I0h7';
const app = '0oaiw2v8m6unWCvXM0h7';
const token = {
  ver: 1,
  jti: 'AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE',
  iss: issuer,
  aud: 'api://default',
};

/** Okta: `cid`, `uid` and a list in `scp`; the `sub` of access tokens is the login, that of ID tokens the id. */
export const okta: ProviderShape = {
  name: 'okta',
  evidence: [
    'https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/',
    'https://developer.okta.com/docs/guides/validate-access-tokens/dotnet/overview/',
    'https://developer.okta.com/docs/guides/customize-tokens-groups-claim/overview/',
    'https://support.okta.com/help/s/article/the-purpose-of-id-token-hint-in-the-logout-api-and-how-does-it-affect-the-single-logout-process',
  ],
  settings: { OKTA_DOMAIN: 'example.okta.com', OKTA_CLIENT_ID: app, OKTA_CLIENT_SECRET: 'okta-secret' },
  endpoints: {
    discovery: {
      [`${issuer}/.well-known/openid-configuration`]: {
        issuer,
        end_session_endpoint: `${issuer}/v1/logout`,
        token_endpoint_auth_methods_supported: [
          'client_secret_basic',
          'client_secret_post',
          'private_key_jwt',
        ],
      },
    },
    authorize: `${issuer}/v1/authorize`,
    token: `${issuer}/v1/token`,
    jwks: `${issuer}/v1/keys`,
    userInfo: `${issuer}/v1/userinfo`,
  },
  client: { id: app, secret: 'okta-secret' },
  idToken: (groups) => ({
    ...{ ver: 1, jti: 'ID.1', iss: issuer, aud: app, sub: alice, amr: ['pwd'], idp: '00oixa26ycdNcX0VT0h7' },
    ...{ preferred_username: 'alice@example.com', email: 'alice@example.com', groups },
  }),
  alice: { subject: alice, username: 'alice@example.com' },
  groups: ['mcp-registry-admin'],
  signOut:
    /^https:\/\/example\.okta\.com\/oauth2\/default\/v1\/logout\?post_logout_redirect_uri=.+&id_token_hint=ey.+/,
  bearer: {
    person: (groups) => ({
      ...{
        ...token,
        cid: 'desktop',
        uid: alice,
        sub: 'alice@example.com',
        scp: ['openid', 'profile'],
        groups,
      },
    }),
    agent: () => ({ ...token, cid: '0oaagent', sub: '0oaagent', scp: ['gateway'] }),
    agentClient: '0oaagent',
    agentHasGroups: false,
    wrong: {
      'an ID token': { nonce: 'n' },
      'without a client': { cid: undefined },
      'of nobody by a stable id': { uid: undefined },
    },
    remedy: /OKTA_AUDIENCE/,
  },
};
