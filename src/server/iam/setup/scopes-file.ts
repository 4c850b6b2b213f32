import { type SetupFiles, scopesFor } from './files.ts';
import type { Step } from './step.ts';

/** Where the gateway reads who may do what. */
export const scopesFile = 'scopes.yml';

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
      if ((await world.files.read(scopesFile)) !== undefined) return [];
      return [`write ${scopesFile} with the ${groups.roles(world).join(' and ')} roles`];
    },
    async apply(world) {
      await groups.ready?.(world);
      await world.files.write(scopesFile, await textFor(world));
    },
    async undo(world) {
      const text = await world.files.read(scopesFile);
      // What somebody has edited is theirs.
      if (text === undefined || text !== (await textFor(world))) return [];
      await world.files.remove(scopesFile);
      return [scopesFile];
    },
  };
}
