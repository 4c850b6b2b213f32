import { ClientSecretPost } from 'openid-client';
import type { OidcConfig } from '../../config/config.ts';
import type { Provider } from '../../provider/provider.ts';
import { text } from '../claims.ts';
import { oidc } from './oidc.ts';

/** Auth0: groups in a claim that an Action adds, access tokens for an API, `gty` for applications. */
export function auth0({ name, redirectUris, value }: OidcConfig): Provider {
  const clientId = value('AUTH0_CLIENT_ID');
  const audience = value('AUTH0_AUDIENCE');
  const issuer = `https://${value('AUTH0_DOMAIN')}/`;
  return oidc({
    ...{ name, redirectUris, clientId, issuer },
    displayName: 'Auth0',
    clientSecret: value('AUTH0_CLIENT_SECRET'),
    clientAuth: ClientSecretPost(value('AUTH0_CLIENT_SECRET')),
    algorithms: ['RS256'],
    audiences: [audience],
    groupsClaim: value('AUTH0_GROUPS_CLAIM'),
    usernameClaims: ['preferred_username', 'nickname', 'email', 'sub'],
    hasBearers: audience !== '',
    unverifiable: (claims) =>
      claims.iss === issuer && audience === ''
        ? 'No access token of Auth0 is accepted until AUTH0_AUDIENCE names the API that stands for this gateway ' +
          '(docs/providers/auth0.md, step 2).'
        : undefined,
    clientOf: (claims) => text(claims.azp) ?? text(claims.client_id),
    // Tokens of the RFC 9068 profile have no `gty`; the `sub` of a person has the connection before a bar.
    isAgent: ({ gty = 'client-credentials', sub }, client) =>
      gty === 'client-credentials' && sub === `${client}@clients`,
    wantsIdTokenAtLogout: true,
    logoutUrl(server, returnTo) {
      // Tenants from before RP-initiated logout publish no such endpoint.
      if (server.end_session_endpoint) return undefined;
      const url = new URL('v2/logout', issuer);
      url.search = new URLSearchParams({ client_id: clientId, returnTo }).toString();
      return url;
    },
  });
}
