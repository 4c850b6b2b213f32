import { ClientSecretPost } from 'openid-client';
import type { OidcConfig } from '../../config/config.ts';
import { Failure } from '../../failure/errors.ts';
import type { Provider } from '../../provider/provider.ts';
import { text } from '../claims.ts';
import { discoveryUrlOf, isFor, oidc } from './oidc.ts';

/** Keycloak 26: groups by a mapper, access tokens with `typ: Bearer`, audiences by a mapper, service accounts as users. */
export function keycloak({ name, redirectUris, value }: OidcConfig): Provider {
  const clientId = value('KEYCLOAK_CLIENT_ID');
  const realm = `realms/${encodeURIComponent(value('KEYCLOAK_REALM'))}`;
  const audiences = value('KEYCLOAK_AUDIENCE').length > 0 ? value('KEYCLOAK_AUDIENCE') : [clientId];
  return oidc({
    ...{ name, redirectUris, clientId, audiences },
    displayName: 'Keycloak',
    issuer: `${value('KEYCLOAK_EXTERNAL_URL') || value('KEYCLOAK_URL')}/${realm}`,
    discoveryUrl: discoveryUrlOf(`${value('KEYCLOAK_URL')}/${realm}`),
    clientSecret: value('KEYCLOAK_CLIENT_SECRET'),
    clientAuth: ClientSecretPost(value('KEYCLOAK_CLIENT_SECRET')),
    groupsClaim: value('KEYCLOAK_GROUPS_CLAIM'),
    wantsIdTokenAtLogout: true,
    checkAccessToken(claims) {
      if (claims.typ !== 'Bearer')
        throw new Failure(
          'credential_invalid',
          'This is not an access token (typ Bearer). Send the access_token, not the ID, refresh or DPoP token.',
        );
      if (!isFor(claims, audiences))
        throw new Failure(
          'credential_invalid',
          `The token's audience (aud) is not ${audiences.join(' or ')}. In Keycloak, add an audience mapper for it to the ` +
            `client ${text(claims.azp) ?? 'that asks for the token'} (docs/providers/keycloak.md, step 3).`,
        );
    },
    clientOf: (claims) => text(claims.azp),
    // `client_id` is only in tokens of the client's own: a person may bear such a user name, but does not get the claim.
    isAgent: (claims, client) =>
      claims.client_id === client &&
      text(claims.preferred_username)?.toLowerCase() === `service-account-${client}`.toLowerCase(),
  });
}
