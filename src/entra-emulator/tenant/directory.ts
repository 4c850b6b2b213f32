import type {
  Application,
  AppRole,
  DirectoryObject,
  Group,
  ServicePrincipal,
  Tenant,
  User,
} from './model.ts';
import { closure, join, sources, targets } from './relation.ts';

/** Puts an object into its tenant and notes when it came to be. */
export function place(tenant: Tenant, object: DirectoryObject, bornAt: number): void {
  tenant.objects.set(object.id, object);
  tenant.born.set(object.id, bornAt);
  if (object.kind === 'user') tenant.users.set(object.id, object);
  else if (object.kind === 'group') tenant.groups.set(object.id, object);
  else if (object.kind === 'application') tenant.applications.set(object.id, object);
  else if (object.kind === 'servicePrincipal') tenant.servicePrincipals.set(object.id, object);
  else tenant.directoryRoles.set(object.id, object);
}

/** Takes an object out of its tenant; relations and assignments are the caller's. */
export function displace(tenant: Tenant, id: string): void {
  tenant.objects.delete(id);
  tenant.born.delete(id);
  for (const kind of ['users', 'groups', 'applications', 'servicePrincipals', 'directoryRoles'] as const)
    tenant[kind].delete(id);
}

/** The user with this object id or user principal name (any case). */
export function findUser(tenant: Tenant, key: string): User | undefined {
  const byId = tenant.users.get(key);
  if (byId || !key.includes('@')) return byId;
  const name = key.toLowerCase();
  for (const user of tenant.users.values()) if (user.userPrincipalName.toLowerCase() === name) return user;
  return undefined;
}

/** The service principal of an application id in this tenant. */
export function findServicePrincipal(tenant: Tenant, appId: string): ServicePrincipal | undefined {
  for (const principal of tenant.servicePrincipals.values()) if (principal.appId === appId) return principal;
  return undefined;
}

/** The application registered in this tenant under an application id. */
export function findApplication(tenant: Tenant, appId: string): Application | undefined {
  for (const application of tenant.applications.values()) if (application.appId === appId) return application;
  return undefined;
}

/** Makes `member` a direct member of a group or directory role; false when it was one. */
export function addMember(tenant: Tenant, groupId: string, member: string): boolean {
  return join(tenant.members, groupId, member);
}

/** The groups and roles an object is in, directly. */
export function directContainers(tenant: Tenant, id: string): DirectoryObject[] {
  return resolve(tenant, sources(tenant.members, id));
}

/** The groups and roles an object is in, nested ones included. */
export function allContainers(tenant: Tenant, id: string): DirectoryObject[] {
  return resolve(
    tenant,
    closure(id, (at) => sources(tenant.members, at)),
  );
}

/** The direct members of a group or role. */
export function directMembers(tenant: Tenant, id: string): DirectoryObject[] {
  return resolve(tenant, targets(tenant.members, id));
}

/** The members of a group and of the groups in it. */
export function allMembers(tenant: Tenant, id: string): DirectoryObject[] {
  return resolve(
    tenant,
    closure(id, (at) => targets(tenant.members, at)),
  );
}

/** The roles of a resource that a principal has, its own and those of its groups (users only). */
export function assignedRoles(
  tenant: Tenant,
  principal: User | ServicePrincipal,
  resource: ServicePrincipal,
): AppRole[] {
  const holders = new Set([principal.id]);
  // A role given to a group reaches its direct user members, never the service principals in it.
  if (principal.kind === 'user')
    for (const group of directContainers(tenant, principal.id)) holders.add(group.id);
  const ids = new Set<string>();
  for (const assignment of tenant.appRoleAssignments.values())
    if (assignment.resourceId === resource.id && holders.has(assignment.principalId))
      ids.add(assignment.appRoleId);
  return resource.appRoles.filter((role) => ids.has(role.id));
}

/** True when a principal is assigned to a resource in any way, the default access included. */
export function isAssigned(
  tenant: Tenant,
  principal: User | ServicePrincipal,
  resource: ServicePrincipal,
): boolean {
  const holders = new Set([principal.id]);
  if (principal.kind === 'user')
    for (const group of directContainers(tenant, principal.id)) holders.add(group.id);
  return [...tenant.appRoleAssignments.values()].some(
    (assignment) => assignment.resourceId === resource.id && holders.has(assignment.principalId),
  );
}

/** True for a member of one of the roles that may consent for everyone. */
export function isAdministrator(tenant: Tenant, user: User): boolean {
  return directContainers(tenant, user.id).some(
    (role) =>
      role.kind === 'directoryRole' &&
      ['Global Administrator', 'Privileged Role Administrator'].includes(role.displayName),
  );
}

/** Narrows a list of objects to its groups. */
export function groupsOf(objects: readonly DirectoryObject[]): Group[] {
  return objects.filter((object) => object.kind === 'group');
}

function resolve(tenant: Tenant, ids: Iterable<string>): DirectoryObject[] {
  const found: DirectoryObject[] = [];
  for (const id of ids) {
    const object = tenant.objects.get(id);
    if (object) found.push(object);
  }
  return found;
}
