import { keyed } from '../../../provider/graph.ts';
import { settled, sought, unlessThere } from '../settled.ts';
import { bringBack, findDeleted, linesOn, purgeDeleted, settledName } from './bin.ts';
import { discard } from './removal.ts';
import { findApplication, findPrincipal, needApplication, type SetupWorld, type Step } from './step.ts';

/** The app registration and what it is in this tenant. */
export const registrationSteps: readonly Step[] = [
  {
    id: 'registration',
    title: 'Register the application (guide, step 1)',
    async plan(world) {
      if (await findApplication(world)) return [];
      const deleted = await findDeleted(world, 'application', world.wish.uniqueName);
      return deleted
        ? linesOn(world, deleted, 'registration')
        : [`register '${world.wish.displayName}' for this tenant only`];
    },
    // An upsert by name: a run that crashed right here finds its registration again.
    apply: (world) => settledName(world, `A registration '${world.wish.displayName}'`, () => register(world)),
    async undo(world) {
      const { wish } = world;
      // A run that was killed a moment ago may have made what is not everywhere yet.
      const found = await sought(world, () => findApplication(world));
      const principal = found && (await sought(world, () => findPrincipal(world, found.appId)));
      if (found)
        await discard(world, [
          {
            id: found.id,
            path: `/applications/${found.id}`,
            what: `the registration '${wish.displayName}'`,
          },
          ...[principal ?? []].flat().map(({ id }) => ({
            id,
            path: `/servicePrincipals/${id}`,
            what: `the enterprise application '${wish.displayName}'`,
          })),
        ]);
      // What an earlier run deleted and did not purge.
      const left = [
        ...(await purgeDeleted(world, 'application', wish.uniqueName)),
        ...(await purgeDeleted(world, 'servicePrincipal', wish.uniqueName)),
      ];
      return found || left.length > 0
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
      // The principal of a restored registration is still in the bin: it is not restored with it.
      if (await bringBack(world, 'servicePrincipal', world.wish.uniqueName, appId)) return;
      await settled(world, () =>
        unlessThere(() => world.graph.send('POST', '/servicePrincipals', { body: { appId, tags } })),
      );
    },
  },
];

async function register(world: SetupWorld): Promise<void> {
  const { graph, wish } = world;
  if (await bringBack(world, 'application', wish.uniqueName)) return;
  await graph.send('PATCH', keyed('applications', 'uniqueName', wish.uniqueName), {
    headers: { prefer: 'create-if-missing' },
    body: { displayName: wish.displayName, signInAudience: 'AzureADMyOrg', tags: [wish.tag] },
    permission: 'Application.ReadWrite.All',
  });
}
