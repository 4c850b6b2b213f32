import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { startEmulator } from '../../../entra-emulator/main.ts';
import { adminGraph } from '../../../entra-emulator/testing/graph.ts';
import { emulatedDirectory } from '../../iam/entra/directory/emulated.test-support.ts';
import { type AccountsTrial, startAccountsTrial } from './accounts.test-support.ts';

const emulator = await startEmulator();
afterAll(() => emulator.close());
let trial: AccountsTrial;
beforeEach(() => emulator.reset());
afterEach(() => trial.close());

const names = Array.from({ length: 20 }, (_, at) => `storm-${at}`);
const person = (username: string) => ({
  ...{ username, email: `${username}@contoso.example`, first_name: 'S', last_name: 'T' },
  groups: ['mcp-test-users', 'mcp-test-developers'],
});

async function start() {
  const { directory, sent, waits } = emulatedDirectory(emulator);
  trial = await startAccountsTrial(emulator, directory);
  return { sent, waits };
}

const made = async (): Promise<string[]> => {
  const graph = await adminGraph(emulator);
  const { body: list } = await graph('GET', "/users?$filter=startswith(userPrincipalName,'storm-')&$top=999");
  return list.value.map(({ id }: { id: string }) => id);
};

test('in a storm of refusals twenty people get their accounts and groups, each once, after the waits asked for', async () => {
  const { waits } = await start();
  for (const name of names) {
    // As often as one request may meet it in all.
    for (const [path, times] of [
      ['/groups', 1],
      ['/members', 2],
      ['/users', 3],
    ] as const)
      emulator.faults.add({ kind: 'throttle', retryAfterSeconds: 7, path, times });
    const one = await trial.call('users.createHuman', { body: person(name) });
    expect(one).toMatchObject({ groups_failed: [], groups_assigned: person('').groups });
  }
  expect(emulator.faults.list()).toEqual([]);
  expect(await made()).toHaveLength(20);
  expect(waits).toEqual(new Array(20 * 6).fill(7000));
});

test('a directory that never stops refusing is given up after a bounded number of requests, and nothing is made', async () => {
  const { sent } = await start();
  emulator.faults.add({ kind: 'throttle', retryAfterSeconds: 7, path: '/users' });
  for (const name of names) {
    const failure = await trial.refused('users.createHuman', { body: person(name) });
    expect(failure).toMatchObject({ code: 'directory_unavailable' });
    expect(failure.message).toContain('slow down');
  }
  // Four attempts of the first request about each name, and what does not go to /users.
  expect(sent.filter(({ url }) => url.includes('/users')).length).toBeLessThanOrEqual(20 * 4);
  emulator.faults.clear();
  expect(await made()).toEqual([]);
});

test('groups that cannot be changed for the storm are told one by one, and the account stays in the others', async () => {
  await start();
  const username = 'bob@contoso.example';
  emulator.faults.add({ kind: 'throttle', retryAfterSeconds: 7, path: '/members', times: 4 });
  const groups = ['mcp-test-users', 'mcp-test-developers', 'mcp-test-operators'];
  const answer = await trial.call('users.groups', { params: { username }, body: { groups } });
  expect(answer.added).toHaveLength(1);
  expect(answer.groups_failed).toHaveLength(1);
  expect(answer.groups_failed[0]?.reason).toContain('slow down');
  expect(answer.groups).toEqual(['mcp-test-users', ...answer.added]);
});
