import { z } from 'zod';

/** The application id of Microsoft Graph, the same in every tenant and cloud. */
export const graphAppId = '00000003-0000-0000-c000-000000000000';
/** The scope for a token with all application permissions on Graph; national clouds know the id as well. */
export const graphScope = `${graphAppId}/.default`;

/** The app role of the gateway's API that agents are given. */
export const agentRole = 'Gateway.Invoke';
/** The delegated permission on the gateway's API. */
export const apiScope = 'access_as_user';

const text = z.string().nullish();
const texts = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);
const claims = z
  .array(z.looseObject({ name: z.string() }))
  .nullish()
  .transform((list) => list ?? []);

/** A permission or an app role that an application offers. */
const appRole = z.looseObject({
  id: z.string(),
  value: text,
  isEnabled: z.boolean().nullish(),
  allowedMemberTypes: texts,
});
/** A delegated permission that an application offers. */
const permissionScope = z.looseObject({
  id: z.string(),
  value: text,
  isEnabled: z.boolean().nullish(),
});

/** An app registration, as far as the gateway reads it. */
export const application = z.looseObject({
  id: z.string(),
  appId: z.string(),
  displayName: z.string(),
  signInAudience: text,
  identifierUris: texts,
  tags: texts,
  groupMembershipClaims: text,
  web: z.looseObject({
    redirectUris: texts,
    logoutUrl: text,
    implicitGrantSettings: z
      .looseObject({
        enableIdTokenIssuance: z.boolean().nullish(),
        enableAccessTokenIssuance: z.boolean().nullish(),
      })
      .nullish(),
  }),
  spa: z.looseObject({ redirectUris: texts }).nullish(),
  publicClient: z.looseObject({ redirectUris: texts }).nullish(),
  api: z.looseObject({
    requestedAccessTokenVersion: z.number().nullish(),
    oauth2PermissionScopes: z.array(permissionScope),
  }),
  appRoles: z.array(appRole),
  optionalClaims: z.looseObject({ idToken: claims, accessToken: claims, saml2Token: claims }).nullish(),
  requiredResourceAccess: z.array(
    z.looseObject({
      resourceAppId: z.string(),
      resourceAccess: z.array(z.looseObject({ id: z.string(), type: z.string() })),
    }),
  ),
  keyCredentials: z
    .array(z.looseObject({ keyId: z.string(), displayName: text, customKeyIdentifier: text }))
    .nullish()
    .transform((list) => list ?? []),
  passwordCredentials: z.array(
    z.looseObject({ keyId: z.string(), displayName: text, hint: text, endDateTime: z.string() }),
  ),
});

/** An app registration. */
export type Application = z.output<typeof application>;

/** What an application is in a tenant (an "enterprise application"). */
export const servicePrincipal = z.looseObject({
  id: z.string(),
  appId: z.string(),
  displayName: z.string(),
  accountEnabled: z.boolean().nullish(),
  appRoleAssignmentRequired: z.boolean().nullish(),
  appRoles: z.array(appRole),
  oauth2PermissionScopes: z.array(permissionScope),
});

/** What an application is in a tenant. */
export type ServicePrincipal = z.output<typeof servicePrincipal>;

/** Consent to delegated permissions, for everybody (`AllPrincipals`) or for one person. */
export const permissionGrant = z.looseObject({
  id: z.string(),
  clientId: z.string(),
  resourceId: z.string(),
  consentType: z.string(),
  scope: text.transform((value) => value ?? ''),
});

/** An app role that a principal has. */
export const roleAssignment = z.looseObject({
  id: z.string(),
  appRoleId: z.string(),
  principalId: z.string(),
  resourceId: z.string(),
});

/** A group, as far as the gateway reads it. */
export const group = z.looseObject({
  id: z.string(),
  displayName: z.string(),
  securityEnabled: z.boolean().nullish(),
});
