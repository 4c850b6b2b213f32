import { z } from 'zod';
import { keyed } from '../../../provider/graph.ts';
import { ifThere } from '../../../provider/not-there.ts';
import { settled, unlessThere } from '../settled.ts';
import { findApplication, findPrincipal, needApplication, type SetupWorld, type Step } from './step.ts';

const binned = z.looseObject({ id: z.string(), tags: z.array(z.string()).nullish() });

/** The app registration and what it is in this tenant. */
export const registrationSteps: readonly Step[] = [
  {
    id: 'registration',
    title: 'Register the application (guide, step 1)',
    async plan(world) {
      const found = await findApplication(world);
      return found ? [] : [`register '${world.wish.displayName}' for this tenant only`];
    },
    // An upsert by name: a run that crashed right here finds its registration again.
    apply: ({ graph, wish, ...world }) =>
      settled(world, async () => {
        await graph.send('PATCH', keyed('applications', 'uniqueName', wish.uniqueName), {
          headers: { prefer: 'create-if-missing' },
          body: { displayName: wish.displayName, signInAudience: 'AzureADMyOrg', tags: [wish.tag] },
          permission: 'Application.ReadWrite.All',
        });
      }),
    async undo(world) {
      const { graph, wish } = world;
      const found = await findApplication(world);
      if (found) await graph.send('DELETE', `/applications/${found.id}`);
      await purge(world);
      return found
        ? [`the registration '${wish.displayName}' with its enterprise application and secrets`]
        : [];
    },
  },
  {
    id: 'enterprise-application',
    title: 'Make it an enterprise application of the tenant',
    async plan(world) {
      const found = await findApplication(world);
      if (found && (await findPrincipal(world, found.appId))) return [];
      return ['create its service principal'];
    },
    async apply(world) {
      const { appId } = await needApplication(world);
      const tags = ['WindowsAzureActiveDirectoryIntegratedApp', world.wish.tag];
      await settled(world, () =>
        unlessThere(() => world.graph.send('POST', '/servicePrincipals', { body: { appId, tags } })),
      );
    },
  },
];

/** A deleted registration waits 30 days in the bin and keeps its names for as long: it is taken out there too. */
async function purge({ graph, wish }: SetupWorld): Promise<void> {
  for (const kind of ['application', 'servicePrincipal']) {
    const all = await graph.list(`/directory/deletedItems/microsoft.graph.${kind}`, binned, {
      eventual: true,
    });
    for (const { id, tags } of all)
      if (tags?.includes(wish.tag))
        await ifThere(() => graph.send('DELETE', `/directory/deletedItems/${id}`));
  }
}
