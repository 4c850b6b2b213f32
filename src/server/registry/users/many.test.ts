import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Emulator, shippedSeed, shippedTenant, startEmulator } from '../../../entra-emulator/main.ts';
import { emulatedDirectory } from '../../iam/entra/directory/emulated.test-support.ts';
import { type AccountsTrial, startAccountsTrial } from './accounts.test-support.ts';

const people = Array.from(
  { length: 5000 },
  (_, at) => `acc00001-0000-4000-8000-${String(at).padStart(12, '0')}`,
);
let emulator: Emulator;
let trial: AccountsTrial | undefined;

beforeAll(async () => {
  const seed = shippedSeed();
  const [tenant] = seed.tenants;
  tenant?.users?.push(
    ...people.map((id, at) => ({
      ...{ id, userPrincipalName: `person${at}@contoso.example`, displayName: `Person ${at}` },
      ...{ password: 'x', accountEnabled: true },
    })),
  );
  tenant?.groups?.push(
    ...Array.from({ length: 500 }, (_, at) => ({
      displayName: `team-${at}`,
      // Everybody is in one of them.
      members: people.filter((_, person) => person % 500 === at),
    })),
  );
  emulator = await startEmulator({ seed });
});
afterAll(() => emulator.close());
afterEach(async () => {
  emulator.faults.clear();
  await trial?.close();
});

async function everybody(of: AccountsTrial): Promise<Map<string, readonly string[] | null>> {
  const found = new Map<string, readonly string[] | null>();
  let from: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof list>> = await list(of, from);
    expect(page.users.length).toBeLessThanOrEqual(500);
    expect(page.total).toBe(5000 + Object.keys(shippedTenant.accounts).length);
    for (const { id, groups } of page.users) found.set(id, groups);
    from = page.next;
  } while (from !== null);
  return found;
}

function list(of: AccountsTrial, from: string | null) {
  return of.call('users.list', { query: from === null ? {} : { from } });
}

test('5,000 people come page by page, each with their groups, in few round trips', async () => {
  const { directory, sent } = emulatedDirectory(emulator);
  trial = await startAccountsTrial(emulator, directory);
  const found = await everybody(trial);
  expect(found.size).toBe(5000 + Object.keys(shippedTenant.accounts).length);
  for (const [at, id] of people.entries()) expect(found.get(id)).toEqual([`team-${at % 500}`]);
  // 11 pages, their groups twenty people to a round trip, applications once, and a token.
  expect(sent.length).toBeLessThan(11 + 5020 / 20 + 20);
});

test('while Graph throttles the list slows down and is complete in the end', async () => {
  const { directory, waits } = emulatedDirectory(emulator);
  trial = await startAccountsTrial(emulator, directory);
  emulator.faults.add({ kind: 'throttle', retryAfterSeconds: 5, path: '/users', times: 3 });
  emulator.faults.add({ kind: 'throttle', retryAfterSeconds: 7, path: '/$batch', times: 3 });
  const found = await everybody(trial);
  expect(found.size).toBe(5000 + Object.keys(shippedTenant.accounts).length);
  expect([...found.values()].filter((groups) => groups === null)).toEqual([]);
  expect(waits.filter((wait) => wait >= 5000).length).toBeGreaterThanOrEqual(4);
});
