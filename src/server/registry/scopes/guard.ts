import type { UiPermission } from '../../../contract/endpoint.ts';
import { accessOf, type Grants } from '../../access/grants.ts';
import { administratorScopes } from '../../access/holding.ts';
import { groupKey } from '../../access/names.ts';
import type { Scope } from '../../access/scope-set.ts';
import { Failure } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';

/** Scopes that the four roles stand on: they are removed only with `force`. */
export const systemScopes: readonly string[] = [
  ...administratorScopes,
  'mcp-registry-operator',
  'mcp-servers-unrestricted/read',
  'mcp-servers-unrestricted/execute',
];

/** What may be held for every server or agent without being able to change any. */
const harmless: readonly UiPermission[] = [
  'list_service',
  'get_service',
  'health_check_service',
  'list_tools',
  'list_agents',
  'get_agent',
];

/**
 * Refuses a change after which its maker would be no administrator any more. Whoever makes a change is one, so there
 * always is somebody left who can undo it. Somebody who was one when the request came, and is not any more, changes nothing.
 */
export function assertStaysAdministrator(
  { groups, limitedTo }: Identity,
  before: Grants,
  after: Grants,
): void {
  if (!accessOf({ groups, limitedTo }, before).isAdmin)
    throw new Failure('not_allowed', 'Administrator permissions are required for this operation.');
  if (accessOf({ groups, limitedTo }, after).isAdmin) return;
  throw new Failure(
    'would_lock_out',
    `After this you would be no administrator any more, and perhaps nobody would. Map one of your groups to ${administratorScopes.join(' or ')} first, or let another administrator do it.`,
  );
}

/** Whether a change of a scope gives somebody an administrator's scope, or one without limits. */
export function isAdminGrant(before: Scope | undefined, after: Scope | undefined): boolean {
  if (!after || !grantsMuch(after)) return false;
  if (!before || !grantsMuch(before)) return true;
  const had = new Set(before.groupMappings.map(groupKey));
  return after.groupMappings.some((group) => !had.has(groupKey(group)));
}

function grantsMuch({ name, serverRules, uiPermissions }: Scope): boolean {
  return (
    administratorScopes.includes(name) ||
    serverRules.some(({ server }) => server === '*') ||
    Object.entries(uiPermissions).some(
      ([permission, names]) => names?.includes('all') && !harmless.includes(permission as UiPermission),
    )
  );
}
