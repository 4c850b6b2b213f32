import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { addMember, place } from './directory.ts';
import { firstPartyPrincipals } from './first-party.ts';
import { guidFrom, hashSecret } from './identify.ts';
import {
  type ApplicationParts,
  makeApplication,
  makeDirectoryRole,
  makeGroup,
  makeServicePrincipal,
  makeTenant,
  makeUser,
} from './make.ts';
import type {
  Application,
  AppRoleAssignment,
  FederatedIdentityCredential,
  Group,
  ServicePrincipal,
  Tenant,
  User,
} from './model.ts';
import { join } from './relation.ts';

/** A user of a seed: Graph's own property names and what Graph never shows. */
export type UserSeed = Partial<Omit<User, 'kind'>> & {
  userPrincipalName: string;
  password?: string;
  /** Names of directory roles, for example `Global Administrator`. */
  directoryRoles?: string[];
  /** Shows the user on the login page with these words. */
  about?: string;
};

/** A group of a seed; members and owners are named by object id, UPN, display name or application id. */
export type GroupSeed = Partial<Omit<Group, 'kind'>> & {
  displayName: string;
  members?: string[];
  owners?: string[];
};

/** A client secret of a seed; this is the only place where its text is written down. */
export type SecretSeed = {
  secretText: string;
  displayName?: string;
  keyId?: string;
  startDateTime?: string;
  endDateTime?: string;
};

/** An application of a seed, in the shape of its manifest, with its service principal and what that was granted. */
export type ApplicationSeed = ApplicationParts & {
  passwordCredentials?: SecretSeed[];
  federatedIdentityCredentials?: (Partial<FederatedIdentityCredential> & {
    issuer: string;
    subject: string;
  })[];
  /** False for a registration without a service principal in its tenant. */
  servicePrincipal?: false | Partial<ServicePrincipal>;
  /** App roles granted to the service principal; `resource` by name or application id. */
  grantedRoles?: { resource: string; value: string }[];
  /** Delegated permissions consented for everybody, or for one user (`principal`). */
  grantedScopes?: { resource: string; scope: string; principal?: string }[];
};

/** One tenant of a seed. */
export type TenantSeed = {
  id: string;
  displayName: string;
  domains: string[];
  users?: UserSeed[];
  groups?: GroupSeed[];
  applications?: ApplicationSeed[];
};

/** Everything an emulator starts with; the first tenant is the one that its handle speaks of. */
export type Seed = { tenants: TenantSeed[] };

const farAway = '2099-12-31T00:00:00Z';

/** Reads a seed file, YAML or JSON; throws an Error that names the file and what is wrong with it. */
export function readSeed(file: string): Seed {
  const text = readFileSync(file, 'utf8');
  const content: unknown = file.endsWith('.json') ? JSON.parse(text) : parse(text);
  const tenants =
    typeof content === 'object' && content && 'tenants' in content ? content.tenants : undefined;
  if (!Array.isArray(tenants) || tenants.length === 0)
    throw new Error(`${file}: a seed is an object with a list 'tenants' that is not empty`);
  for (const [index, tenant] of tenants.entries())
    for (const key of ['id', 'displayName', 'domains'])
      if (!tenant?.[key]) throw new Error(`${file}: tenants[${index}] needs '${key}'`);
  return { tenants };
}

/** Makes the tenants of a seed; `now` is both their date of creation and, in ms, their time of birth. */
export function plant(seed: Seed, now: string): Map<string, Tenant> {
  return new Map(seed.tenants.map((tenant) => [tenant.id, plantTenant(tenant, now)]));
}

function plantTenant(seed: TenantSeed, now: string): Tenant {
  const tenant = makeTenant(seed.id, seed.displayName, seed.domains, now);
  const index = new Map<string, string>();
  for (const principal of firstPartyPrincipals(tenant)) {
    place(tenant, principal, 0);
    index.set(principal.displayName, principal.id);
  }
  const roles = new Map<string, string>();
  for (const user of seed.users ?? []) plantUser(tenant, user, now, index, roles);
  for (const application of seed.applications ?? []) plantApplication(tenant, application, now, index);
  for (const group of seed.groups ?? []) plantGroup(tenant, group, now, index);
  for (const group of seed.groups ?? []) relate(tenant, group, index);
  for (const application of seed.applications ?? []) grant(tenant, application, now, index);
  return tenant;
}

function plantUser(
  tenant: Tenant,
  { password, directoryRoles, about, ...parts }: UserSeed,
  now: string,
  index: Map<string, string>,
  roles: Map<string, string>,
): void {
  const name = parts.userPrincipalName;
  const user = makeUser(
    { id: guidFrom(tenant.id, 'user', name), displayName: name.split('@')[0] ?? name, ...parts },
    now,
  );
  place(tenant, user, 0);
  for (const key of [user.id, name, user.displayName]) index.set(key, user.id);
  if (password) tenant.passwords.set(user.id, hashSecret(password));
  if (about) tenant.listed.set(user.id, about);
  for (const role of directoryRoles ?? []) {
    if (!roles.has(role)) {
      const object = makeDirectoryRole(tenant, role);
      place(tenant, object, 0);
      roles.set(role, object.id);
    }
    addMember(tenant, roles.get(role) ?? '', user.id);
  }
}

