import { instant } from '../clock.ts';
import type { Reply } from '../exchange.ts';
import { addMember, displace, place } from '../tenant/directory.ts';
import type { Deleted, Group, Tenant } from '../tenant/model.ts';
import { forget, sources } from '../tenant/relation.ts';
import { type Call, noContent, type Operation } from './call.ts';
import { notFound } from './failure.ts';
import { showObjects } from './membership.ts';
import { showOne, typeOf } from './show.ts';

const directory = [
  'Directory.Read.All',
  'User.ReadWrite.All',
  'Group.ReadWrite.All',
  'Application.ReadWrite.All',
];
const item = '/directory/deletedItems/{object}';

/** The bin: list, restore, purge. */
export const binOperations: readonly Operation[] = [
  { method: 'GET', path: '/directory/deletedItems', delegated: directory, application: directory, run: list },
  {
    method: 'GET',
    path: item,
    delegated: directory,
    application: directory,
    run: (call) => {
      const { object } = deleted(call);
      return showOne(call, typeOf(object), object);
    },
  },
  { method: 'POST', path: `${item}/restore`, delegated: directory, application: directory, run: restore },
  {
    method: 'DELETE',
    path: item,
    delegated: directory,
    application: directory,
    run: (call) => {
      call.tenant.deleted.delete(deleted(call).object.id);
      return noContent();
    },
  },
];

/** Takes an object out of the directory. Users, applications and Microsoft 365 groups go to the bin; a security group is gone. */
export function bin(tenant: Tenant, object: Deleted['object'], now: string): void {
  const memberOf = [...sources(tenant.members, object.id)];
  for (const relation of [tenant.members, tenant.owners]) forget(relation, object.id);
  for (const [id, assignment] of tenant.appRoleAssignments)
    if ([assignment.principalId, assignment.resourceId].includes(object.id))
      tenant.appRoleAssignments.delete(id);
  for (const [id, grant] of tenant.grants)
    if ([grant.clientId, grant.resourceId, grant.principalId].includes(object.id)) tenant.grants.delete(id);
  displace(tenant, object.id);
  if (object.kind === 'group' && !isUnified(object)) return;
  object.deletedDateTime = now;
  tenant.deleted.set(object.id, { object, memberOf });
}

function isUnified({ groupTypes }: Group): boolean {
  return groupTypes.includes('Unified');
}

function deleted(call: Call): Deleted {
  const found = call.tenant.deleted.get(call.names.object ?? '');
  if (!found) throw notFound(call.names.object ?? '');
  return found;
}

function list(call: Call): Reply {
  return showObjects(
    call,
    [...call.tenant.deleted.values()].map(({ object }) => object),
  );
}

function rejoin(tenant: Tenant, { object, memberOf }: Deleted): void {
  for (const group of memberOf) if (tenant.objects.has(group)) addMember(tenant, group, object.id);
}

function restore(call: Call): Reply {
  const { tenant, world } = call;
  const was = deleted(call);
  const { object } = was;
  tenant.deleted.delete(object.id);
  object.deletedDateTime = null;
  place(tenant, object, Date.parse(instant(world.clock)));
  rejoin(tenant, was);
  // The service principal that went with an application comes back with it.
  if (object.kind === 'application')
    for (const other of tenant.deleted.values())
      if (other.object.kind === 'servicePrincipal' && other.object.appId === object.appId) {
        tenant.deleted.delete(other.object.id);
        other.object.deletedDateTime = null;
        place(tenant, other.object, world.clock.now());
        rejoin(tenant, other);
      }
  return showOne(call, typeOf(object), object);
}
