import { scopesFor } from './files.ts';
import { findGroup, needGroup, type SetupWorld, type Step } from './step.ts';

const file = 'scopes.yml';

/** The scopes file, from the example, where there is none. */
export const scopesSteps: readonly Step[] = [
  {
    id: 'scopes',
    title: 'Group mappings (guide, group configuration)',
    async plan({ files, wish }) {
      if ((await files.read(file)) !== undefined) return [];
      return [`write ${file} with the ${wish.groups.map(({ role }) => role).join(' and ')} roles`];
    },
    async apply(world) {
      for (const wish of world.wish.groups) await needGroup(world, wish);
      await world.files.write(file, await textFor(world));
    },
    async undo(world) {
      const text = await world.files.read(file);
      // What somebody has edited is theirs.
      if (text === undefined || text !== (await textFor(world))) return [];
      await world.files.remove(file);
      return [file];
    },
  },
];

async function textFor(world: SetupWorld): Promise<string> {
  const groups: Record<string, { id: string; name: string }> = {};
  for (const wish of world.wish.groups) {
    const found = await findGroup(world, wish);
    if (found) groups[wish.role] = { id: found.id, name: wish.displayName };
  }
  return scopesFor(await world.files.exampleScopes(), groups);
}