function plantGroup(tenant: Tenant, seed: GroupSeed, now: string, index: Map<string, string>): void {
  const { members: _members, owners: _owners, ...parts } = seed;
  const group = makeGroup({ id: guidFrom(tenant.id, 'group', parts.displayName), ...parts }, now);
  place(tenant, group, 0);
  for (const key of [group.id, group.displayName]) index.set(key, group.id);
}

function relate(tenant: Tenant, seed: GroupSeed, index: Map<string, string>): void {
  const id = index.get(seed.id ?? seed.displayName) ?? '';
  for (const member of seed.members ?? []) addMember(tenant, id, lookUp(index, member, seed.displayName));
  for (const owner of seed.owners ?? []) join(tenant.owners, id, lookUp(index, owner, seed.displayName));
}

function plantApplication(
  tenant: Tenant,
  seed: ApplicationSeed,
  now: string,
  index: Map<string, string>,
): void {
  const { servicePrincipal, federatedIdentityCredentials, passwordCredentials, ...manifest } = seed;
  const { grantedRoles: _roles, grantedScopes: _scopes, ...parts } = manifest;
  const appId = parts.appId ?? guidFrom(tenant.id, 'appId', parts.displayName);
  const id = guidFrom(tenant.id, 'application', appId);
  const application = makeApplication({ id, ...parts, appId }, tenant, now);
  application.passwordCredentials = (passwordCredentials ?? []).map((secret) =>
    plantSecret(tenant, appId, secret, now),
  );
  place(tenant, application, 0);
  tenant.federatedCredentials.set(
    application.id,
    (federatedIdentityCredentials ?? []).map((credential) => ({
      id: guidFrom(appId, 'federated', credential.issuer, credential.subject),
      name: 'federated',
      audiences: ['api://AzureADTokenExchange'],
      description: null,
      ...credential,
    })),
  );
  if (servicePrincipal === false) return;
  plantServicePrincipal(tenant, application, servicePrincipal ?? {}, index);
}

function plantServicePrincipal(
  tenant: Tenant,
  application: Application,
  parts: Partial<ServicePrincipal>,
  index: Map<string, string>,
): void {
  const id = guidFrom(tenant.id, 'servicePrincipal', application.appId);
  const principal = makeServicePrincipal(application, tenant.id, { id, ...parts });
  place(tenant, principal, 0);
  for (const key of [principal.id, application.appId, application.displayName]) index.set(key, principal.id);
}

function plantSecret(
  tenant: Tenant,
  appId: string,
  seed: SecretSeed,
  now: string,
): Application['passwordCredentials'][number] {
  const keyId = seed.keyId ?? guidFrom(appId, 'secret', seed.secretText);
  tenant.secrets.set(keyId, hashSecret(seed.secretText));
  tenant.born.set(keyId, 0);
  return {
    keyId,
    displayName: seed.displayName ?? null,
    startDateTime: seed.startDateTime ?? now,
    endDateTime: seed.endDateTime ?? farAway,
    hint: seed.secretText.slice(0, 3),
    customKeyIdentifier: null,
    secretText: null,
  };
}

function grant(tenant: Tenant, seed: ApplicationSeed, now: string, index: Map<string, string>): void {
  if (!seed.grantedRoles && !seed.grantedScopes) return;
  const clientId = lookUp(index, seed.appId ?? seed.displayName, seed.displayName);
  for (const { resource, value } of seed.grantedRoles ?? []) {
    const made = makeAssignment(tenant, clientId, lookUp(index, resource, seed.displayName), value, now);
    tenant.appRoleAssignments.set(made.id, made);
  }
  for (const { resource, scope, principal } of seed.grantedScopes ?? []) {
    const resourceId = lookUp(index, resource, seed.displayName);
    const principalId = principal ? lookUp(index, principal, seed.displayName) : null;
    const id = guidFrom(tenant.id, 'grant', clientId, resourceId, principalId ?? '');
    const consentType = principalId ? 'Principal' : 'AllPrincipals';
    tenant.grants.set(id, { id, clientId, consentType, principalId, resourceId, scope });
  }
}

function makeAssignment(
  tenant: Tenant,
  principalId: string,
  resourceId: string,
  value: string,
  now: string,
): AppRoleAssignment {
  const resource = tenant.servicePrincipals.get(resourceId);
  const principal = tenant.servicePrincipals.get(principalId);
  const role = resource?.appRoles.find((candidate) => candidate.value === value);
  if (!resource || !principal || !role) throw new Error(`The seed grants an unknown app role '${value}'`);
  return {
    id: guidFrom(tenant.id, 'assignment', principalId, resourceId, role.id),
    appRoleId: role.id,
    principalId,
    principalType: 'ServicePrincipal',
    principalDisplayName: principal.displayName,
    resourceId,
    resourceDisplayName: resource.displayName,
    createdDateTime: now,
  };
}

function lookUp(index: Map<string, string>, name: string, by: string): string {
  const id = index.get(name);
  if (!id) throw new Error(`The seed names '${name}' in '${by}', but has no such object`);
  return id;
}
