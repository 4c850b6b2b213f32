import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { startEmulator } from '../../../entra-emulator/main.ts';
import { adminGraph } from '../../../entra-emulator/testing/graph.ts';
import { emulatedDirectory } from '../../iam/entra/directory/emulated.test-support.ts';
import { startTrial, type Trial } from '../scopes/scopes.test-support.ts';
import { hostile, outcome, refusals } from '../users/hostile.test-support.ts';

const emulator = await startEmulator();
afterAll(() => emulator.close());
let trial: Trial;
beforeEach(async () => {
  emulator.reset();
  trial = await startTrial({ directory: emulatedDirectory(emulator).directory });
});
afterEach(() => trial.close());

/** The groups of the tenant by id, with all that is known of them. */
async function groups(): Promise<Map<string, { id: string }>> {
  const graph = await adminGraph(emulator);
  const { body: list } = await graph('GET', '/groups?$top=999');
  return new Map(list.value.map((one: { id: string }) => [one.id, one] as const));
}

test.each(hostile)('as the name of a new group, %s is refused or taken literally', async (_, text) => {
  const before = await groups();
  const body = { name: text, scope_config: { create_in_idp: true, group_mappings: [] } };
  const made = await outcome(trial.call('groups.create', { body }));
  const added = [...(await groups()).values()].filter(({ id }) => !before.has(id));
  if (refusals.includes(String(made))) {
    expect(added).toEqual([]);
    return;
  }
  expect(added).toMatchObject([{ displayName: text }]);
  expect(made).toMatchObject({ name: text, is_idp_managed: true });
  const params = { name: text };
  expect(await trial.call('groups.get', { params })).toMatchObject({ name: text });
  expect(await trial.call('groups.remove', { params })).toMatchObject({ name: text, idp_deleted: true });
  expect(await groups()).toEqual(before);
});

test.each(hostile)('as the name of a group that is to change or go, %s is of none', async (_, text) => {
  const before = [await groups(), await trial.call('scopes.list', {})];
  const params = { name: text };
  const calls = [
    trial.call('groups.get', { params }),
    trial.call('groups.patch', { params, body: { description: 'x' } }),
    trial.call('groups.remove', { params }),
    trial.call('scopes.get', { params }),
    trial.call('scopes.delete', { body: { group_name: text, delete_from_idp: true, force: true } }),
  ];
  for (const one of await Promise.all(calls.map(outcome))) expect(refusals).toContain(one);
  expect([await groups(), await trial.call('scopes.list', {})]).toEqual(before);
});

test.each(hostile)('as a description, %s is taken literally, here and in the directory', async (_, text) => {
  const body = { name: 'plain', description: text, scope_config: { create_in_idp: true } };
  const made = await outcome(trial.call('groups.create', { body }));
  if (made === 'invalid_input') return;
  const { id } = made as { id: string };
  expect(made).toMatchObject({ description: text });
  expect((await groups()).get(id)).toMatchObject({ displayName: 'plain', description: text });
});

test.each(hostile)(
  'as a server, method, tool, agent or mapping of a scope, %s is refused or taken literally',
  async (_, text) => {
    const server_access = [
      { server: text, methods: ['tools/call'], tools: [text] },
      { server: 'currenttime', methods: [text], tools: [text] },
    ];
    const body = { scope_name: 'plain', server_access, group_mappings: [text] };
    const made = await outcome(trial.call('scopes.import', { body }));
    if (!refusals.includes(String(made))) {
      const shown = await trial.call('scopes.get', { params: { name: 'plain' } });
      expect(JSON.stringify(shown)).toContain(JSON.stringify(text).slice(1, -1));
      expect(shown.group_mappings).toEqual([text]);
    }
    for (const group of ['plain', 'x', 'alice', 'nobody']) {
      const asked = { groups: [group], server: 'currenttime', method: 'tools/call', tool: 'get_time' };
      expect(await trial.call('access.explain', { body: asked })).toMatchObject({ allow: false });
    }
    const own = { groups: [text], server: 'currenttime', method: 'tools/call', tool: 'get_time' };
    const decided = await outcome(trial.call('access.explain', { body: own }));
    if (!refusals.includes(String(decided))) expect(decided).toMatchObject({ allow: false });
  },
);
