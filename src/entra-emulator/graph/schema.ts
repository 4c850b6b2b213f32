/** The Edm type of a property, as Graph's metadata names it. */
export type EdmType = string;

/** One kind of object: its properties and how it is shown. */
export type EntityType = {
  name: string;
  /** The entity set it is listed under. */
  set: string;
  properties: Record<string, EdmType>;
  /** What comes back without `$select`; absent means everything. */
  defaults?: readonly string[];
  /** What a client may send in POST and PATCH. */
  writable: readonly string[];
};

const text = 'Edm.String';
const flag = 'Edm.Boolean';
const time = 'Edm.DateTimeOffset';
const texts = 'Collection(Edm.String)';
const guid = 'Edm.Guid';

const user: EntityType = {
  name: 'user',
  set: 'users',
  properties: {
    id: text,
    deletedDateTime: time,
    accountEnabled: flag,
    businessPhones: texts,
    companyName: text,
    country: text,
    createdDateTime: time,
    creationType: text,
    department: text,
    displayName: text,
    employeeId: text,
    externalUserState: text,
    givenName: text,
    jobTitle: text,
    mail: text,
    mailNickname: text,
    mobilePhone: text,
    officeLocation: text,
    onPremisesSyncEnabled: flag,
    otherMails: texts,
    preferredLanguage: text,
    surname: text,
    usageLocation: text,
    userPrincipalName: text,
    userType: text,
  },
  defaults: [
    'businessPhones',
    'displayName',
    'givenName',
    'jobTitle',
    'mail',
    'mobilePhone',
    'officeLocation',
    'preferredLanguage',
    'surname',
    'userPrincipalName',
    'id',
  ],
  writable: [
    'accountEnabled',
    'businessPhones',
    'companyName',
    'country',
    'department',
    'displayName',
    'employeeId',
    'givenName',
    'jobTitle',
    'mail',
    'mailNickname',
    'mobilePhone',
    'officeLocation',
    'otherMails',
    'preferredLanguage',
    'surname',
    'usageLocation',
    'userPrincipalName',
    'userType',
    'passwordProfile',
  ],
};

const group: EntityType = {
  name: 'group',
  set: 'groups',
  properties: {
    id: text,
    deletedDateTime: time,
    createdDateTime: time,
    description: text,
    displayName: text,
    groupTypes: texts,
    isAssignableToRole: flag,
    mail: text,
    mailEnabled: flag,
    mailNickname: text,
    membershipRule: text,
    onPremisesSamAccountName: text,
    onPremisesSyncEnabled: flag,
    securityEnabled: flag,
    uniqueName: text,
    visibility: text,
  },
  writable: [
    'description',
    'displayName',
    'groupTypes',
    'isAssignableToRole',
    'mailEnabled',
    'mailNickname',
    'membershipRule',
    'securityEnabled',
    'uniqueName',
    'visibility',
  ],
};

const application: EntityType = {
  name: 'application',
  set: 'applications',
  properties: {
    id: text,
    deletedDateTime: time,
    api: 'graph.apiApplication',
    appId: text,
    appRoles: 'Collection(graph.appRole)',
    createdDateTime: time,
    description: text,
    displayName: text,
    groupMembershipClaims: text,
    identifierUris: texts,
    isFallbackPublicClient: flag,
    keyCredentials: 'Collection(graph.keyCredential)',
    notes: text,
    optionalClaims: 'graph.optionalClaims',
    passwordCredentials: 'Collection(graph.passwordCredential)',
    publicClient: 'graph.publicClientApplication',
    publisherDomain: text,
    requiredResourceAccess: 'Collection(graph.requiredResourceAccess)',
    signInAudience: text,
    spa: 'graph.spaApplication',
    tags: texts,
    uniqueName: text,
    web: 'graph.webApplication',
  },
  writable: [
    'api',
    'appRoles',
    'description',
    'displayName',
    'groupMembershipClaims',
    'identifierUris',
    'isFallbackPublicClient',
    'keyCredentials',
    'notes',
    'optionalClaims',
    'publicClient',
    'requiredResourceAccess',
    'signInAudience',
    'spa',
    'tags',
    'uniqueName',
    'web',
  ],
};

const servicePrincipal: EntityType = {
  name: 'servicePrincipal',
  set: 'servicePrincipals',
  properties: {
    id: text,
    deletedDateTime: time,
    accountEnabled: flag,
    appDisplayName: text,
    appId: text,
    appOwnerOrganizationId: guid,
    appRoleAssignmentRequired: flag,
    appRoles: 'Collection(graph.appRole)',
    description: text,
    displayName: text,
    homepage: text,
    keyCredentials: 'Collection(graph.keyCredential)',
    logoutUrl: text,
    notes: text,
    oauth2PermissionScopes: 'Collection(graph.permissionScope)',
    passwordCredentials: 'Collection(graph.passwordCredential)',
    replyUrls: texts,
    servicePrincipalNames: texts,
    servicePrincipalType: text,
    signInAudience: text,
    tags: texts,
  },
  writable: [
    'accountEnabled',
    'appId',
    'appRoleAssignmentRequired',
    'description',
    'displayName',
    'keyCredentials',
    'notes',
    'tags',
  ],
};

const directoryRole: EntityType = {
  name: 'directoryRole',
  set: 'directoryRoles',
  properties: { id: text, deletedDateTime: time, description: text, displayName: text, roleTemplateId: text },
  writable: [],
};

const appRoleAssignment: EntityType = {
  name: 'appRoleAssignment',
  set: 'appRoleAssignments',
  properties: {
    id: text,
    appRoleId: guid,
    createdDateTime: time,
    principalDisplayName: text,
    principalId: guid,
    principalType: text,
    resourceDisplayName: text,
    resourceId: guid,
  },
  writable: ['appRoleId', 'principalId', 'resourceId'],
};

const oAuth2PermissionGrant: EntityType = {
  name: 'oAuth2PermissionGrant',
  set: 'oauth2PermissionGrants',
  properties: {
    id: text,
    clientId: text,
    consentType: text,
    principalId: text,
    resourceId: text,
    scope: text,
  },
  writable: ['clientId', 'consentType', 'principalId', 'resourceId', 'scope'],
};

const federatedIdentityCredential: EntityType = {
  name: 'federatedIdentityCredential',
  set: 'federatedIdentityCredentials',
  properties: { id: text, audiences: texts, description: text, issuer: text, name: text, subject: text },
  writable: ['audiences', 'description', 'issuer', 'name', 'subject'],
};

const organization: EntityType = {
  name: 'organization',
  set: 'organization',
  properties: {
    id: text,
    deletedDateTime: time,
    createdDateTime: time,
    displayName: text,
    tenantType: text,
    verifiedDomains: 'Collection(graph.verifiedDomain)',
  },
  writable: [],
};

const domain: EntityType = {
  name: 'domain',
  set: 'domains',
  properties: {
    id: text,
    authenticationType: text,
    isAdminManaged: flag,
    isDefault: flag,
    isInitial: flag,
    isRoot: flag,
    isVerified: flag,
    supportedServices: texts,
  },
  writable: [],
};

/** Every kind of object that the emulator's Graph shows. */
export const entityTypes = {
  user,
  group,
  application,
  servicePrincipal,
  directoryRole,
  appRoleAssignment,
  oAuth2PermissionGrant,
  federatedIdentityCredential,
  organization,
  domain,
} as const;

/** Types that Graph has as members or owners and the emulator never makes: a cast to one is an empty list. */
export const absentTypes = ['device', 'orgContact', 'administrativeUnit', 'agentIdentity'];
