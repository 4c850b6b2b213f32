import { guidFrom } from './identify.ts';
import { makeApplication, makeServicePrincipal, makeTenant } from './make.ts';
import type { Application, ServicePrincipal, Tenant } from './model.ts';

/** The application id of Microsoft Graph, the same in every tenant. */
export const graphAppId = '00000003-0000-0000-c000-000000000000';
/** The App ID URI of Microsoft Graph in the global cloud. */
export const graphUri = 'https://graph.microsoft.com';

/** Delegated permissions; those in the first list any user may consent to, the others need an administrator. */
const userScopes = ['openid', 'profile', 'email', 'offline_access', 'User.Read', 'User.ReadBasic.All'];
const adminScopes = [
  'User.Read.All',
  'User.ReadWrite.All',
  'User.Invite.All',
  'Group.Read.All',
  'Group.ReadWrite.All',
  'GroupMember.Read.All',
  'GroupMember.ReadWrite.All',
  'Application.Read.All',
  'Application.ReadWrite.All',
  'AppRoleAssignment.ReadWrite.All',
  'DelegatedPermissionGrant.ReadWrite.All',
  'Directory.Read.All',
  'Directory.ReadWrite.All',
  'Directory.AccessAsUser.All',
  'Organization.Read.All',
  'Domain.Read.All',
  'Policy.Read.All',
];
const applicationRoles = [
  'User.Read.All',
  'User.ReadWrite.All',
  'User.Invite.All',
  'Group.Create',
  'Group.Read.All',
  'Group.ReadWrite.All',
  'GroupMember.Read.All',
  'GroupMember.ReadWrite.All',
  'Application.Read.All',
  'Application.ReadWrite.All',
  'Application.ReadWrite.OwnedBy',
  'AppRoleAssignment.ReadWrite.All',
  'DelegatedPermissionGrant.ReadWrite.All',
  'Directory.Read.All',
  'Directory.ReadWrite.All',
  'Organization.Read.All',
  'Domain.Read.All',
  'Policy.Read.All',
  'Policy.Read.ApplicationConfiguration',
];

/**
 * Microsoft Graph as an application. The ids of its permissions are derived from their names and are not
 * Microsoft's: a client that looks permissions up by value works here, one that has ids built in does not.
 */
export const microsoftGraph: Application = makeApplication(
  {
    id: guidFrom('application', graphAppId),
    appId: graphAppId,
    displayName: 'Microsoft Graph',
    identifierUris: [graphUri],
    signInAudience: 'AzureADMultipleOrgs',
    api: {
      oauth2PermissionScopes: [
        ...userScopes.map((value) => ({ value, type: 'User' as const })),
        ...adminScopes.map((value) => ({ value, type: 'Admin' as const })),
      ],
    },
    appRoles: applicationRoles.map((value) => ({ value })),
  },
  makeTenant('f8cdef31-a31e-4b4a-93e4-5f571e91255a', 'First party', [], '2020-01-01T00:00:00Z'),
  '2020-01-01T00:00:00Z',
);

/** The service principal that Microsoft Graph has in every tenant. */
export function graphServicePrincipal(tenant: Tenant): ServicePrincipal {
  return makeServicePrincipal(microsoftGraph, 'f8cdef31-a31e-4b4a-93e4-5f571e91255a', {
    id: guidFrom(tenant.id, 'servicePrincipal', graphAppId),
  });
}
