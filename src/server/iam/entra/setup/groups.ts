import { z } from 'zod';
import { keyed } from '../../../provider/graph.ts';
import { ifFound } from '../../../provider/not-there.ts';
import { settled, sought, unlessThere } from '../settled.ts';
import { bringBack, findDeleted, linesOn, purge, purgeDeleted, settledName } from './bin.ts';
import { discard } from './removal.ts';
import { findGroup, needGroup, type SetupWorld, type Step } from './step.ts';
import type { GroupWish } from './wish.ts';

const member = z.looseObject({ id: z.string() });

/** The groups of the roles, and who is in them. */
export const groupSteps: readonly Step[] = [
  {
    id: 'groups',
    title: 'Security groups (guide, step 8)',
    async plan(world) {
      const missing = await missingGroups(world);
      const lines = missing.map(async ({ displayName, uniqueName }) => {
        const deleted = await findDeleted(world, 'group', uniqueName);
        return deleted
          ? linesOn(world, deleted, 'security group')
          : [`create the security group '${displayName}'`];
      });
      return (await Promise.all(lines)).flat();
    },
    async apply(world) {
      for (const { displayName, description, uniqueName } of await missingGroups(world))
        await settledName(world, `A group '${displayName}'`, async () => {
          if (await bringBack(world, 'group', uniqueName)) return;
          await world.graph.send('PATCH', keyed('groups', 'uniqueName', uniqueName), {
            headers: { prefer: 'create-if-missing' },
            body: {
              ...{ displayName, description, mailEnabled: false, securityEnabled: true },
              mailNickname: uniqueName.replaceAll(/[^A-Za-z0-9-]/g, '').slice(0, 64),
            },
            permission: 'Group.ReadWrite.All',
          });
        });
    },
    async undo(world, removed) {
      const { groups } = world.wish;
      const all = await Promise.all(groups.map((wish) => sought(world, () => findGroup(world, wish))));
      for (const [at, wish] of groups.entries()) {
        const found = all[at];
        if (found) await removeGroup(world, found.id, `the group '${found.displayName}'`, removed);
        for (const { displayName } of await purgeDeleted(world, 'group', wish.uniqueName))
          removed(`the deleted group '${displayName ?? wish.displayName}'`);
      }
      return [];
    },
  },
  {
    id: 'members',
    title: 'Members of the groups (guide, step 10)',
    plan: async (world) => (await missingMembers(world)).map(({ line }) => line),
    async apply(world) {
      for (const { wish, name } of await missingMembers(world)) {
        const { id } = await needGroup(world, wish);
        const body = { '@odata.id': await referenceTo(world, name) };
        await settled(world, () =>
          unlessThere(() => world.graph.send('POST', `/groups/${id}/members/$ref`, { body })),
        );
      }
    },
  },
];

async function removeGroup(
  world: SetupWorld,
  id: string,
  what: string,
  removed: (what: string) => void,
): Promise<void> {
  let isPurged = false;
  await discard(world, [{ id, path: `/groups/${id}`, what }], async () => {
    isPurged = await purgeGroup(world, id, what);
  });
  const doubt = ' (if this tenant keeps deleted security groups, its name is taken for 30 days)';
  removed(`${what}${isPurged ? '' : doubt}`);
}

/** Security groups go to the bin by newer documents and are gone at once by older ones: only what is there is purged. */
async function purgeGroup(world: SetupWorld, id: string, what: string): Promise<boolean> {
  const look = () => world.graph.get(`/directory/deletedItems/${id}`, member);
  const inBin = await ifFound(settled({ ...world, patience: 6 }, look));
  if (inBin) await purge(world, id, what);
  return inBin !== undefined;
}

async function missingGroups(world: SetupWorld): Promise<GroupWish[]> {
  const found = await Promise.all(world.wish.groups.map((wish) => findGroup(world, wish)));
  return world.wish.groups.filter((_, index) => !found[index]);
}

/** The administrator who runs setup gets in first; people named for the users' group with them. */
async function missingMembers(world: SetupWorld) {
  const { administrator, wish } = world;
  const wanted = wish.groups.flatMap((one) => {
    if (one.role === 'admin')
      return [{ wish: one, name: administrator.objectId, shown: administrator.username }];
    return one.role === 'user' ? wish.users.map((name) => ({ wish: one, name, shown: name })) : [];
  });
  const missing = [];
  for (const one of wanted) {
    const found = await findGroup(world, one.wish);
    const members = found ? await world.graph.list(`/groups/${found.id}/members`, member) : [];
    const id = await idOf(world, one.name);
    if (!members.some((each) => each.id === id))
      missing.push({ ...one, line: `add ${one.shown} to '${one.wish.displayName}'` });
  }
  return missing;
}

async function idOf({ graph, administrator }: SetupWorld, name: string): Promise<string> {
  if (name === administrator.objectId) return name;
  const { id } = await graph.get(`/users/${encodeURIComponent(name)}`, member, {
    permission: 'User.Read.All',
  });
  return id;
}

async function referenceTo(world: SetupWorld, name: string): Promise<string> {
  return `${world.graph.baseUrl}/directoryObjects/${await idOf(world, name)}`;
}
