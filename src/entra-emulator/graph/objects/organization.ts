import type { Reply } from '../../exchange.ts';
import { directMembers } from '../../tenant/directory.ts';
import type { Tenant } from '../../tenant/model.ts';
import { bodyOf, type Call, find, type Operation } from '../call.ts';
import { badRequest, notFound } from '../failure.ts';
import { entityTypes } from '../schema.ts';
import { base, showList, showOne, typeOf } from '../show.ts';
import { showObjects } from './membership.ts';

const organization = {
  delegated: ['User.Read', 'Organization.Read.All'],
  application: ['Organization.Read.All'],
};
const domains = { delegated: ['Domain.Read.All'], application: ['Domain.Read.All'] };
const directory = { delegated: ['Directory.Read.All'], application: ['Directory.Read.All'] };
const policies = {
  delegated: ['Policy.Read.All', 'Policy.Read.ApplicationConfiguration'],
  application: ['Policy.Read.All', 'Policy.Read.ApplicationConfiguration'],
};

/** The tenant itself: organization, domains, directory roles, objects of any kind, and the policy on credentials. */
export const organizationOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: '/organization',
    ...organization,
    run: (call) => showList(call, entityTypes.organization, [describe(call.tenant)]),
  },
  { method: 'GET', path: '/organization/{organization}', ...organization, run: one },
  {
    method: 'GET',
    path: '/domains',
    ...domains,
    run: (call) => showList(call, entityTypes.domain, domainsOf(call.tenant)),
  },
  { method: 'GET', path: '/domains/{domain}', ...domains, run: oneDomain },
  {
    method: 'GET',
    path: '/directoryRoles',
    ...directory,
    run: (call) => showList(call, entityTypes.directoryRole, [...call.tenant.directoryRoles.values()]),
  },
  {
    method: 'GET',
    path: '/directoryRoles/{role}/members',
    ...directory,
    run: (call) =>
      showObjects(
        call,
        directMembers(call.tenant, find(call, call.tenant.directoryRoles, call.names.role).id),
      ),
  },
  {
    method: 'GET',
    path: '/directoryObjects/{object}',
    ...directory,
    run: (call) => {
      const object = find(call, call.tenant.objects, call.names.object);
      return showOne(call, typeOf(object), object);
    },
  },
  { method: 'POST', path: '/directoryObjects/getByIds', ...directory, readsOnly: true, run: byIds },
  { method: 'GET', path: '/policies/defaultAppManagementPolicy', ...policies, run: appManagementPolicy },
];

function describe({ id, displayName, createdDateTime, domains: names }: Tenant) {
  const verifiedDomains = names.map(({ name, isDefault, isInitial }) => ({
    capabilities: 'Email, OfficeCommunicationsOnline',
    isDefault,
    isInitial,
    name,
    type: 'Managed',
  }));
  return { id, deletedDateTime: null, createdDateTime, displayName, tenantType: 'AAD', verifiedDomains };
}

function domainsOf({ domains: names }: Tenant) {
  return names.map(({ name, isDefault, isInitial }) => ({
    id: name,
    authenticationType: 'Managed',
    isAdminManaged: true,
    isDefault,
    isInitial,
    isRoot: true,
    isVerified: true,
    supportedServices: ['Email'],
  }));
}

function one(call: Call): Reply {
  if (call.names.organization !== call.tenant.id) throw notFound(call.names.organization ?? '');
  return showOne(call, entityTypes.organization, describe(call.tenant));
}

function oneDomain(call: Call): Reply {
  const found = domainsOf(call.tenant).find(({ id }) => id === call.names.domain);
  if (!found) throw notFound(call.names.domain ?? '');
  return showOne(call, entityTypes.domain, found);
}

function byIds(call: Call): Reply {
  const { ids, types } = bodyOf(call);
  if (!Array.isArray(ids) || ids.length > 1000)
    throw badRequest("Parameter 'ids' must be a collection of at most 1000 ids.");
  const found = ids.flatMap((id) => call.tenant.objects.get(String(id)) ?? []);
  return showObjects(call, Array.isArray(types) ? found.filter(({ kind }) => types.includes(kind)) : found);
}

/** What a fault made the policy; without one, secrets are not restricted. */
function appManagementPolicy(call: Call): Reply {
  const fault = call.world.faults.list().find(({ kind }) => kind === 'appManagementPolicy');
  const restriction =
    fault?.passwords === 'forbidden'
      ? { restrictionType: 'passwordAddition', state: 'enabled', maxLifetime: null }
      : {
          restrictionType: 'passwordLifetime',
          state: 'enabled',
          maxLifetime: `P${Number(fault?.maxLifetimeDays ?? 0)}D`,
        };
  const restrictions = { passwordCredentials: fault ? [restriction] : [], keyCredentials: [] };
  return {
    status: 200,
    body: {
      '@odata.context': `${base(call.world)}/$metadata#policies/defaultAppManagementPolicy/$entity`,
      id: '00000000-0000-0000-0000-000000000000',
      displayName: 'Default app management tenant policy',
      description:
        'Default tenant policy that enforces app management restrictions on applications and service principals.',
      isEnabled: fault !== undefined,
      applicationRestrictions: restrictions,
      servicePrincipalRestrictions: { passwordCredentials: [], keyCredentials: [] },
    },
  };
}
