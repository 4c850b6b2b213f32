import { randomUUID } from 'node:crypto';
import { instant } from '../../clock.ts';
import type { Reply } from '../../exchange.ts';
import { isNotReplicated } from '../../sts/client.ts';
import { directContainers, findApplication, findServicePrincipal, place } from '../../tenant/directory.ts';
import { makeServicePrincipal } from '../../tenant/make.ts';
import type { DirectoryObject, ServicePrincipal } from '../../tenant/model.ts';
import { findRegistration } from '../../world.ts';
import { bodyOf, type Call, find, noContent, type Operation, requireManaged, textOf } from '../call.ts';
import { readChanges } from '../change.ts';
import { badRequest, GraphFailure, notFound } from '../failure.ts';
import { entityTypes } from '../schema.ts';
import { showList, showOne } from '../show.ts';
import { bin } from './bin.ts';
import { readKeyCredentials } from './credentials.ts';
import { ownedByCaller, ownedOperations, ownersOf } from './owned.ts';

const type = entityTypes.servicePrincipal;
const read = {
  delegated: ['Application.Read.All'],
  application: ['Application.Read.All', 'Application.ReadWrite.OwnedBy'],
};
const write = { delegated: ['Application.ReadWrite.All'], application: ['Application.ReadWrite.OwnedBy'] };
const one = '/servicePrincipals/{principal}';

/** Service principals: what an application is in this tenant. */
export const servicePrincipalOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: '/servicePrincipals',
    ...read,
    run: (call) =>
      showList(call, type, [...call.tenant.servicePrincipals.values()], { expansions: expansions(call) }),
  },
  {
    method: 'POST',
    path: '/servicePrincipals',
    ...write,
    run: (call) => created(call, make(call, bodyOf(call))),
  },
  {
    method: 'GET',
    path: one,
    ...read,
    run: (call) => showOne(call, type, servicePrincipalOf(call), { expansions: expansions(call) }),
  },
  { method: 'PATCH', path: one, ...write, run: update },
  { method: 'DELETE', path: one, ...write, run: remove },
  ...ownedOperations({ one, read, write, target: servicePrincipalOf, managed }),
];

function expansions(call: Call) {
  const { tenant } = call;
  const assignments = (of: 'principalId' | 'resourceId') => (principal: DirectoryObject) =>
    [...tenant.appRoleAssignments.values()].filter((assignment) => assignment[of] === principal.id);
  return {
    owners: (principal: DirectoryObject) => ownersOf(call, principal),
    memberOf: (principal: DirectoryObject) => directContainers(tenant, principal.id),
    appRoleAssignments: assignments('principalId'),
    appRoleAssignedTo: assignments('resourceId'),
  };
}

/** The service principal that the path names, by object id or by `appId='...'`. */
export function servicePrincipalOf(call: Call): ServicePrincipal {
  const { tenant, names } = call;
  const appId = /^appId=(.+)$/.exec(names.principal ?? '')?.[1];
  const id = appId === undefined ? names.principal : (findServicePrincipal(tenant, appId)?.id ?? appId);
  return find(call, tenant.servicePrincipals, id);
}

function managed(call: Call): ServicePrincipal {
  const principal = servicePrincipalOf(call);
  requireManaged(call, principal.id);
  return principal;
}

function created(call: Call, principal: ServicePrincipal): Reply {
  return showOne(call, type, principal, { status: 201, isNew: true });
}

function make(call: Call, body: Record<string, unknown>): ServicePrincipal {
  const { tenant, world } = call;
  const appId = textOf(body, 'appId');
  const registration = findRegistration(world, appId);
  const isForeign =
    registration?.home.id !== tenant.id && registration?.application.signInAudience === 'AzureADMyOrg';
  const isTooEarly = registration && isNotReplicated(world, registration.home, registration.application.id);
  if (!registration || isForeign || isTooEarly) throw noBackingApplication(appId);
  if (findServicePrincipal(tenant, appId))
    throw new GraphFailure(
      409,
      'Request_MultipleObjectsWithSameKeyValue',
      `The service principal cannot be created, updated, or restored because the service principal name ${appId} is already in use.`,
    );
  if (findApplication(tenant, appId)) requireManaged(call, registration.application.id);
  const { keyCredentials: _keys, ...parts } = readChanges(type, body);
  const principal = makeServicePrincipal(registration.application, registration.home.id, {
    ...parts,
    id: randomUUID(),
  });
  place(tenant, principal, world.clock.now());
  ownedByCaller(call, principal);
  return principal;
}

function noBackingApplication(appId: string): GraphFailure {
  return badRequest(
    `The appId '${appId}' of the service principal does not reference a valid application object.`,
    [
      {
        code: 'NoBackingApplicationObject',
        target: 'appId',
        message: `The appId '${appId}' does not reference a valid application object.`,
      },
    ],
  );
}

function update(call: Call): Reply {
  const body = bodyOf(call);
  const appId = /^appId=(.+)$/.exec(call.names.principal ?? '')?.[1];
  if (appId !== undefined && !findServicePrincipal(call.tenant, appId)) {
    if (!/\bcreate-if-missing\b/.test(call.ask.headers.prefer ?? '')) throw notFound(appId);
    return created(call, make(call, { ...body, appId }));
  }
  const principal = managed(call);
  const { keyCredentials, appId: _appId, ...changes } = readChanges(type, body);
  Object.assign(principal, changes);
  if (Array.isArray(keyCredentials)) principal.keyCredentials = readKeyCredentials(call, keyCredentials);
  return noContent();
}

function remove(call: Call): Reply {
  bin(call.tenant, managed(call), instant(call.world.clock));
  return noContent();
}
