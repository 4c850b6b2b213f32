import type { Work } from '../../setup/run.ts';
import { type MappedGroups, scopesStep } from '../../setup/scopes-file.ts';
import { settled } from '../settled.ts';
import { consentSteps } from './consent.ts';
import { groupSteps } from './groups.ts';
import { registrationSteps } from './registration.ts';
import { unfinishedRemoval } from './removal.ts';
import { secretSteps } from './secret.ts';
import { settingSteps } from './settings-of-registration.ts';
import { findGroup, needGroup, type SetupWorld, type Step } from './step.ts';

/** Every step, in the order in which they are taken; they are undone in the reverse order. */
const steps: readonly Step[] = [
  ...registrationSteps,
  ...settingSteps,
  ...consentSteps,
  ...groupSteps,
  ...secretSteps,
  scopesStep<SetupWorld>({
    title: 'Group mappings (guide, group configuration)',
    roles: ({ wish }) => wish.groups.map(({ role }) => role),
    async find(world) {
      const groups: Record<string, MappedGroups[string]> = {};
      for (const wish of world.wish.groups) {
        const found = await findGroup(world, wish);
        if (found) groups[wish.role] = { id: found.id, name: wish.displayName };
      }
      return groups;
    },
    async ready(world) {
      for (const wish of world.wish.groups) await needGroup(world, wish);
    },
  }),
  unfinishedRemoval,
];

/** All that is done in a tenant. */
export function workIn(world: SetupWorld): Work<SetupWorld> {
  return {
    ...{ steps, world, place: `tenant ${world.tenantId}` },
    removal: [
      `the registration '${world.wish.displayName}' with its enterprise application and secrets`,
      ...world.wish.groups.map(({ displayName }) => `the group '${displayName}'`),
      'the settings that setup wrote to .env, and scopes.yml unless it was edited',
    ],
    settled: (look) => settled(world, look),
  };
}
