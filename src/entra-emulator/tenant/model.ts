/** The objects of a directory, with the property names that Microsoft Graph v1.0 has. */

/** A permission that clients act with for a user (`scp`). */
export type PermissionScope = {
  id: string;
  value: string;
  type: 'User' | 'Admin';
  isEnabled: boolean;
  adminConsentDisplayName: string | null;
  adminConsentDescription: string | null;
  userConsentDisplayName: string | null;
  userConsentDescription: string | null;
};

/** A role of an application, for users, groups or applications (`roles`). */
export type AppRole = {
  id: string;
  value: string | null;
  displayName: string;
  description: string;
  allowedMemberTypes: string[];
  isEnabled: boolean;
};

export type PasswordCredential = {
  keyId: string;
  displayName: string | null;
  startDateTime: string;
  endDateTime: string;
  hint: string | null;
  customKeyIdentifier: string | null;
  secretText: null;
};

export type KeyCredential = {
  keyId: string;
  displayName: string | null;
  type: string;
  usage: string;
  startDateTime: string;
  endDateTime: string;
  customKeyIdentifier: string | null;
  /** The certificate in base64; Graph shows it only when it is selected. */
  key: string | null;
};

export type FederatedIdentityCredential = {
  id: string;
  name: string;
  issuer: string;
  subject: string;
  audiences: string[];
  description: string | null;
};

export type OptionalClaim = {
  name: string;
  source: string | null;
  essential: boolean;
  additionalProperties: string[];
};

export type User = {
  kind: 'user';
  id: string;
  userPrincipalName: string;
  displayName: string;
  givenName: string | null;
  surname: string | null;
  mail: string | null;
  mailNickname: string;
  otherMails: string[];
  jobTitle: string | null;
  department: string | null;
  officeLocation: string | null;
  mobilePhone: string | null;
  businessPhones: string[];
  preferredLanguage: string | null;
  companyName: string | null;
  employeeId: string | null;
  country: string | null;
  usageLocation: string | null;
  accountEnabled: boolean;
  userType: 'Member' | 'Guest';
  creationType: string | null;
  externalUserState: string | null;
  createdDateTime: string;
  deletedDateTime: string | null;
  onPremisesSyncEnabled: boolean | null;
};

export type Group = {
  kind: 'group';
  id: string;
  displayName: string;
  uniqueName: string | null;
  description: string | null;
  mail: string | null;
  mailEnabled: boolean;
  mailNickname: string;
  securityEnabled: boolean;
  groupTypes: string[];
  visibility: string | null;
  isAssignableToRole: boolean | null;
  membershipRule: string | null;
  onPremisesSyncEnabled: boolean | null;
  onPremisesSamAccountName: string | null;
  createdDateTime: string;
  deletedDateTime: string | null;
};

export type Application = {
  kind: 'application';
  id: string;
  appId: string;
  displayName: string;
  uniqueName: string | null;
  description: string | null;
  notes: string | null;
  publisherDomain: string | null;
  signInAudience: string;
  identifierUris: string[];
  tags: string[];
  groupMembershipClaims: string | null;
  isFallbackPublicClient: boolean | null;
  web: {
    redirectUris: string[];
    logoutUrl: string | null;
    homePageUrl: string | null;
    implicitGrantSettings: { enableIdTokenIssuance: boolean; enableAccessTokenIssuance: boolean };
  };
  spa: { redirectUris: string[] };
  publicClient: { redirectUris: string[] };
  api: {
    requestedAccessTokenVersion: number | null;
    acceptMappedClaims: boolean | null;
    knownClientApplications: string[];
    oauth2PermissionScopes: PermissionScope[];
    preAuthorizedApplications: { appId: string; delegatedPermissionIds: string[] }[];
  };
  appRoles: AppRole[];
  optionalClaims: {
    idToken: OptionalClaim[];
    accessToken: OptionalClaim[];
    saml2Token: OptionalClaim[];
  } | null;
  requiredResourceAccess: { resourceAppId: string; resourceAccess: { id: string; type: string }[] }[];
  passwordCredentials: PasswordCredential[];
  keyCredentials: KeyCredential[];
  createdDateTime: string;
  deletedDateTime: string | null;
};

export type ServicePrincipal = {
  kind: 'servicePrincipal';
  id: string;
  appId: string;
  displayName: string;
  appDisplayName: string;
  appOwnerOrganizationId: string | null;
  description: string | null;
  notes: string | null;
  accountEnabled: boolean;
  appRoleAssignmentRequired: boolean;
  servicePrincipalType: string;
  servicePrincipalNames: string[];
  signInAudience: string;
  tags: string[];
  homepage: string | null;
  logoutUrl: string | null;
  replyUrls: string[];
  appRoles: AppRole[];
  oauth2PermissionScopes: PermissionScope[];
  passwordCredentials: PasswordCredential[];
  keyCredentials: KeyCredential[];
  deletedDateTime: string | null;
};

export type DirectoryRole = {
  kind: 'directoryRole';
  id: string;
  displayName: string;
  description: string;
  roleTemplateId: string;
  deletedDateTime: string | null;
};

/** Anything that has an object id and can be a member of something. */
export type DirectoryObject = User | Group | Application | ServicePrincipal | DirectoryRole;

export type AppRoleAssignment = {
  id: string;
  appRoleId: string;
  principalId: string;
  principalType: string;
  principalDisplayName: string;
  resourceId: string;
  resourceDisplayName: string;
  createdDateTime: string;
};

export type OAuth2PermissionGrant = {
  id: string;
  clientId: string;
  consentType: 'AllPrincipals' | 'Principal';
  principalId: string | null;
  resourceId: string;
  scope: string;
};

/** A directed many-to-many relation of object ids that can be read from both ends. */
export type Relation = { from: Map<string, Set<string>>; to: Map<string, Set<string>> };

/** What a deleted object leaves in the bin, enough to restore it. */
export type Deleted = { object: User | Group | Application | ServicePrincipal; memberOf: string[] };

/** One directory with everything in it. Secrets and passwords are kept as SHA-256 hashes only. */
export type Tenant = {
  id: string;
  displayName: string;
  domains: { name: string; isDefault: boolean; isInitial: boolean }[];
  createdDateTime: string;
  objects: Map<string, DirectoryObject>;
  users: Map<string, User>;
  groups: Map<string, Group>;
  applications: Map<string, Application>;
  servicePrincipals: Map<string, ServicePrincipal>;
  directoryRoles: Map<string, DirectoryRole>;
  /** Group (or directory role) to its direct members. */
  members: Relation;
  /** Object to its owners. */
  owners: Relation;
  appRoleAssignments: Map<string, AppRoleAssignment>;
  grants: Map<string, OAuth2PermissionGrant>;
  federatedCredentials: Map<string, FederatedIdentityCredential[]>;
  deleted: Map<string, Deleted>;
  /** User id to the hash of the password. */
  passwords: Map<string, string>;
  /** Users who must choose another password when they sign in next. */
  mustChangePassword: Set<string>;
  /** Key id of a client secret to its hash. */
  secrets: Map<string, string>;
  /** Object or key id to the time (ms) at which it came to be, for replication faults. */
  born: Map<string, number>;
  /** User id to the time (ms) before which its refresh tokens are worth nothing. */
  revoked: Map<string, number>;
  /** Users shown on the login page, with a few words about each. */
  listed: Map<string, string>;
};
