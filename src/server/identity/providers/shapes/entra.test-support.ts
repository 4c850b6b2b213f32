import type { ProviderShape } from './shape.test-support.ts';

const tenant = '12345678-1234-1234-1234-123456789012';
const app = '87654321-4321-4321-4321-210987654321';
const login = 'https://login.microsoftonline.com';
const entraGroup = '16c7e67e-e8ae-498c-ba2e-0593c0159e43';
const entraToken = {
  iss: `${login}/${tenant}/v2.0`,
  ...{ aud: app, tid: tenant, oid: 'alice-oid', sub: 'pairwise', ver: '2.0' },
};

/** Microsoft Entra ID: object ids, overage apart, its own audience. */
export const entra: ProviderShape = {
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
