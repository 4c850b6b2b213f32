import { afterAll, beforeEach, expect, test } from 'vitest';
import { type Emulator, shippedTenant, startEmulator } from '../../../../entra-emulator/main.ts';
import { adminGraph } from '../../../../entra-emulator/testing/graph.ts';
import { emulatedDirectory } from './emulated.test-support.ts';

const emulator: Emulator = await startEmulator();
afterAll(() => emulator.close());
let world: ReturnType<typeof emulatedDirectory>;
beforeEach(() => {
  emulator.reset();
  world = emulatedDirectory(emulator);
});

const { accounts, groups: shipped } = shippedTenant;
const make = async (displayName: string, more = {}) => {
  const graph = await adminGraph(emulator);
  const body = { displayName, mailEnabled: false, securityEnabled: true, mailNickname: 'made', ...more };
  return String((await graph('POST', '/groups', body)).body.id);
};

test('groups come page by page with their number, by name, and the pages make up all of them', async () => {
  const { groups } = world.directory;
  const names: string[] = [];
  let from: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof groups.list>> = await groups.list({ limit: 60, from });
    expect(page.items.length).toBeLessThanOrEqual(60);
    names.push(...page.items.map(({ name }) => name));
    if (from === null) expect(page.total).toBe(209);
    from = page.next;
  } while (from);
  expect(new Set(names).size).toBe(209);
});

test('a group is found by id in any case and by its exact name, and mapped by its id', async () => {
  const { groups } = world.directory;
  const byName = await groups.find('mcp-test-users');
  expect(byName).toMatchObject({ id: shipped.users, mapping: shipped.users, editable: true });
  expect(await groups.find(shipped.users.toUpperCase())).toEqual(byName);
  expect(await groups.find('mcp-test')).toBeUndefined();
  expect(await groups.find('00000000-0000-4000-8000-00000000dead')).toBeUndefined();
});

test('several groups of one name are a conflict that lists their ids', async () => {
  const ids = [await make('twins'), await make('twins')];
  const error = await world.directory.groups.find('twins').catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'conflict' });
  for (const id of ids) expect(String(error)).toContain(id);
});

test('of names that differ only in case the exact one is meant; when there is none of them, it is a conflict', async () => {
  const lower = await make('cased');
  await make('CASED');
  expect((await world.directory.groups.find('cased'))?.id).toBe(lower);
  await expect(world.directory.groups.find('Cased')).rejects.toMatchObject({ code: 'conflict' });
});

test('a group that gives no access is none, and one whose members are computed says so', async () => {
  await make('mail only', { mailEnabled: true, securityEnabled: false, groupTypes: ['Unified'] });
  await make('computed', { groupTypes: ['DynamicMembership'], membershipRule: 'user.country -eq "CH"' });
  expect(await world.directory.groups.find('mail only')).toBeUndefined();
  expect(await world.directory.groups.find('computed')).toMatchObject({ editable: false });
});

test.each([
  "O'Brien's",
  "x' or displayName ne 'x",
  "x') or startswith(displayName,'",
  '../users',
  '/groups/$batch?$top=1#',
  'a%27 or 1 eq 1',
  '𝗺𝗰𝗽-𝘁𝗲𝘀𝘁-𝘂𝘀𝗲𝗿𝘀',
  'mcp-test-users\u200b',
  '  &$select=id',
])('the name %j is taken literally: nothing is found, then exactly the group that has it', async (name) => {
  const { groups } = world.directory;
  expect(await groups.find(name)).toBeUndefined();
  expect((await groups.list({ search: name, limit: 100 })).items).toEqual([]);
  const made = await groups.create?.({ name, description: '' });
  expect(made).toMatchObject({ name, description: null });
  expect(await groups.find(name)).toEqual(made);
  expect((await groups.list({ search: name, limit: 100 })).items).toEqual([made]);
});

