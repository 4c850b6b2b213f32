import { randomUUID } from 'node:crypto';
import { instant } from '../../clock.ts';
import { jsonOf, type Reply } from '../../exchange.ts';
import { addMember, directContainers, directMembers, place } from '../../tenant/directory.ts';
import { makeGroup } from '../../tenant/make.ts';
import type { DirectoryObject, Group } from '../../tenant/model.ts';
import { join, separate, targets } from '../../tenant/relation.ts';
import { bodyOf, type Call, find, noContent, type Operation, textOf } from '../call.ts';
import { readChanges, referencedId } from '../change.ts';
import { badRequest, denied, notFound } from '../failure.ts';
import { entityTypes } from '../schema.ts';
import { showList, showOne } from '../show.ts';
import { bin, requireFree } from './bin.ts';
import { showObjects } from './membership.ts';

const type = entityTypes.group;
const readOne = { delegated: ['GroupMember.Read.All'], application: ['GroupMember.Read.All'] };
const write = { delegated: ['Group.ReadWrite.All'], application: ['Group.ReadWrite.All'] };
const create = { delegated: ['Group.ReadWrite.All'], application: ['Group.ReadWrite.All', 'Group.Create'] };
const members = { delegated: ['GroupMember.ReadWrite.All'], application: ['GroupMember.ReadWrite.All'] };

/** Groups with their members and owners. */
export const groupOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: '/groups',
    ...readOne,
    run: (call) => showList(call, type, [...call.tenant.groups.values()], { expansions: expansions(call) }),
  },
  { method: 'POST', path: '/groups', ...create, run: createGroup },
  {
    method: 'GET',
    path: '/groups/{group}',
    ...readOne,
    run: (call) => showOne(call, type, target(call), { expansions: expansions(call) }),
  },
  { method: 'PATCH', path: '/groups/{group}', ...members, run: update },
  { method: 'DELETE', path: '/groups/{group}', ...write, run: remove },
  { method: 'POST', path: '/groups/{group}/members/$ref', ...members, run: addOne },
  { method: 'DELETE', path: '/groups/{group}/members/{member}/$ref', ...members, run: removeMember },
  {
    method: 'GET',
    path: '/groups/{group}/owners',
    ...readOne,
    run: (call) => showObjects(call, ownersOf(call, target(call))),
  },
  { method: 'POST', path: '/groups/{group}/owners/$ref', ...write, run: addOwner },
  { method: 'DELETE', path: '/groups/{group}/owners/{owner}/$ref', ...write, run: removeOwner },
];

function expansions(call: Call) {
  return {
    members: (group: DirectoryObject) => directMembers(call.tenant, group.id),
    owners: (group: DirectoryObject) => ownersOf(call, group),
    memberOf: (group: DirectoryObject) => directContainers(call.tenant, group.id),
  };
}

/** By id or by `uniqueName='...'`. */
function target(call: Call): Group {
  const found = byUniqueName(call) ?? undefined;
  return found ?? find(call, call.tenant.groups, call.names.group);
}

function byUniqueName(call: Call): Group | undefined {
  const name = /^uniqueName=(.+)$/.exec(call.names.group ?? '')?.[1];
  return name === undefined
    ? undefined
    : [...call.tenant.groups.values()].find((group) => group.uniqueName === name);
}

function ownersOf(call: Call, { id }: { id: string }): DirectoryObject[] {
  return [...targets(call.tenant.owners, id)].flatMap((owner) => call.tenant.objects.get(owner) ?? []);
}

function createGroup(call: Call): Reply {
  const body = bodyOf(call);
  const group = make(call, body);
  return showOne(call, type, group, { status: 201, isNew: true });
}

function make(call: Call, body: Record<string, unknown>): Group {
  const { tenant, world, caller } = call;
  const changes = readChanges(type, body);
  const displayName = textOf(body, 'displayName');
  for (const name of ['mailEnabled', 'securityEnabled'])
    if (typeof body[name] !== 'boolean')
      throw badRequest(`A value is required for property '${name}' of resource 'Group'.`);
  checkNickname(textOf(body, 'mailNickname'));
  if (body.mailEnabled === true && !(changes.groupTypes as string[] | undefined)?.includes('Unified'))
    throw badRequest(
      'The service does not currently support writes of mail-enabled groups. Please ensure that the mail-enablement property is unset and the security-enablement property is set.',
    );
  const group = makeGroup({ displayName, ...changes, id: randomUUID() }, instant(world.clock));
  place(tenant, group, world.clock.now());
  for (const member of bound(body, 'members@odata.bind')) attach(call, group, member);
  for (const owner of bound(body, 'owners@odata.bind'))
    join(tenant.owners, group.id, find(call, tenant.objects, owner).id);
  // A delegated caller becomes the owner; an application does not.
  if (caller.user) join(tenant.owners, group.id, caller.user.id);
  return group;
}

