import type { ApplicationSeed } from './tenant/seed.ts';

/** Microsoft's own public client for administration with Graph, the same in every tenant. */
export const adminClientId = '14d82eec-204b-4c2f-b7e8-296a70dab67e';

/** That client in a seed, with consent to what `mcp-gateway setup entra` asks for: an administrator signs in with a code. */
export function adminClient(): ApplicationSeed {
  const scopes = [
    'Application.ReadWrite.All',
    'AppRoleAssignment.ReadWrite.All',
    'DelegatedPermissionGrant.ReadWrite.All',
    'Group.ReadWrite.All',
    'User.Read.All',
  ];
  return {
    appId: adminClientId,
    displayName: 'Microsoft Graph Command Line Tools (emulated)',
    isFallbackPublicClient: true,
    publicClient: { redirectUris: ['http://localhost'] },
    grantedScopes: [
      { resource: 'Microsoft Graph', scope: `openid profile offline_access ${scopes.join(' ')}` },
    ],
  };
}
