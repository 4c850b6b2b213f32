import { randomUUID } from 'node:crypto';
import { guidFrom } from './identify.ts';
import type {
  Application,
  AppRole,
  DirectoryRole,
  Group,
  OptionalClaim,
  PermissionScope,
  ServicePrincipal,
  Tenant,
  User,
} from './model.ts';
import { makeRelation } from './relation.ts';

/** An application as a manifest writes it: any part may be left out. */
export type ApplicationParts = Partial<
  Omit<Application, 'kind' | 'web' | 'api' | 'appRoles' | 'optionalClaims' | 'passwordCredentials'>
> & {
  displayName: string;
  web?: Partial<Application['web']>;
  api?: Partial<Omit<Application['api'], 'oauth2PermissionScopes'>> & {
    oauth2PermissionScopes?: (Partial<PermissionScope> & { value: string })[];
  };
  appRoles?: (Partial<AppRole> & { value: string | null })[];
  optionalClaims?: Partial<Record<'idToken' | 'accessToken' | 'saml2Token', Partial<OptionalClaim>[]>> | null;
};

/** A tenant with nothing in it; the first domain is its default. */
export function makeTenant(id: string, displayName: string, domains: readonly string[], now: string): Tenant {
  return {
    id,
    displayName,
    domains: domains.map((name, index) => ({ name, isDefault: index === 0, isInitial: index === 0 })),
    createdDateTime: now,
    objects: new Map(),
    users: new Map(),
    groups: new Map(),
    applications: new Map(),
    servicePrincipals: new Map(),
    directoryRoles: new Map(),
    members: makeRelation(),
    owners: makeRelation(),
    appRoleAssignments: new Map(),
    grants: new Map(),
    federatedCredentials: new Map(),
    deleted: new Map(),
    passwords: new Map(),
    mustChangePassword: new Set(),
    secrets: new Map(),
    born: new Map(),
    revoked: new Map(),
    listed: new Map(),
  };
}

/** A user with defaults for what is not given. */
export function makeUser(
  parts: Partial<User> & { displayName: string; userPrincipalName: string },
  now: string,
): User {
  return {
    id: randomUUID(),
    givenName: null,
    surname: null,
    mail: null,
    mailNickname: parts.userPrincipalName.split('@')[0] ?? '',
    otherMails: [],
    jobTitle: null,
    department: null,
    officeLocation: null,
    mobilePhone: null,
    businessPhones: [],
    preferredLanguage: null,
    companyName: null,
    employeeId: null,
    country: null,
    usageLocation: null,
    accountEnabled: true,
    userType: 'Member',
    creationType: null,
    externalUserState: null,
    createdDateTime: now,
    deletedDateTime: null,
    onPremisesSyncEnabled: null,
    ...parts,
    kind: 'user',
  };
}

/** A group, by default an assigned security group. */
export function makeGroup(parts: Partial<Group> & { displayName: string }, now: string): Group {
  return {
    id: randomUUID(),
    uniqueName: null,
    description: null,
    mail: null,
    mailEnabled: false,
    mailNickname: parts.displayName.replaceAll(/[^A-Za-z0-9_-]/g, '').slice(0, 64) || 'group',
    securityEnabled: true,
    groupTypes: [],
    visibility: null,
    isAssignableToRole: null,
    membershipRule: null,
    onPremisesSyncEnabled: null,
    onPremisesSamAccountName: null,
    createdDateTime: now,
    deletedDateTime: null,
    ...parts,
    kind: 'group',
  };
}

/** An application registration; a fresh one has `requestedAccessTokenVersion` null, which means v1.0 tokens. */
export function makeApplication(parts: ApplicationParts, tenant: Tenant, now: string): Application {
  const appId = parts.appId ?? randomUUID();
  return {
    id: randomUUID(),
    uniqueName: null,
    description: null,
    notes: null,
    publisherDomain: tenant.domains[0]?.name ?? null,
    signInAudience: 'AzureADMyOrg',
    identifierUris: [],
    tags: [],
    groupMembershipClaims: null,
    isFallbackPublicClient: null,
    requiredResourceAccess: [],
    keyCredentials: [],
    createdDateTime: now,
    deletedDateTime: null,
    ...parts,
    kind: 'application',
    appId,
    passwordCredentials: [],
    web: makeWeb(parts.web),
    spa: { redirectUris: [], ...parts.spa },
    publicClient: { redirectUris: [], ...parts.publicClient },
    api: makeApi(parts.api, appId),
    appRoles: makeAppRoles(parts.appRoles, appId),
    optionalClaims: makeOptionalClaims(parts.optionalClaims),
  };
}