test('names that nothing can have are not asked for', async () => {
  const before = world.sent.length;
  for (const name of ['', 'x'.repeat(10_240), 'a\u0000b'])
    expect(await world.directory.groups.find(name)).toBeUndefined();
  expect(world.sent.length).toBe(before);
  await expect(
    world.directory.groups.create?.({ name: 'x'.repeat(10_240), description: '' }),
  ).rejects.toMatchObject({ code: 'invalid_input' });
});

test('a page is asked for by what a page gave, and by nothing else', async () => {
  const { groups } = world.directory;
  const foreign = Buffer.from('?$expand=members').toString('base64url');
  for (const from of ['nonsense', foreign])
    await expect(groups.list({ limit: 5, from })).rejects.toMatchObject({ code: 'invalid_input' });
});

test('a group is made once however often the request has to be sent, changed and removed', async () => {
  const { groups } = world.directory;
  emulator.faults.add({ kind: 'throttle', path: 'uniqueName', retryAfterSeconds: 7, times: 2 });
  const made = await groups.create?.({ name: 'Fresh Group', description: 'new' });
  expect(world.waits).toEqual([7000, 7000]);
  const id = made?.id ?? '';
  await groups.update?.(id, { description: 'changed' });
  expect(await groups.find('Fresh Group')).toMatchObject({ id, description: 'changed' });
  await expect(groups.create?.({ name: 'fresh group', description: '' })).rejects.toMatchObject({
    code: 'conflict',
  });
  await groups.remove?.(id);
  expect(await groups.find(id)).toBeUndefined();
  await expect(groups.remove?.(id)).rejects.toMatchObject({ code: 'not_found' });
});

test('without the permission it says which one is missing', async () => {
  const reader = emulatedDirectory(emulator, { graph: shippedTenant.agents.user }).directory;
  await expect(reader.groups.list({ limit: 5 })).rejects.toMatchObject({
    code: 'directory_denied',
    message: expect.stringContaining('GroupMember.Read.All'),
  });
  expect(await reader.capabilities()).toMatchObject({ readGroups: false, writeGroups: false });
});

test('somebody is added and removed once; what only looks like it is told apart', async () => {
  const { memberships } = world.directory;
  const [user, group] = [accounts.noGroup.objectId, shipped.users];
  expect(await memberships.add?.(group, user)).toBe(true);
  expect(await memberships.add?.(group, user)).toBe(false);
  expect((await memberships.ofUsers([user]))[0]?.map(({ name }) => name)).toEqual(['mcp-test-users']);
  expect(await memberships.remove?.(group, user)).toBe(true);
  expect(await memberships.remove?.(group, user)).toBe(false);
  await expect(memberships.add?.('00000000-0000-4000-8000-00000000dead', user)).rejects.toMatchObject({
    code: 'not_found',
  });
  const computed = await make('computed', { groupTypes: ['DynamicMembership'] });
  await expect(memberships.add?.(computed, user)).rejects.toMatchObject({ code: 'directory_refused' });
});

test('the groups of many come in a few round trips, in the order asked', async () => {
  const { memberships } = world.directory;
  const ids = Array.from({ length: 45 }, (_, index) =>
    index % 2 ? accounts.admin.objectId : accounts.noGroup.objectId,
  );
  ids[7] = '00000000-0000-4000-8000-00000000dead';
  const found = await memberships.ofUsers(ids);
  expect(found.map((groups) => groups?.length)).toEqual(
    ids.map((_, index) => (index === 7 ? undefined : index % 2 ? 1 : 0)),
  );
  expect(world.sent.filter(({ url }) => url.includes('$batch'))).toHaveLength(3);
  expect((await memberships.ofUsers([accounts.manyGroups.objectId]))[0]).toHaveLength(205);
});

test('people of a group are those with an enabled account, through other groups too, and never applications', async () => {
  const { memberships } = world.directory;
  const users = await memberships.people(shipped.users, 100);
  expect(new Set(users)).toEqual(
    new Set([accounts.user, accounts.nested, accounts.manyGroups, accounts.guest].map((one) => one.objectId)),
  );
  expect(await memberships.people(shipped.users, 2)).toHaveLength(2);
  expect(await memberships.people(shipped.admin, 100)).toEqual([accounts.admin.objectId]);
});
