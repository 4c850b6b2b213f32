import type { z } from 'zod';
import { Failure } from '../../../failure/errors.ts';
import type { MappedGroups } from '../../setup/scopes-file.ts';
import { realmGroup } from '../groups.ts';
import { isGroups } from '../mappers.ts';
import { keycloakMemberships } from '../memberships.ts';
import type { RealmApi } from '../realm-api.ts';
import { keycloakUsers } from '../users.ts';
import { findScope, ours, present, type SetupWorld, type Step } from './step.ts';

type Group = z.output<typeof realmGroup>;

const write = { role: 'manage-users' };

/** The groups of the roles, and who is in them. */
export const groupSteps: readonly Step[] = [
  {
    id: 'groups',
    title: 'Groups (guide, step 4)',
    plan: async (world) => (await missingGroups(world)).map(({ name }) => `create the group '${name}'`),
    async apply(world) {
      for (const { name } of await missingGroups(world)) {
        const body = { name, attributes: { [ours]: ['true'] } };
        await world.api.send('POST', '/groups', { ...write, body });
      }
    },
    async undo({ api, wish }) {
      const gone: string[] = [];
      for (const { name } of wish.groups) {
        const found = await findGroup(api, name);
        if (!isOurs(found)) continue;
        await api.send('DELETE', `/groups/${found.id}`, write);
        gone.push(`the group '${name}'`);
      }
      return gone;
    },
  },
  {
    id: 'members',
    title: 'Members of the groups (guide, step 4)',
    plan: async (world) => (await missingMembers(world)).map(({ line }) => line),
    async apply(world) {
      const memberships = membershipsOf(world.api);
      for (const { group, userId } of await missingMembers(world)) {
        const { id } = present(await findGroup(world.api, group), `group '${group}'`);
        await memberships.add(id, userId);
      }
    },
  },
];

/** The groups that are there, by role, with the names that tokens have them by. */
export async function mappedGroups(world: SetupWorld): Promise<MappedGroups> {
  const mapper = (await findScope(world))?.protocolMappers?.find(isGroups);
  const isPath = mapper?.config?.['full.path'] === 'true';
  const groups: Record<string, MappedGroups[string]> = {};
  for (const { role, name } of world.wish.groups)
    if (await findGroup(world.api, name)) groups[role] = { id: isPath ? `/${name}` : name, name };
  return groups;
}

/** The group of this name at the top of the tree; a namesake further down is another one. */
function findGroup(api: RealmApi, name: string): Promise<Group | undefined> {
  return api.find(`/group-by-path/${encodeURIComponent(name)}`, realmGroup, { role: 'view-users' });
}

function isOurs(group: Group | undefined): group is Group {
  const marks = Object(group?.attributes)[ours];
  return Array.isArray(marks) && marks.includes('true');
}

async function missingGroups({ api, wish }: SetupWorld) {
  const found = await Promise.all(wish.groups.map(({ name }) => findGroup(api, name)));
  return wish.groups.filter((_, index) => !found[index]);
}

async function missingMembers({ api, wish }: SetupWorld) {
  const memberships = membershipsOf(api);
  const missing = [];
  for (const { role, username } of wish.members) {
    const group = wish.groups.find((one) => one.role === role)?.name ?? '';
    const user = await keycloakUsers(api).find(username);
    if (!user)
      throw new Failure(
        'not_found',
        `The realm has no user '${username}'; create it there first, or leave it out.`,
      );
    const [groups = []] = await memberships.ofUsers([user.id]);
    if (!groups.some(({ mapping }) => mapping === `/${group}`))
      missing.push({ group, userId: user.id, line: `add ${user.username} to '${group}'` });
  }
  return missing;
}

/** By path, which tells a group from its namesakes. */
function membershipsOf(api: RealmApi) {
  return keycloakMemberships(api, async () => 'path');
}
