import { readClaims } from '../../provider/entra-token.ts';
import type { TokenSource } from '../../provider/graph.ts';
import type { Capabilities } from '../directory.ts';

/** What each ability takes: one role of `realm-management` of each row. The first of a row is named when it is missing. */
const needs = {
  readUsers: [['view-users', 'manage-users']],
  writeUsers: [['manage-users']],
  readGroups: [['view-users', 'manage-users']],
  writeGroups: [['manage-users']],
  writeMemberships: [['manage-users']],
  writeServiceAccounts: [['manage-clients']],
  writeServiceMemberships: [['manage-users'], ['manage-clients', 'view-clients']],
  assignRoles: [['manage-clients']],
} as const satisfies Record<Exclude<keyof Capabilities, 'missing'>, readonly (readonly string[])[]>;

/** What may be done with these roles of `realm-management`. */
export function capabilitiesOf(roles: readonly string[]): Capabilities {
  const missing = new Set<string>();
  const can = (rows: readonly (readonly string[])[]): boolean => {
    const open = rows.filter((row) => !row.some((role) => roles.includes(role)));
    for (const [first = ''] of open) missing.add(first);
    return open.length === 0;
  };
  const abilities = Object.fromEntries(
    Object.entries(needs).map(([name, rows]) => [name, can(rows)]),
  ) as Omit<Capabilities, 'missing'>;
  return { ...abilities, missing: [...missing] };
}

/** Tells them from the token of the administrating client; while something is missing, from one that is asked for anew. */
export function createCapabilities(token: TokenSource): () => Promise<Capabilities> {
  return async () => {
    const known = capabilitiesOf(managementRolesIn(await token()));
    if (known.missing.length === 0) return known;
    return capabilitiesOf(managementRolesIn(await token({ claims: null })));
  };
}

/**
 * The roles of `realm-management` in an access token. `realm-admin` holds the others, and Keycloak lists those too; in the
 * realm `master` the client is called otherwise.
 */
export function managementRolesIn(token: string): string[] {
  const access = Object(readClaims(token).resource_access) as Record<string, { roles?: unknown }>;
  const roles = Object(access['realm-management']).roles;
  return Array.isArray(roles) ? roles.map(String) : [];
}
