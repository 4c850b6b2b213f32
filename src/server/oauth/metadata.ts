import type { CommandLine } from '../../contract/people/sign-in.ts';
import { grantTypes } from './clients/clients.ts';
import { clientAuthMethods, routes } from './provider.ts';
import { mcpScopes, registryScope } from './resources.ts';

/** The client of `mcp-gateway login`: public, for a browser on the same machine or a code. */
export const commandLineClient = 'mcp-gateway-cli';

/** How the command line signs people in here: for the registry's API and every server. */
export function commandLineOf(issuer: string): CommandLine {
  return {
    provider: 'gateway',
    client_id: commandLineClient,
    authorization_endpoint: `${issuer}${routes.authorization}`,
    token_endpoint: `${issuer}${routes.token}`,
    device_authorization_endpoint: `${issuer}${routes.device_authorization}`,
    revocation_endpoint: `${issuer}${routes.revocation}`,
    scope: [registryScope, ...mcpScopes, 'offline_access'].join(' '),
  };
}

/** What the metadata says besides what is always so. */
export interface MetadataWorld {
  readonly issuer: string;
  readonly registration: boolean;
  readonly documents: boolean;
  /** Whether assertions of other issuers are taken (ID-JAG). */
  readonly assertions: boolean;
}

/** The authorization server metadata (RFC 8414); OpenID Connect is not offered, so there is no second document. */
export function metadataOf({
  issuer,
  registration,
  documents,
  assertions,
}: MetadataWorld): Record<string, unknown> {
  return {
    issuer,
    authorization_endpoint: `${issuer}${routes.authorization}`,
    token_endpoint: `${issuer}${routes.token}`,
    ...(registration ? { registration_endpoint: `${issuer}/oauth/register` } : {}),
    revocation_endpoint: `${issuer}${routes.revocation}`,
    introspection_endpoint: `${issuer}${routes.introspection}`,
    device_authorization_endpoint: `${issuer}${routes.device_authorization}`,
    jwks_uri: `${issuer}${routes.jwks}`,
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'fragment'],
    grant_types_supported: [
      ...[grantTypes.code, grantTypes.refresh, grantTypes.clientCredentials, grantTypes.device],
      ...(assertions ? [grantTypes.jwtBearer] : []),
      grantTypes.exchange,
    ],
    ...(assertions
      ? { authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'] }
      : {}),
    token_endpoint_auth_methods_supported: clientAuthMethods,
    token_endpoint_auth_signing_alg_values_supported: [
      'ES256',
      'ES384',
      'EdDSA',
      'Ed25519',
      'RS256',
      'PS256',
    ],
    code_challenge_methods_supported: ['S256'],
    scopes_supported: [...mcpScopes, registryScope, 'offline_access'],
    client_id_metadata_document_supported: documents,
    authorization_response_iss_parameter_supported: true,
  };
}
