import { ifFound } from '../provider/not-there.ts';
import type { DirectoryGroup, Memberships } from './directory.ts';

/** Users whose groups are asked for at a time. */
const atATime = 8;

/** What a directory can do about one member at a time. */
export interface OneMember {
  groupsOf(memberId: string): Promise<readonly DirectoryGroup[]>;
  add(groupId: string, memberId: string): Promise<unknown>;
  remove(groupId: string, memberId: string): Promise<unknown>;
}

/** Memberships of a directory that tells the groups of one member only, and answers a change the same if it was needless. */
export function oneByOne(one: OneMember): Required<Pick<Memberships, 'ofUsers' | 'add' | 'remove'>> {
  // Whoever comes between this and the change asks for the same end.
  const isIn = async (groupId: string, memberId: string): Promise<boolean> =>
    (await one.groupsOf(memberId)).some(({ id }) => id === groupId);
  return {
    async ofUsers(ids) {
      const found: (readonly DirectoryGroup[] | undefined)[] = new Array(ids.length);
      const rest = ids.entries();
      const work = async (): Promise<void> => {
        // One account that is gone meanwhile leaves the others readable; a directory that is away does not.
        for (const [at, id] of rest) found[at] = await ifFound(one.groupsOf(id));
      };
      await Promise.all(Array.from({ length: atATime }, work));
      return found;
    },
    async add(groupId, memberId) {
      if (await isIn(groupId, memberId)) return false;
      await one.add(groupId, memberId);
      return true;
    },
    async remove(groupId, memberId) {
      if (!(await isIn(groupId, memberId))) return false;
      await one.remove(groupId, memberId);
      return true;
    },
  };
}
