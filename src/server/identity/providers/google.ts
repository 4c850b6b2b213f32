import type { JWTPayload } from 'jose';
import { ClientSecretPost } from 'openid-client';
import type { OidcConfig } from '../../config/config.ts';
import { Failure } from '../../failure/errors.ts';
import type { Provider } from '../../provider/provider.ts';
import { text } from '../claims.ts';
import { oidc } from './oidc.ts';

/** Google: people of named Workspace domains sign in; no groups, no access tokens that anybody else can read. */
export function google({ name, redirectUris, value }: OidcConfig): Provider {
  const issuer = 'https://accounts.google.com';
  const domains = value('GOOGLE_HOSTED_DOMAINS');
  return oidc({
    ...{ name, redirectUris, issuer },
    displayName: 'Google',
    clientId: value('GOOGLE_CLIENT_ID'),
    clientSecret: value('GOOGLE_CLIENT_SECRET'),
    clientAuth: ClientSecretPost(value('GOOGLE_CLIENT_SECRET')),
    algorithms: ['RS256'],
    audiences: [],
    groupsClaim: [],
    groupsOf,
    scope: 'openid profile email',
    // The only way to a refresh token, without which nobody would notice that an account was suspended.
    authorizationParameters: {
      access_type: 'offline',
      prompt: 'consent',
      ...(domains.length === 1 ? { hd: domains.join() } : {}),
    },
    usernameClaims: ['email', 'sub'],
    checkIdToken(claims) {
      const domain = text(claims.hd);
      if (claims.email_verified !== true || !domain || !domains.includes(domain.toLowerCase()))
        throw new Failure(
          'sign_in_refused',
          'The domain of this account is not allowed to sign in here (GOOGLE_HOSTED_DOMAINS).',
        );
    },
    hasBearers: false,
  });
}

/** Google tells no groups; the verified domain and address are what scopes can be mapped to. */
function groupsOf(claims: JWTPayload): string[] {
  const [domain, email] = [text(claims.hd), text(claims.email)];
  return [
    ...(domain ? [`domain:${domain.toLowerCase()}`] : []),
    ...(email ? [`email:${email.toLowerCase()}`] : []),
  ];
}
