import type { z } from 'zod';
import { asFailure } from '../../errors.ts';
import type { DirectoryGroup, Memberships } from '../directory.ts';
import { groupOf, type Naming, realmGroup } from './groups.ts';
import type { RealmApi } from './realm-api.ts';
import { account, isServiceAccount } from './users.ts';

/** Users whose groups are asked for at a time, and members of a group that are read at a time. */
const [atATime, pageSize] = [8, 100];

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
  const isIn = async (groupId: string, memberId: string): Promise<boolean> =>
    (await groupsOf(memberId)).some(({ id }) => id === groupId);
  const pathOf = (groupId: string, memberId: string): string =>
    `${userPath(memberId)}/groups/${encodeURIComponent(groupId)}`;
  return {
    async ofUsers(ids) {
      const found: (readonly DirectoryGroup[] | undefined)[] = new Array(ids.length);
      const rest = ids.entries();
      const work = async (): Promise<void> => {
        for (const [at, id] of rest)
          found[at] = await groupsOf(id).catch((error: unknown) => {
            // One account that is gone meanwhile leaves the others readable; a realm that is away does not.
            if (asFailure(error).code !== 'not_found') throw error;
            return undefined;
          });
      };
      await Promise.all(Array.from({ length: atATime }, work));
      return found;
    },
    ofServiceAccount: groupsOf,
    people: (groupId, limit) => peopleIn(api, groupId, limit),
    async add(groupId, memberId) {
      // Keycloak answers the same to both; whoever comes between asks for the same end.
      if (await isIn(groupId, memberId)) return false;
      await api.send('PUT', pathOf(groupId, memberId), write);
      return true;
    },
    async remove(groupId, memberId) {
      if (!(await isIn(groupId, memberId))) return false;
      await api.send('DELETE', pathOf(groupId, memberId), write);
      return true;
    },
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
