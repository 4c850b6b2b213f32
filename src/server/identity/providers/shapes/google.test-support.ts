import type { ProviderShape } from './shape.test-support.ts';

const googleIssuer = 'https://accounts.google.com';

/** Google: no groups, no access tokens for others, no page to sign out. */
export const google: ProviderShape = {
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
