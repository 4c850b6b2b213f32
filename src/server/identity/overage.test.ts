import { afterEach, expect, test } from 'vitest';
import { emulatorWith } from '../../entra-emulator/graph/many-groups.test-support.ts';
import { type Emulator, shippedTenant } from '../../entra-emulator/main.ts';
import { signInForTokens } from '../../entra-emulator/testing/sign-in.ts';
import { groupsOf, type IdentityWorld, identityWorld } from './identity.test-support.ts';

const { accounts, groups } = shippedTenant;
const { manyGroups } = accounts;
let emulator: Emulator;
let world: IdentityWorld;
afterEach(async () => {
  await world.database.close();
  await emulator.close();
});

test.each([205, 2100, 12_000])(
  'somebody in %i groups signs in, while Graph throttles and fails',
  { timeout: 60_000 },
  async (count) => {
    emulator = await emulatorWith(count - 205);
    world = await identityWorld(emulator);
    emulator.faults.add({ kind: 'throttle', path: '/graph/', every: 10, retryAfterSeconds: 0 });
    emulator.faults.add({ kind: 'status', status: 503, path: '/graph/', every: 10, retryAfterSeconds: 0 });
    for (let times = 0; times < (count > 11_000 ? 1 : 12); times += 1)
      expect((await world.signIn(manyGroups)).person.groups).toHaveLength(count);
    const scope = `openid profile ${shippedTenant.appIdUri}/access_as_user`;
    const { access_token } = await signInForTokens(emulator, manyGroups, { scope });
    expect(groupsOf(await world.ask(String(access_token)))).toHaveLength(count);
  },
);

test('where the person’s own token may not ask, the gateway’s own does', async () => {
  emulator = await emulatorWith(0, { strict: true });
  world = await identityWorld(emulator, { graph: shippedTenant.admin });
  expect((await world.signIn(manyGroups)).person.groups).toHaveLength(205);
  expect(world.sent).toContain(`POST /graph/v1.0/users/${manyGroups.objectId}/getMemberObjects`);
});

test('of somebody in 12,000 groups those are asked about that scopes name: two questions, at sign-in and for tokens', async () => {
  emulator = await emulatorWith(11_795);
  world = await identityWorld(emulator, {}, () => [groups.users, groups.admin, 'role:Gateway.Invoke']);
  expect((await world.signIn(manyGroups)).person.groups).toEqual([groups.users]);
  const asked = (path: string) => world.sent.filter((line) => line.includes(path)).length;
  expect([asked('/me/getMemberObjects'), asked('/me/checkMemberGroups'), asked('transitive')]).toEqual([
    1, 1, 0,
  ]);
  const scope = `openid profile ${shippedTenant.appIdUri}/access_as_user`;
  const { access_token } = await signInForTokens(emulator, manyGroups, { scope });
  expect(groupsOf(await world.ask(String(access_token)))).toEqual([groups.users]);
});
