import type { Work } from '../../setup/run.ts';
import { scopesStep } from '../../setup/scopes-file.ts';
import { adminClientSteps } from './admin-client.ts';
import { clientSteps } from './client.ts';
import { groupSteps, mappedGroups } from './groups.ts';
import { settingSteps } from './settings.ts';
import type { SetupWorld, Step } from './step.ts';

/** Every step, in the order in which they are taken; they are undone in the reverse order. */
const steps: readonly Step[] = [
  ...clientSteps,
  ...groupSteps,
  ...adminClientSteps,
  ...settingSteps,
  scopesStep<SetupWorld>({
    title: 'Group mappings (guide, groups and scopes)',
    roles: ({ wish }) => wish.groups.map(({ role }) => role),
    find: mappedGroups,
  }),
];

/** All that is done in a realm. */
export function workIn(world: SetupWorld): Work<SetupWorld> {
  const { wish } = world;
  const clients = [wish.clientId, ...(wish.adminClientId === undefined ? [] : [wish.adminClientId])];
  return {
    ...{ steps, world, place: `realm ${wish.realm} of ${wish.serverUrl}` },
    removal: [
      ...clients.map((clientId) => `the client '${clientId}' with its secret`),
      `the client scope '${wish.scopeName}'`,
      ...wish.groups.map(({ name }) => `the group '${name}'`),
      'the settings that setup wrote to .env, and scopes.yml unless it was edited',
    ],
  };
}
