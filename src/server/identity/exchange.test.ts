import { decodeJwt } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Emulator, shippedTenant, startEmulator } from '../../entra-emulator/main.ts';
import { createOidcClients } from '../provider/oidc.ts';
import { createExchange } from './exchange.ts';
import { entraConfig, type IdentityWorld, identityWorld } from './identity.test-support.ts';
import { deriveKey } from './keys.ts';
import { findPerson } from './people.ts';
import { entra } from './providers/entra.ts';

const { accounts } = shippedTenant;
const graph = ['https://graph.microsoft.com/User.Read'];
let emulator: Emulator;
let world: IdentityWorld;
let exchange: ReturnType<typeof createExchange>;

beforeEach(async () => {
  emulator = await startEmulator({ port: 0 });
  world = await identityWorld(emulator);
  exchange = createExchange({
    db: world.database.db,
    clients: createOidcClients(fetch, emulator.clock.now),
    providers: [entra(entraConfig(emulator))],
    key: deriveKey('a'.repeat(40), 'refresh-token'),
  });
});

afterEach(async () => {
  await world.database.close();
  await emulator.close();
});

test('the sign-in of each person is exchanged on their behalf for a token of the service, for them and nobody else', async () => {
  await world.open(accounts.admin);
  await world.open(accounts.user);
  const owners = [accounts.admin, accounts.user].map(({ objectId }) => ({
    provider: 'entra',
    subject: objectId,
  }));
  const before = await findPerson(world.database.db, 'entra', accounts.admin.objectId);
  const given = await Promise.all(
    [...owners, ...owners].map((owner) => exchange(owner, { scopes: graph, audience: {} })),
  );
  expect(given.map(({ access }) => decodeJwt(access).oid)).toEqual([
    ...owners.map(({ subject }) => subject),
    ...owners.map(({ subject }) => subject),
  ]);
  expect(decodeJwt(given[0]?.access ?? '')).toMatchObject({
    aud: 'https://graph.microsoft.com',
    appid: emulator.clientId,
  });
  // The refresh token rotated; the next one is stored, and nothing else of the person changed.
  const after = await findPerson(world.database.db, 'entra', accounts.admin.objectId);
  expect(after?.refreshSealed).not.toBe(before?.refreshSealed);
  expect({ ...after, refreshSealed: '' }).toEqual({ ...before, refreshSealed: '' });
});

test('who has not signed in, or whose sign-in is over, is asked to sign in again; an unknown service is refused', async () => {
  const owner = { provider: 'entra', subject: accounts.user.objectId };
  const asked = { scopes: graph, audience: {} };
  await expect(exchange(owner, asked)).rejects.toMatchObject({ code: 'connection_needed' });
  await expect(exchange({ ...owner, provider: 'other' }, asked)).rejects.toMatchObject({
    code: 'connection_needed',
  });
  await world.open(accounts.user);
  await expect(exchange(owner, { ...asked, scopes: ['api://nothing-there/.default'] })).rejects.toMatchObject(
    {
      code: expect.stringMatching(/^connection_(?:needed|refused)$/),
    },
  );
  emulator.clock.advance(91 * 86_400_000);
  await expect(exchange(owner, asked)).rejects.toMatchObject({ code: 'connection_needed' });
});