/** The web platform of a registration with defaults for what is not given. */
export function makeWeb(parts: Partial<Application['web']> | undefined): Application['web'] {
  const implicitGrantSettings = {
    enableIdTokenIssuance: false,
    enableAccessTokenIssuance: false,
    ...parts?.implicitGrantSettings,
  };
  return { redirectUris: [], logoutUrl: null, homePageUrl: null, ...parts, implicitGrantSettings };
}

/** The API side of a registration; permissions without an id get one derived from their value. */
export function makeApi(parts: ApplicationParts['api'], appId: string): Application['api'] {
  return {
    requestedAccessTokenVersion: null,
    acceptMappedClaims: null,
    knownClientApplications: [],
    preAuthorizedApplications: [],
    ...parts,
    oauth2PermissionScopes: (parts?.oauth2PermissionScopes ?? []).map((scope) => ({
      id: guidFrom(appId, 'scope', scope.value),
      type: 'User',
      isEnabled: true,
      adminConsentDisplayName: scope.value,
      adminConsentDescription: scope.value,
      userConsentDisplayName: null,
      userConsentDescription: null,
      ...scope,
    })),
  };
}

/** App roles with defaults; without an id they get one derived from their value. */
export function makeAppRoles(parts: ApplicationParts['appRoles'], appId: string): AppRole[] {
  return (parts ?? []).map((role) => ({
    id: guidFrom(appId, 'role', role.value ?? ''),
    displayName: role.value ?? '',
    description: role.value ?? '',
    allowedMemberTypes: ['Application'],
    isEnabled: true,
    ...role,
  }));
}

/** Optional claims with every list present and every claim complete; null stays null. */
export function makeOptionalClaims(parts: ApplicationParts['optionalClaims']): Application['optionalClaims'] {
  if (!parts) return null;
  const complete = (claims: Partial<OptionalClaim>[] = []): OptionalClaim[] =>
    claims.map((claim) => ({
      name: '',
      source: null,
      essential: false,
      additionalProperties: [],
      ...claim,
    }));
  return {
    idToken: complete(parts.idToken),
    accessToken: complete(parts.accessToken),
    saml2Token: complete(parts.saml2Token),
  };
}

/** The service principal of an application: a separate object with its own id. */
export function makeServicePrincipal(
  application: Application,
  ownerTenantId: string | null,
  parts: Partial<ServicePrincipal> = {},
): ServicePrincipal {
  return {
    id: randomUUID(),
    appId: application.appId,
    displayName: application.displayName,
    appDisplayName: application.displayName,
    appOwnerOrganizationId: ownerTenantId,
    description: null,
    notes: null,
    accountEnabled: true,
    appRoleAssignmentRequired: false,
    servicePrincipalType: 'Application',
    tags: [],
    homepage: application.web.homePageUrl,
    deletedDateTime: null,
    passwordCredentials: [],
    keyCredentials: [],
    ...parts,
    ...inherited(application),
    kind: 'servicePrincipal',
  };
}

/** What a service principal takes from its application, now and on every later change of it. */
export function inherited(application: Application) {
  return {
    servicePrincipalNames: [application.appId, ...application.identifierUris],
    signInAudience: application.signInAudience,
    logoutUrl: application.web.logoutUrl,
    replyUrls: [
      ...application.web.redirectUris,
      ...application.spa.redirectUris,
      ...application.publicClient.redirectUris,
    ],
    appRoles: application.appRoles,
    oauth2PermissionScopes: application.api.oauth2PermissionScopes,
  };
}

/** An activated directory role; the template id is derived from the name (the real ones are fixed by Microsoft). */
export function makeDirectoryRole(tenant: Tenant, displayName: string): DirectoryRole {
  return {
    kind: 'directoryRole',
    id: guidFrom(tenant.id, 'directoryRole', displayName),
    displayName,
    description: displayName,
    roleTemplateId: knownTemplates[displayName] ?? guidFrom('roleTemplate', displayName),
    deletedDateTime: null,
  };
}

const knownTemplates: Record<string, string> = {
  'Global Administrator': '62e90394-69f5-4237-9190-012177145e10',
};
