import { asFailure } from '../../errors.ts';
import type { DirectoryGroup, Memberships } from '../directory.ts';
import type { Usernames } from './accounts.ts';
import { groupOf } from './groups.ts';
import { mostAtATime } from './pages.ts';
import type { PoolApi } from './pool-api.ts';

/** Users whose groups are asked for at a time. */
const atATime = 8;

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
  const isIn = async (groupId: string, memberId: string): Promise<boolean> =>
    (await groupsOf(memberId)).some(({ id }) => id === groupId);
  const named = async (groupId: string, memberId: string) => ({
    GroupName: groupId,
    Username: await usernames.of(memberId),
  });
  return {
    async ofUsers(ids) {
      const found: (readonly DirectoryGroup[] | undefined)[] = new Array(ids.length);
      const rest = ids.entries();
      const work = async (): Promise<void> => {
        for (const [at, id] of rest)
          found[at] = await groupsOf(id).catch((error: unknown) => {
            // One account that is gone meanwhile leaves the others readable; a pool that is away does not.
            if (asFailure(error).code !== 'not_found') throw error;
            return undefined;
          });
      };
      await Promise.all(Array.from({ length: atATime }, work));
      return found;
    },
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
    async add(groupId, memberId) {
      // Cognito answers the same to both; whoever comes between asks for the same end.
      if (await isIn(groupId, memberId)) return false;
      await api.ask('AdminAddUserToGroup', await named(groupId, memberId));
      return true;
    },
    async remove(groupId, memberId) {
      if (!(await isIn(groupId, memberId))) return false;
      await api.ask('AdminRemoveUserFromGroup', await named(groupId, memberId));
      return true;
    },
  };
}
