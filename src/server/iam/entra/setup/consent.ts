import type { z } from 'zod';
import { Failure } from '../../../failure/errors.ts';
import { applicationPermissions, delegatedPermissions } from '../needs.ts';
import { agentRole, permissionGrant, roleAssignment, type ServicePrincipal } from '../objects.ts';
import { settled, unlessThere } from '../settled.ts';
import {
  findApplication,
  findPrincipal,
  graphPrincipal,
  needApplication,
  needPrincipal,
  type SetupWorld,
  type Step,
} from './step.ts';

type Grant = z.output<typeof permissionGrant>;

/** Consent on behalf of the organisation, as the button "Grant admin consent" gives it. */
export const consentSteps: readonly Step[] = [
  {
    id: 'delegated-consent',
    title: 'Admin consent for sign-in (guide, step 5)',
    async plan(world) {
      const { missing } = await lookAtGrant(world, await ownPrincipal(world));
      return missing.length > 0 ? [`consent to ${missing.join(', ')} for everyone`] : [];
    },
    async apply(world) {
      const own = await needPrincipal(world, (await needApplication(world)).appId);
      const { grant, missing, graph } = await lookAtGrant(world, own);
      const permission = 'DelegatedPermissionGrant.ReadWrite.All';
      if (grant) {
        const scope = [...grant.scope.split(' ').filter(Boolean), ...missing].join(' ');
        await world.graph.send('PATCH', `/oauth2PermissionGrants/${grant.id}`, {
          body: { scope },
          permission,
        });
        return;
      }
      const body = {
        ...{ clientId: own.id, consentType: 'AllPrincipals', resourceId: graph.id },
        scope: missing.join(' '),
      };
      await settled(world, () =>
        unlessThere(() => world.graph.send('POST', '/oauth2PermissionGrants', { body, permission })),
      );
    },
  },
  {
    id: 'application-consent',
    title: 'Admin consent for what the gateway reads itself (guide, step 5)',
    async plan(world) {
      const missing = await missingRoles(
        world,
        await ownPrincipal(world),
        await graphPrincipal(world),
        applicationPermissions,
      );
      return missing.length > 0
        ? [`grant ${missing.map(({ value }) => value).join(', ')} of Microsoft Graph`]
        : [];
    },
    async apply(world) {
      const own = await needPrincipal(world, (await needApplication(world)).appId);
      await assign(world, own, await graphPrincipal(world), applicationPermissions);
    },
  },
  {
    id: 'own-role',
    title: 'Let the gateway test the way of an agent',
    async plan(world) {
      const own = await ownPrincipal(world);
      const missing = own && (await missingRoles(world, own, own, [agentRole]));
      return missing && missing.length === 0 && own?.appRoles.some(({ value }) => value === agentRole)
        ? []
        : [`grant ${agentRole} to the gateway itself`];
    },
    async apply(world) {
      const { appId } = await needApplication(world);
      const own = await settled(world, async () => {
        const found = await needPrincipal(world, appId);
        if (found.appRoles.some(({ value }) => value === agentRole)) return found;
        throw new Failure('not_found', `The app role ${agentRole} is not there yet.`);
      });
      await assign(world, own, own, [agentRole]);
    },
  },
];

async function ownPrincipal(world: SetupWorld): Promise<ServicePrincipal | undefined> {
  const application = await findApplication(world);
  return application && findPrincipal(world, application.appId);
}

async function lookAtGrant(world: SetupWorld, own: ServicePrincipal | undefined) {
  const graph = await graphPrincipal(world);
  const all = own
    ? await world.graph.list(`/servicePrincipals/${own.id}/oauth2PermissionGrants`, permissionGrant)
    : [];
  const grant: Grant | undefined = all.find(
    ({ consentType, resourceId }) => consentType === 'AllPrincipals' && resourceId === graph.id,
  );
  const there = grant?.scope.split(' ') ?? [];
  return { graph, grant, missing: delegatedPermissions.filter((value) => !there.includes(value)) };
}

async function missingRoles(
  world: SetupWorld,
  own: ServicePrincipal | undefined,
  resource: ServicePrincipal,
  values: readonly string[],
) {
  const has = own
    ? await world.graph.list(`/servicePrincipals/${own.id}/appRoleAssignments`, roleAssignment)
    : [];
  return resource.appRoles.filter(
    ({ id, value }) =>
      values.includes(value ?? '') &&
      !has.some(({ appRoleId, resourceId }) => appRoleId === id && resourceId === resource.id),
  );
}

async function assign(
  world: SetupWorld,
  own: ServicePrincipal,
  resource: ServicePrincipal,
  values: readonly string[],
): Promise<void> {
  for (const { id: appRoleId } of await missingRoles(world, own, resource, values)) {
    const body = { principalId: own.id, resourceId: resource.id, appRoleId };
    await settled(world, () =>
      unlessThere(() =>
        world.graph.send('POST', `/servicePrincipals/${resource.id}/appRoleAssignedTo`, {
          body,
          permission: 'AppRoleAssignment.ReadWrite.All',
        }),
      ),
    );
  }
}
