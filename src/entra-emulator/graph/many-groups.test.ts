import { expect, test } from 'vitest';
import { shippedTenant } from '../main.ts';
import { eventual, userGraph } from '../testing/graph.ts';
import { emulatorWith } from './many-groups.test-support.ts';

const pat = shippedTenant.accounts.manyGroups;

test('more than 11,000 groups are too many for one answer; their pages are not', async () => {
  const emulator = await emulatorWith(11_000);
  const graph = await userGraph(emulator, pat);
  const refused = await graph('POST', '/me/getMemberObjects', { securityEnabledOnly: true });
  expect([refused.status, refused.body.error.code]).toEqual([400, 'Directory_ResultSizeLimitExceeded']);
  const path = '/me/transitiveMemberOf/microsoft.graph.group?$select=id&$top=999&$count=true';
  const pages = await graph('GET', path, undefined, eventual);
  expect(pages.body['@odata.count']).toBe(11_205);
  const next = await graph('GET', pages.body['@odata.nextLink'], undefined, eventual);
  expect(next.body['@odata.count']).toBeUndefined();
  await emulator.close();
});

test('in the strict mode getMemberObjects and checkMemberGroups need more than User.Read', async () => {
  const emulator = await emulatorWith(0, { strict: true });
  const graph = await userGraph(emulator, pat);
  expect((await graph('POST', '/me/getMemberObjects', { securityEnabledOnly: true })).status).toBe(403);
  expect((await graph('POST', '/me/checkMemberGroups', { groupIds: [] })).status).toBe(403);
  await emulator.close();
});
