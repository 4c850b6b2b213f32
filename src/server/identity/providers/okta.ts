import type { JWTPayload } from 'jose';
import type { OidcConfig } from '../../config/config.ts';
import { Failure } from '../../failure/errors.ts';
import type { Provider } from '../../provider/provider.ts';
import { text } from '../claims.ts';
import { isFor, type OidcShape, oidc, refuseIdToken } from './oidc.ts';

/**
 * Okta: access tokens of a custom authorization server, which name the client `cid`, the person `uid` and scopes `scp`.
 * OKTA_AUTHORIZATION_SERVER=org signs people in at the org's own server, whose access tokens only Okta can verify.
 */
export function okta({ name, redirectUris, value }: OidcConfig): Provider {
  const org = `https://${value('OKTA_DOMAIN')}`;
  const server = value('OKTA_AUTHORIZATION_SERVER');
  const isOrg = server === 'org';
  return oidc({
    ...{ name, redirectUris },
    displayName: 'Okta',
    issuer: isOrg ? org : `${org}/oauth2/${server}`,
    clientId: value('OKTA_CLIENT_ID'),
    clientSecret: value('OKTA_CLIENT_SECRET'),
    algorithms: ['RS256'],
    groupsClaim: value('OKTA_GROUPS_CLAIM'),
    // Only the org's own server has the scope `groups`; a custom one refuses whoever asks for it.
    ...(isOrg ? { scope: 'openid profile email offline_access groups' } : {}),
    // Claims that are not set to "Always" are left out of the ID tokens of a code.
    needsUserInfo: true,
    wantsIdTokenAtLogout: true,
    unverifiable: (claims) => (claims.iss === org ? notForUs(org, isOrg ? '' : server) : undefined),
    ...accessTokens(value('OKTA_AUDIENCE'), isOrg),
  });
}

function accessTokens(audiences: readonly string[], isOrg: boolean) {
  return {
    ...{ audiences, hasBearers: !isOrg },
    checkAccessToken(claims) {
      refuseIdToken(claims);
      if (text(claims.cid) === null)
        throw new Failure(
          'credential_invalid',
          'This is not an access token of Okta (cid). Send the access_token, not the id_token.',
        );
      if (!isFor(claims, audiences))
        throw new Failure(
          'credential_invalid',
          `The token's audience (aud) is not ${audiences.join(' or ')}. Set OKTA_AUDIENCE to that of the authorization ` +
            'server (docs/providers/okta.md, step 2).',
        );
    },
    // The `sub` of an access token is the login, which can change; `uid` is the `sub` of ID tokens.
    subjectOf: (claims) =>
      isAccessToken(claims) && !isService(claims) ? text(claims.uid) : text(claims.sub),
    usernameClaims: ['preferred_username', 'email', 'sub'],
    clientOf: (claims) => text(claims.cid),
    isAgent: isService,
  } satisfies Partial<OidcShape>;
}

function isAccessToken(claims: JWTPayload): boolean {
  return claims.cid !== undefined;
}

function isService(claims: JWTPayload): boolean {
  return claims.uid === undefined && claims.sub === claims.cid;
}

function notForUs(org: string, server: string): string {
  const token = "This is an access token of Okta's org authorization server, which only Okta can verify.";
  return server
    ? `${token} Ask ${org}/oauth2/${server}/v1/token for one (docs/providers/okta.md, step 2).`
    : `${token} Sign in and make a personal token, or set OKTA_AUTHORIZATION_SERVER (docs/providers/okta.md, step 2).`;
}
