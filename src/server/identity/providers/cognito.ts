import { ClientSecretPost } from 'openid-client';
import type { OidcConfig } from '../../config/config.ts';
import { Failure } from '../../failure/errors.ts';
import type { Provider } from '../../provider/provider.ts';
import { text } from '../claims.ts';
import { isFor, oidc } from './oidc.ts';

/** Amazon Cognito: access tokens without an audience, told apart by `token_use`, and a sign-out page of its own kind. */
export function cognito({ name, redirectUris, value }: OidcConfig): Provider {
  const clientId = value('COGNITO_CLIENT_ID');
  const clients = [clientId, ...value('COGNITO_ALLOWED_CLIENT_IDS')];
  return oidc({
    ...{ name, redirectUris, clientId },
    displayName: 'Amazon Cognito',
    issuer: issuerOf(value('COGNITO_USER_POOL_ID')),
    clientSecret: value('COGNITO_CLIENT_SECRET'),
    clientAuth: ClientSecretPost(value('COGNITO_CLIENT_SECRET')),
    algorithms: ['RS256'],
    audiences: [],
    groupsClaim: ['cognito:groups'],
    scope: 'openid profile email',
    usernameClaims: ['preferred_username', 'cognito:username', 'username', 'email', 'sub'],
    checkIdToken(claims) {
      if (claims.token_use !== 'id') throw new Failure('credential_invalid', 'This is not an ID token.');
    },
    checkAccessToken(claims) {
      if (claims.token_use !== 'access')
        throw new Failure(
          'credential_invalid',
          'This is not an access token (token_use). Send the access_token, not the id_token.',
        );
      const client = text(claims.client_id) ?? '';
      if (!clients.includes(client))
        throw new Failure(
          'credential_invalid',
          `The app client ${client.slice(0, 100)} is not known here. Add it to COGNITO_ALLOWED_CLIENT_IDS (docs/providers/cognito.md, step 4).`,
        );
      // Only tokens that were asked for with a resource have an audience: then it has to be us.
      if (claims.aud !== undefined && !isFor(claims, clients))
        throw new Failure('credential_invalid', 'The token is for another resource (aud).');
    },
    clientOf: (claims) => text(claims.client_id),
    isAgent: (claims, client) => claims.sub === client && claims.username === undefined,
    logoutUrl(server, returnTo) {
      const given = value('COGNITO_DOMAIN');
      const host = given ? `https://${given}` : server.authorization_endpoint;
      if (!host) return undefined;
      const url = new URL('/logout', host);
      url.search = new URLSearchParams({ client_id: clientId, logout_uri: returnTo }).toString();
      return url;
    },
  });
}

function issuerOf(pool: string): string {
  const region = pool.split('_')[0] ?? '';
  return `https://cognito-idp.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}/${pool}`;
}
