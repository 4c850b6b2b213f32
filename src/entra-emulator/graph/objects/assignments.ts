import { randomUUID } from 'node:crypto';
import { instant } from '../../clock.ts';
import type { Reply } from '../../exchange.ts';
import type { AppRoleAssignment, OAuth2PermissionGrant, ServicePrincipal } from '../../tenant/model.ts';
import { bodyOf, type Call, find, noContent, type Operation, textOf } from '../call.ts';
import { readChanges } from '../change.ts';
import { badRequest, GraphFailure, notFound } from '../failure.ts';
import { entityTypes } from '../schema.ts';
import { showList, showOne } from '../show.ts';
import { servicePrincipalOf } from './service-principals.ts';

const type = entityTypes.appRoleAssignment;
const grantType = entityTypes.oAuth2PermissionGrant;
const read = { delegated: ['Application.Read.All'], application: ['Application.Read.All'] };
const write = {
  delegated: ['AppRoleAssignment.ReadWrite.All'],
  application: ['AppRoleAssignment.ReadWrite.All'],
};
const readGrants = {
  delegated: ['DelegatedPermissionGrant.ReadWrite.All', 'Directory.Read.All'],
  application: ['DelegatedPermissionGrant.ReadWrite.All', 'Directory.Read.All'],
};
const writeGrants = {
  delegated: ['DelegatedPermissionGrant.ReadWrite.All'],
  application: ['DelegatedPermissionGrant.ReadWrite.All'],
};
const principal = '/servicePrincipals/{principal}';
const defaultAccess = '00000000-0000-0000-0000-000000000000';

/** App role assignments, seen from the resource, from the principal, and of users and groups. */
export const assignmentOperations: readonly Operation[] = [
  ...sides('appRoleAssignedTo', 'resourceId'),
  ...sides('appRoleAssignments', 'principalId'),
  ...ofPrincipals('users', ['User.Read.All', 'Directory.Read.All']),
  ...ofPrincipals('groups', ['Group.Read.All', 'Directory.Read.All']),
  {
    method: 'GET',
    path: '/oauth2PermissionGrants',
    ...readGrants,
    run: (call) => showList(call, grantType, [...call.tenant.grants.values()]),
  },
  { method: 'POST', path: '/oauth2PermissionGrants', ...writeGrants, run: createGrant },
  {
    method: 'GET',
    path: '/oauth2PermissionGrants/{grant}',
    ...readGrants,
    run: (call) => showOne(call, grantType, grantOf(call)),
  },
  { method: 'PATCH', path: '/oauth2PermissionGrants/{grant}', ...writeGrants, run: updateGrant },
  { method: 'DELETE', path: '/oauth2PermissionGrants/{grant}', ...writeGrants, run: removeGrant },
  {
    method: 'GET',
    path: `${principal}/oauth2PermissionGrants`,
    ...readGrants,
    run: (call) => {
      const { id } = servicePrincipalOf(call);
      return showList(
        call,
        grantType,
        [...call.tenant.grants.values()].filter(({ clientId }) => clientId === id),
      );
    },
  },
];

function sides(name: string, side: 'resourceId' | 'principalId'): Operation[] {
  const path = `${principal}/${name}`;
  const ofThis = (call: Call) => {
    const { id } = servicePrincipalOf(call);
    return [...call.tenant.appRoleAssignments.values()].filter((assignment) => assignment[side] === id);
  };
  return [
    { method: 'GET', path, ...read, run: (call) => showList(call, type, ofThis(call)) },
    { method: 'POST', path, ...write, run: (call) => assign(call, side, servicePrincipalOf(call)) },
    { method: 'DELETE', path: `${path}/{assignment}`, ...write, run: (call) => unassign(call, ofThis(call)) },
  ];
}

function ofPrincipals(set: 'users' | 'groups', permissions: readonly string[]): Operation[] {
  const path = `/${set}/{object}/appRoleAssignments`;
  const target = (call: Call) => find(call, call.tenant.objects, call.names.object);
  const ofThis = (call: Call) => {
    const { id } = target(call);
    return [...call.tenant.appRoleAssignments.values()].filter(({ principalId }) => principalId === id);
  };
  return [
    {
      method: 'GET',
      path,
      delegated: permissions,
      application: permissions,
      run: (call) => showList(call, type, ofThis(call)),
    },
    { method: 'POST', path, ...write, run: (call) => assign(call, 'principalId', target(call)) },
    { method: 'DELETE', path: `${path}/{assignment}`, ...write, run: (call) => unassign(call, ofThis(call)) },
  ];
}

