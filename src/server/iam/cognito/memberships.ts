import type { DirectoryGroup, Memberships } from '../directory.ts';
import { oneByOne } from '../one-by-one.ts';
import type { Usernames } from './accounts.ts';
import { groupOf } from './groups.ts';
import { mostAtATime } from './pages.ts';
import type { PoolApi } from './pool-api.ts';

/** Who is in which group of a pool: groups are not in groups, and app clients in none. */
export function cognitoMemberships(
  api: PoolApi,
  usernames: Usernames,
): Memberships & Required<Omit<Memberships, 'ofServiceAccount'>> {
  const groupsOf = async (id: string): Promise<DirectoryGroup[]> => {
    const Username = await usernames.of(id);
    const groups: DirectoryGroup[] = [];
    let NextToken: string | undefined;
    do {
      const page = await api.ask('AdminListGroupsForUser', { Username, Limit: mostAtATime, NextToken });
      groups.push(...(page.Groups ?? []).map(groupOf));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    return groups;
  };
  const named = async (groupId: string, memberId: string) => ({
    GroupName: groupId,
    Username: await usernames.of(memberId),
  });
  return {
    ...oneByOne({
      groupsOf,
      add: async (groupId, memberId) => api.ask('AdminAddUserToGroup', await named(groupId, memberId)),
      remove: async (groupId, memberId) =>
        api.ask('AdminRemoveUserFromGroup', await named(groupId, memberId)),
    }),
    async people(groupId, limit) {
      const people: string[] = [];
      let NextToken: string | undefined;
      do {
        const page = await api.ask('ListUsersInGroup', {
          ...{ GroupName: groupId, Limit: mostAtATime, NextToken },
        });
        for (const one of (page.Users ?? []).map(usernames.learn)) if (one.enabled) people.push(one.id);
        NextToken = page.NextToken;
      } while (NextToken !== undefined && people.length < limit);
      return people.slice(0, limit);
    },
  };
}