function checkNickname(name: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the rule is about ASCII as such
  if (name.length <= 64 && /^[\x00-\x7f]+$/.test(name) && !/[@()\\[\]";:.<>, ]/.test(name)) return;
  throw badRequest("Invalid value specified for property 'mailNickname' of resource 'Group'.", [
    {
      code: 'InvalidValue',
      target: 'mailNickname',
      message: 'At most 64 ASCII characters without @ ( ) \\ [ ] " ; : . < > , and space.',
    },
  ]);
}

function update(call: Call): Reply {
  const body = bodyOf(call);
  const name = /^uniqueName=(.+)$/.exec(call.names.group ?? '')?.[1];
  if (name !== undefined && !byUniqueName(call)) {
    if (!/\bcreate-if-missing\b/.test(call.ask.headers.prefer ?? '')) throw notFound(name);
    requireWrite(call);
    requireFree(call.tenant, 'group', name);
    const group = make(call, {
      mailEnabled: false,
      securityEnabled: true,
      mailNickname: 'group',
      ...body,
      uniqueName: name,
    });
    return showOne(call, type, group, { status: 201, isNew: true });
  }
  const group = target(call);
  const changes = readChanges(type, body);
  if (Object.keys(changes).length) requireWrite(call);
  refuseSynced(group);
  if (typeof changes.mailNickname === 'string') checkNickname(changes.mailNickname);
  const added = bound(body, 'members@odata.bind');
  if (added.length > 20) throw badRequest('At most 20 members can be added in one request.');
  for (const id of added) attach(call, group, id);
  Object.assign(group, changes);
  return noContent();
}

function requireWrite({ caller }: Call): void {
  if (!caller.permissions.has('Group.ReadWrite.All')) throw denied();
}

function remove(call: Call): Reply {
  const group = target(call);
  refuseSynced(group);
  bin(call.tenant, group, instant(call.world.clock));
  return noContent();
}

function bound(body: Record<string, unknown>, name: string): string[] {
  const list = body[name];
  if (list === undefined) return [];
  if (!Array.isArray(list)) throw badRequest(`'${name}' must be a collection.`);
  return list.map(referencedId);
}

function addOne(call: Call): Reply {
  attach(call, target(call), referencedId(bodyOf(call)['@odata.id']));
  return noContent();
}

function attach(call: Call, group: Group, memberId: string): void {
  const { tenant, caller } = call;
  const member = find(call, tenant.objects, memberId);
  refuseSynced(group);
  if (group.groupTypes.includes('DynamicMembership'))
    throw badRequest(
      'Insufficient privileges to complete the operation: the membership of dynamic groups is computed.',
    );
  if (group.groupTypes.includes('Unified') && member.kind !== 'user')
    throw badRequest('Only users can be members of Microsoft 365 groups.');
  if (member.kind === 'application' || member.kind === 'directoryRole')
    throw badRequest(`An object of type '${member.kind}' cannot be a member of a group.`);
  if (
    member.kind === 'servicePrincipal' &&
    !caller.user &&
    !caller.permissions.has('Application.ReadWrite.All')
  )
    throw denied();
  if (member.id === group.id) throw badRequest('A group cannot be a member of itself.');
  if (!addMember(tenant, group.id, member.id))
    throw badRequest(
      "One or more added object references already exist for the following modified properties: 'members'.",
    );
}

function refuseSynced(group: Group): void {
  if (group.onPremisesSyncEnabled)
    throw badRequest(
      'Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.',
    );
}

function removeMember(call: Call): Reply {
  const group = target(call);
  refuseSynced(group);
  if (!separate(call.tenant.members, group.id, call.names.member ?? ''))
    throw notFound(call.names.member ?? '');
  return noContent();
}

function addOwner(call: Call): Reply {
  const group = target(call);
  const owner = find(call, call.tenant.objects, referencedId(jsonOf(call.ask)?.['@odata.id']));
  if (!join(call.tenant.owners, group.id, owner.id))
    throw badRequest(
      "One or more added object references already exist for the following modified properties: 'owners'.",
    );
  return noContent();
}

function removeOwner(call: Call): Reply {
  if (!separate(call.tenant.owners, target(call).id, call.names.owner ?? ''))
    throw notFound(call.names.owner ?? '');
  return noContent();
}