function assign(call: Call, side: 'resourceId' | 'principalId', owner: { id: string }): Reply {
  const { tenant, world } = call;
  const body = bodyOf(call);
  readChanges(type, body);
  const [principalId, resourceId, appRoleId] = ['principalId', 'resourceId', 'appRoleId'].map((name) =>
    textOf(body, name),
  );
  if (body[side] !== owner.id)
    throw badRequest(`'${side}' does not match the object that the request is for.`);
  const holder = tenant.objects.get(principalId ?? '');
  const resource = tenant.servicePrincipals.get(resourceId ?? '');
  if (!holder || !resource || holder.kind === 'application' || holder.kind === 'directoryRole')
    throw badRequest('Not a valid reference update.');
  find(call, tenant.objects, holder.id);
  checkRole(resource, appRoleId ?? '', holder.kind === 'servicePrincipal' ? 'Application' : 'User');
  const exists = [...tenant.appRoleAssignments.values()].some(
    (other) =>
      other.principalId === holder.id && other.resourceId === resource.id && other.appRoleId === appRoleId,
  );
  if (exists) throw badRequest('Permission being assigned already exists on the object');
  const assignment: AppRoleAssignment = {
    id: randomUUID(),
    appRoleId: appRoleId ?? defaultAccess,
    principalId: holder.id,
    principalType: { user: 'User', group: 'Group', servicePrincipal: 'ServicePrincipal' }[holder.kind],
    principalDisplayName: holder.displayName,
    resourceId: resource.id,
    resourceDisplayName: resource.displayName,
    createdDateTime: instant(world.clock),
  };
  tenant.appRoleAssignments.set(assignment.id, assignment);
  return showOne(call, type, assignment, { status: 201, isNew: true });
}

/** The role must be the resource's and be for this kind of principal; all zeros is the default access. */
function checkRole(resource: ServicePrincipal, appRoleId: string, kind: 'Application' | 'User'): void {
  if (appRoleId === defaultAccess) return;
  const role = resource.appRoles.find(({ id }) => id === appRoleId);
  if (!role?.isEnabled) throw badRequest('Permission being assigned was not found on application');
  if (!role.allowedMemberTypes.includes(kind))
    throw badRequest('Permission being assigned is not allowed for the type of the principal');
}

function unassign(call: Call, among: readonly AppRoleAssignment[]): Reply {
  const id = call.names.assignment ?? '';
  if (!among.some((assignment) => assignment.id === id)) throw notFound(id);
  call.tenant.appRoleAssignments.delete(id);
  return noContent();
}

function grantOf(call: Call): OAuth2PermissionGrant {
  const grant = call.tenant.grants.get(call.names.grant ?? '');
  if (!grant) throw notFound(call.names.grant ?? '');
  return grant;
}

function createGrant(call: Call): Reply {
  const { tenant } = call;
  const body = bodyOf(call);
  readChanges(grantType, body);
  const [clientId = '', resourceId = ''] = ['clientId', 'resourceId'].map((name) => textOf(body, name));
  const consentType = textOf(body, 'consentType');
  if (consentType !== 'AllPrincipals' && consentType !== 'Principal')
    throw badRequest(
      "Invalid value specified for property 'consentType' of resource 'OAuth2PermissionGrant'.",
    );
  for (const id of [clientId, resourceId]) find(call, tenant.servicePrincipals, id);
  const principalId =
    consentType === 'Principal' ? find(call, tenant.users, textOf(body, 'principalId')).id : null;
  const exists = [...tenant.grants.values()].some(
    (other) =>
      other.clientId === clientId && other.resourceId === resourceId && other.principalId === principalId,
  );
  if (exists)
    throw new GraphFailure(
      409,
      'Request_MultipleObjectsWithSameKeyValue',
      'Permission entry already exists.',
    );
  const grant = {
    id: grantId(clientId, resourceId, principalId),
    clientId,
    consentType,
    principalId,
    resourceId,
    scope: String(body.scope ?? '').trim(),
  } as const;
  tenant.grants.set(grant.id, { ...grant });
  return showOne(call, grantType, grant, { status: 201, isNew: true });
}

/** No GUID: the ids that it is about, one after the other. */
function grantId(...ids: readonly (string | null)[]): string {
  const bytes = ids.flatMap((id) => (id === null ? [] : [Buffer.from(id.replaceAll('-', ''), 'hex')]));
  return Buffer.concat(bytes).toString('base64url');
}

function updateGrant(call: Call): Reply {
  const grant = grantOf(call);
  const { scope } = readChanges(grantType, bodyOf(call));
  if (typeof scope === 'string') grant.scope = scope.trim();
  return noContent();
}

function removeGrant(call: Call): Reply {
  call.tenant.grants.delete(grantOf(call).id);
  return noContent();
}
