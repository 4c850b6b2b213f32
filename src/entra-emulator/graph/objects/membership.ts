import { isRecord, type Reply } from '../../exchange.ts';
import { allContainers, allMembers, directContainers, directMembers } from '../../tenant/directory.ts';
import type { DirectoryObject } from '../../tenant/model.ts';
import { bodyOf, type Call, find, type Operation } from '../call.ts';
import { badRequest, denied, GraphFailure } from '../failure.ts';
import { base, showList } from '../show.ts';

const readGroups = ['GroupMember.Read.All', 'Directory.Read.All'];

/** For each kind that can be a member: what reading its memberships takes. */
const kinds = [
  {
    set: 'users',
    delegated: ['User.Read.All'],
    application: ['User.Read.All'],
    self: ['User.Read', 'User.Read.All'],
  },
  { set: 'groups', delegated: readGroups, application: readGroups },
  { set: 'servicePrincipals', delegated: ['Application.Read.All'], application: ['Application.Read.All'] },
  { set: 'directoryObjects', delegated: ['Directory.Read.All'], application: ['Directory.Read.All'] },
];

/** memberOf, transitiveMemberOf, getMember* and checkMember* of users, groups and service principals. */
export const membershipOperations: readonly Operation[] = kinds.flatMap(({ set, ...permissions }) => {
  const relation = (name: string, run: Operation['run']): Operation => ({
    method: 'GET',
    path: `/${set}/{object}/${name}`,
    ...permissions,
    run,
  });
  const question = (name: string, run: Operation['run']): Operation => ({
    method: 'POST',
    path: `/${set}/{object}/${name}`,
    ...permissions,
    readsOnly: true,
    run,
  });
  return [
    relation('memberOf', (call) => showObjects(call, directContainers(call.tenant, target(call).id))),
    relation('transitiveMemberOf', (call) => showObjects(call, allContainers(call.tenant, target(call).id))),
    question('getMemberObjects', (call) => {
      requireMore(call);
      return ids(call, limited(memberOf(call, securityOnly(call), true)));
    }),
    question('getMemberGroups', (call) => ids(call, limited(memberOf(call, securityOnly(call), false)))),
    question('checkMemberObjects', (call) => ids(call, among(call, 'ids', memberOf(call, false, true)))),
    question('checkMemberGroups', (call) => {
      requireMore(call);
      return ids(call, among(call, 'groupIds', memberOf(call, false, false)));
    }),
  ];
});

/** Older reports have 403 for User.Read alone, the present page says that it is enough. */
function requireMore({ caller, world }: Call): void {
  if (world.isStrict && caller.user && !caller.permissions.has('User.Read.All')) throw denied();
}

/** Ids that one answer of `getMember*` can have. */
const mostIds = 11_000;

function limited(found: string[]): string[] {
  if (found.length <= mostIds) return found;
  throw new GraphFailure(
    400,
    'Directory_ResultSizeLimitExceeded',
    'The result size limit was exceeded: the object is a member of too many groups.',
  );
}

/** Members of groups and roles, for lists. */
export const memberOperations: readonly Operation[] = [
  memberList('/groups/{group}/members', directMembers),
  memberList('/groups/{group}/transitiveMembers', allMembers),
];

function memberList(path: string, members: typeof directMembers): Operation {
  return {
    method: 'GET',
    path,
    delegated: readGroups,
    application: readGroups,
    run: (call) => {
      const group = find(call, call.tenant.groups, call.names.group);
      const all = members(call.tenant, group.id);
      const hides = !call.cast && call.world.faults.take('hideServicePrincipals');
      return showObjects(call, hides ? all.filter(({ kind }) => kind !== 'servicePrincipal') : all);
    },
  };
}

/** A list of directory objects of several kinds; what the caller may not read shows its id and nothing else. */
export function showObjects(call: Call, objects: readonly DirectoryObject[]): Reply {
  return showList(call, undefined, objects, { hide: (object) => hidden(call, object as DirectoryObject) });
}

const readable: Record<DirectoryObject['kind'], readonly string[]> = {
  user: ['User.Read.All', 'User.ReadBasic.All'],
  group: ['GroupMember.Read.All'],
  servicePrincipal: ['Application.Read.All'],
  application: ['Application.Read.All'],
  directoryRole: ['Directory.Read.All'],
};

function hidden({ caller }: Call, object: DirectoryObject): object {
  if (readable[object.kind].some((permission) => caller.permissions.has(permission))) return object;
  return { kind: object.kind, id: object.id };
}

function target(call: Call): DirectoryObject {
  return find(call, call.tenant.objects, call.names.object);
}

function memberOf(call: Call, isSecurityOnly: boolean, withRoles: boolean): string[] {
  return allContainers(call.tenant, target(call).id)
    .filter((object) =>
      object.kind === 'group'
        ? object.securityEnabled || !isSecurityOnly
        : withRoles && object.kind === 'directoryRole',
    )
    .map(({ id }) => id);
}

function securityOnly(call: Call): boolean {
  const value = bodyOf(call).securityEnabledOnly;
  if (value !== undefined && typeof value !== 'boolean')
    throw badRequest("Invalid value specified for parameter 'securityEnabledOnly'.");
  if (value && target(call).kind === 'group')
    throw badRequest("'securityEnabledOnly' must be false for groups.");
  return value ?? false;
}

function among(call: Call, name: string, all: readonly string[]): string[] {
  const asked = bodyOf(call)[name];
  if (
    !Array.isArray(asked) ||
    asked.length > 20 ||
    asked.some((id) => typeof id !== 'string' || isRecord(id))
  )
    throw badRequest(`Parameter '${name}' must be a collection of at most 20 ids.`);
  return asked.filter((id) => all.includes(id));
}

function ids(call: Call, value: readonly string[]): Reply {
  return {
    status: 200,
    body: { '@odata.context': `${base(call.world)}/$metadata#Collection(Edm.String)`, value },
  };
}
