import { allContainers, directContainers, groupsOf } from '../tenant/directory.ts';
import type { Application, DirectoryObject, ServicePrincipal, Tenant, User } from '../tenant/model.ts';
import type { World } from '../world.ts';
import type { Claims } from './sign.ts';

/** Where a groups claim goes, which decides its rules. */
export type GroupsFor = {
  /** The registration whose `groupMembershipClaims` counts: the client's for ID tokens, the API's for access tokens. */
  application: Application;
  principal: ServicePrincipal;
  kind: 'idToken' | 'accessToken';
  /** True for tokens that come from the authorize endpoint directly. */
  isImplicit?: boolean;
};

/**
 * The `groups`, `wids`, `hasgroups` or overage claims of a user or application. More groups than the limit (200) are
 * left out; a user's token then says where to ask, an application's says nothing.
 */
export function groupClaims(
  world: World,
  tenant: Tenant,
  subject: User | ServicePrincipal,
  to: GroupsFor,
): Claims {
  const setting = (to.application.groupMembershipClaims ?? '').split(',').map((word) => word.trim());
  const roles = allContainers(tenant, subject.id).filter((object) => object.kind === 'directoryRole');
  const withRoles = setting.includes('All') || setting.includes('DirectoryRole');
  const wids = withRoles && roles.length ? { wids: roles.map((role) => role.roleTemplateId) } : {};
  const groups = emitted(tenant, subject, to, setting);
  if (groups.length === 0) return wids;
  // Whether applications get the claim nobody could decide.
  const isDropped = world.isStrict || world.faults.take('dropGroups') !== undefined;
  if (subject.kind === 'servicePrincipal' && isDropped) return wids;
  if (to.isImplicit && groups.length > 5) return { ...wids, hasgroups: true };
  const limit = Number(world.faults.take('overageThreshold')?.groups ?? 200);
  if (groups.length > limit) return subject.kind === 'user' ? { ...wids, ...overage(tenant, subject) } : wids;
  return { ...wids, ...named(groups, to, setting) };
}

function emitted(
  tenant: Tenant,
  subject: User | ServicePrincipal,
  to: GroupsFor,
  setting: string[],
): DirectoryObject[] {
  const all = allContainers(tenant, subject.id);
  if (setting.includes('All')) return all;
  if (setting.includes('SecurityGroup'))
    return all.filter(
      (object) => object.kind === 'directoryRole' || (object.kind === 'group' && object.securityEnabled),
    );
  if (!setting.includes('ApplicationGroup')) return [];
  const assigned = new Set(
    [...tenant.appRoleAssignments.values()]
      .filter((assignment) => assignment.resourceId === to.principal.id)
      .map((assignment) => assignment.principalId),
  );
  return directContainers(tenant, subject.id).filter((object) => assigned.has(object.id));
}

/** Optional-claim settings of `groups`: names instead of ids, roles instead of groups. */
function named(groups: DirectoryObject[], to: GroupsFor, setting: string[]): Claims {
  const options =
    to.application.optionalClaims?.[to.kind].find((claim) => claim.name === 'groups')?.additionalProperties ??
    [];
  const byName = options.includes('cloud_displayname') && setting.includes('ApplicationGroup');
  const bySam = options.includes('sam_account_name');
  const values = groups.map((object) => {
    if (byName && object.kind === 'group') return object.displayName;
    return (bySam && groupsOf([object])[0]?.onPremisesSamAccountName) || object.id;
  });
  return options.includes('emit_as_roles') ? { roles: values } : { groups: values };
}

function overage(tenant: Tenant, user: User): Claims {
  const endpoint = `https://graph.windows.net/${tenant.id}/users/${user.id}/getMemberObjects`;
  return { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint } } };
}
