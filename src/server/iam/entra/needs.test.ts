import { expect, test } from 'vitest';
import { startEmulator } from '../../../entra-emulator/main.ts';
import { adminGraph } from '../../../entra-emulator/testing/graph.ts';
import { applicationPermissions, delegatedPermissions } from './needs.ts';

test('the demo tenant has consented to what setup asks for, and to nothing else', async () => {
  const emulator = await startEmulator();
  const graph = await adminGraph(emulator);
  const principal = (await graph('GET', `/servicePrincipals(appId='${emulator.clientId}')`)).body;
  const graphPrincipal = (
    await graph('GET', "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')")
  ).body;
  const grants = (await graph('GET', `/servicePrincipals/${principal.id}/oauth2PermissionGrants`)).body.value;
  const toGraph = grants.filter((one: { resourceId: string }) => one.resourceId === graphPrincipal.id);
  expect(toGraph.flatMap(({ scope }: { scope: string }) => scope.split(' ')).sort()).toEqual(
    [...delegatedPermissions].sort(),
  );
  const assigned = (await graph('GET', `/servicePrincipals/${principal.id}/appRoleAssignments`)).body.value;
  const values = assigned
    .filter((one: { resourceId: string }) => one.resourceId === graphPrincipal.id)
    .map(
      ({ appRoleId }: { appRoleId: string }) =>
        graphPrincipal.appRoles.find(({ id }: { id: string }) => id === appRoleId)?.value,
    );
  expect(values).toEqual([...applicationPermissions]);
  await emulator.close();
});
