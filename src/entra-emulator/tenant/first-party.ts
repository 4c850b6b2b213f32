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

const home = makeTenant('f8cdef31-a31e-4b4a-93e4-5f571e91255a', 'First party', [], '2020-01-01T00:00:00Z');

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
  home,
  '2020-01-01T00:00:00Z',
);

/**
 * The public client with which administrators set a tenant up before it has any registration of its own (Microsoft
 * Graph Command Line Tools).
 */
const commandLineTools: Application = makeApplication(
  {
    id: guidFrom('application', '14d82eec-204b-4c2f-b7e8-296a70dab67e'),
    appId: '14d82eec-204b-4c2f-b7e8-296a70dab67e',
    displayName: 'Microsoft Graph Command Line Tools',
    signInAudience: 'AzureADandPersonalMicrosoftAccount',
    isFallbackPublicClient: true,
    publicClient: { redirectUris: ['http://localhost'] },
  },
  home,
  '2020-01-01T00:00:00Z',
);

/** The tenant of the applications that exist everywhere; nobody signs in there. */
export const firstParty: Tenant = home;
for (const application of [microsoftGraph, commandLineTools])
  home.applications.set(application.id, application);

/** The service principals that every tenant has from its beginning. */
export function firstPartyPrincipals(tenant: Tenant): ServicePrincipal[] {
  return [microsoftGraph, commandLineTools].map((application) =>
    makeServicePrincipal(application, home.id, {
      id: guidFrom(tenant.id, 'servicePrincipal', application.appId),
    }),
  );
}
