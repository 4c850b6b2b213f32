import { readClaims } from '../../../provider/entra-token.ts';
import type { TokenSource } from '../../../provider/graph.ts';
import type { Capabilities } from '../../directory.ts';

/** A token is asked for anew so often at most to see whether somebody has consented meanwhile, in milliseconds. */
const lookAgain = 60_000;

/** What each ability takes: one permission of each row. The first of a row is the least, and is the one named when it is missing. */
const needs = {
  readUsers: [['User.Read.All', 'User.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All']],
  writeUsers: [['User.ReadWrite.All', 'Directory.ReadWrite.All']],
  readGroups: [
    [
      ...['GroupMember.Read.All', 'GroupMember.ReadWrite.All', 'Group.Read.All', 'Group.ReadWrite.All'],
      ...['Directory.Read.All', 'Directory.ReadWrite.All'],
    ],
  ],
  writeGroups: [['Group.ReadWrite.All', 'Directory.ReadWrite.All']],
  writeMemberships: [['GroupMember.ReadWrite.All', 'Group.ReadWrite.All', 'Directory.ReadWrite.All']],
  writeServiceAccounts: [['Application.ReadWrite.OwnedBy', 'Application.ReadWrite.All']],
  // Microsoft asks for both to put a service principal into a group.
  writeServiceMemberships: [
    ['GroupMember.ReadWrite.All', 'Group.ReadWrite.All', 'Directory.ReadWrite.All'],
    ['Application.ReadWrite.All'],
  ],
  assignRoles: [
    ['AppRoleAssignment.ReadWrite.All'],
    ['Application.Read.All', 'Application.ReadWrite.All', 'Directory.Read.All'],
  ],
} as const satisfies Record<Exclude<keyof Capabilities, 'missing'>, readonly (readonly string[])[]>;

/** What may be done with these application permissions of Microsoft Graph. */
export function capabilitiesOf(roles: readonly string[]): Capabilities {
  const missing = new Set<string>();
  const can = (rows: readonly (readonly string[])[]): boolean => {
    const open = rows.filter((row) => !row.some((permission) => roles.includes(permission)));
    for (const [least = ''] of open) missing.add(least);
    return open.length === 0;
  };
  const abilities = Object.fromEntries(
    Object.entries(needs).map(([name, rows]) => [name, can(rows)]),
  ) as Omit<Capabilities, 'missing'>;
  return { ...abilities, missing: [...missing] };
}

/** Tells them from the gateway's own token, which is asked for anew now and then while something is missing. */
export function createCapabilities(token: TokenSource, now: () => number): () => Promise<Capabilities> {
  let looked = Number.NEGATIVE_INFINITY;
  return async () => {
    const known = capabilitiesOf(rolesIn(await token()));
    if (known.missing.length === 0 || now() - looked < lookAgain) return known;
    looked = now();
    return capabilitiesOf(rolesIn(await token({ claims: null })));
  };
}

function rolesIn(token: string): string[] {
  const { roles } = readClaims(token);
  return Array.isArray(roles) ? roles.map(String) : [];
}
