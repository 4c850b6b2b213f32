import type { z } from 'zod';
import type { DirectoryGroup, Memberships } from '../directory.ts';
import { oneByOne } from '../one-by-one.ts';
import { groupOf, type Naming, realmGroup } from './groups.ts';
import type { RealmApi } from './realm-api.ts';
import { account, isServiceAccount } from './users.ts';

/** Groups of a member, and members of a group, that are read at a time. */
const pageSize = 100;

const read = { role: 'view-users' };
const write = { role: 'manage-users' };

/** Who is in which group of a realm. Tokens name the groups that somebody is in directly, so only that counts. */
export function keycloakMemberships(api: RealmApi, naming: Naming): Memberships & Required<Memberships> {
  const groupsOf = async (id: string): Promise<DirectoryGroup[]> => {
    const names = await naming();
    const path = `${userPath(id)}/groups`;
    const groups: DirectoryGroup[] = [];
    for (let from: string | null = '0'; from !== null; ) {
      const page: { items: readonly z.output<typeof realmGroup>[]; next: string | null } = await api.page(
        path,
        realmGroup,
        { ...read, query: { briefRepresentation: 'true' }, limit: pageSize, from },
      );
      groups.push(...page.items.map((one) => groupOf(one, names)));
      from = page.next;
    }
    return groups;
  };
  const pathOf = (groupId: string, memberId: string): string =>
    `${userPath(memberId)}/groups/${encodeURIComponent(groupId)}`;
  return {
    ...oneByOne({
      groupsOf,
      add: (groupId, memberId) => api.send('PUT', pathOf(groupId, memberId), write),
      remove: (groupId, memberId) => api.send('DELETE', pathOf(groupId, memberId), write),
    }),
    ofServiceAccount: groupsOf,
    people: (groupId, limit) => peopleIn(api, groupId, limit),
  };
}

async function peopleIn(api: RealmApi, groupId: string, limit: number): Promise<string[]> {
  const people: string[] = [];
  const path = `/groups/${encodeURIComponent(groupId)}/members`;
  for (let from: string | null = '0'; from !== null && people.length < limit; ) {
    const page: { items: readonly z.output<typeof account>[]; next: string | null } = await api.page(
      path,
      account,
      { ...read, query: { briefRepresentation: 'true' }, limit: pageSize, from },
    );
    for (const one of page.items)
      if (one.enabled === true && !(await isServiceAccount(api, one))) people.push(one.id);
    from = page.next;
  }
  return people.slice(0, limit);
}

function userPath(id: string): string {
  return `/users/${encodeURIComponent(id)}`;
}
