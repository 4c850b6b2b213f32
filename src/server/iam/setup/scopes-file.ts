import { type SetupFiles, scopesFor } from './files.ts';
import type { Step } from './step.ts';

const file = 'scopes.yml';

/** What the group of a role is called in `group_mappings`, and for people. */
export type MappedGroups = Readonly<Record<string, { id: string; name: string } | undefined>>;

/** The groups of a provider, as the scopes file needs them. */
export interface GroupsForScopes<World> {
  readonly title: string;
  /** The roles that have groups. */
  roles(world: World): readonly string[];
  /** The groups that are there, by role. */
  find(world: World): Promise<MappedGroups>;
  /** Waits until all are there. */
  ready?(world: World): Promise<void>;
}

/** The scopes file, from the example, where there is none. */
export function scopesStep<World extends { readonly files: SetupFiles }>(
  groups: GroupsForScopes<World>,
): Step<World> {
  const textFor = async (world: World): Promise<string> =>
    scopesFor(await world.files.exampleScopes(), await groups.find(world));
  return {
    id: 'scopes',
    title: groups.title,
    async plan(world) {
      if ((await world.files.read(file)) !== undefined) return [];
      return [`write ${file} with the ${groups.roles(world).join(' and ')} roles`];
    },
    async apply(world) {
      await groups.ready?.(world);
      await world.files.write(file, await textFor(world));
    },
    async undo(world) {
      const text = await world.files.read(file);
      // What somebody has edited is theirs.
      if (text === undefined || text !== (await textFor(world))) return [];
      await world.files.remove(file);
      return [file];
    },
  };
}
