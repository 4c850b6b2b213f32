import { instant } from '../../clock.ts';
import type { Reply } from '../../exchange.ts';
import { addMember, displace, place } from '../../tenant/directory.ts';
import type { Deleted, Tenant } from '../../tenant/model.ts';
import { forget, sources } from '../../tenant/relation.ts';
import { type Call, noContent, type Operation } from '../call.ts';
import { badRequest, notFound } from '../failure.ts';
import { showOne, typeOf } from '../show.ts';
import { showObjects } from './membership.ts';

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

/** Takes an object out of the directory and into the bin, where it keeps its unique name. */
export function bin(tenant: Tenant, object: Deleted['object'], now: string): void {
  const memberOf = [...sources(tenant.members, object.id)];
  for (const relation of [tenant.members, tenant.owners]) forget(relation, object.id);
  for (const [id, assignment] of tenant.appRoleAssignments)
    if ([assignment.principalId, assignment.resourceId].includes(object.id))
      tenant.appRoleAssignments.delete(id);
  for (const [id, grant] of tenant.grants)
    if ([grant.clientId, grant.resourceId, grant.principalId].includes(object.id)) tenant.grants.delete(id);
  displace(tenant, object.id);
  object.deletedDateTime = now;
  tenant.deleted.set(object.id, { object, memberOf });
}

/** 400 for a unique name that an object has, in the directory or in the bin. */
export function requireFree(tenant: Tenant, kind: 'application' | 'group', uniqueName: unknown): void {
  const objects = [...tenant.objects.values(), ...[...tenant.deleted.values()].map(({ object }) => object)];
  if (objects.some((object) => object.kind === kind && object.uniqueName === uniqueName))
    throw badRequest('Another object with the same value for property uniqueName already exists.', [
      { code: 'ObjectConflict', target: 'uniqueName', message: 'The name is taken.' },
    ]);
}

function deleted(call: Call): Deleted {
  const found = call.tenant.deleted.get(call.names.object ?? '');
  if (!found || !isInSight(call, found)) throw notFound(call.names.object ?? '');
  return found;
}

/** False while the fault plays that the bin does not know a deletion yet. */
function isInSight({ world }: Call, { object }: Deleted): boolean {
  const delay = Number(world.faults.take('binDelay')?.milliseconds ?? 0);
  return Date.parse(object.deletedDateTime ?? '') + delay <= world.clock.now();
}

function list(call: Call): Reply {
  return showObjects(
    call,
    [...call.tenant.deleted.values()].filter((one) => isInSight(call, one)).map(({ object }) => object),
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
  // The service principal of an application stays in the bin: it is restored on its own.
  rejoin(tenant, was);
  return showOne(call, typeOf(object), object);
}
