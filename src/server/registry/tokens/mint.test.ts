import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Emulator, shippedTenant, startEmulator } from '../../../entra-emulator/main.ts';
import type { Access, Caller } from '../../access/caller.ts';
import { compile } from '../../access/grants.ts';
import { type IdentityWorld, identityWorld } from '../../identity/identity.test-support.ts';
import type { Identity } from '../../identity/identity.ts';
import { tokenHandlers } from './handlers.ts';

let emulator: Emulator;
let world: IdentityWorld;
beforeAll(async () => {
  emulator = await startEmulator();
  world = await identityWorld(emulator);
});
afterAll(async () => {
  await world.database.close();
  await emulator.close();
});

test('requests at once mint no more tokens than an hour allows', async () => {
  const identity = (await world.sessions.resume(await world.open(shippedTenant.accounts.user)))!;
  const access = { isAdmin: false, scopes: ['all'] } as unknown as Access;
  const caller = { identity, access, correlationId: 'c', note() {} } as Caller<Identity>;
  const { database, personal, now } = world;
  const handlers = tokenHandlers({ db: database.db, grants: () => compile(new Map()), personal, now });
  const input = { params: undefined, query: undefined, body: {} } as never;
  const asked = await Promise.allSettled(
    Array.from({ length: 30 }, async () => handlers['tokens.generate'](input, caller)),
  );
  expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(personal.settings.perHour);
  const refused = asked.find((one) => one.status === 'rejected');
  expect(refused?.reason).toMatchObject({ code: 'too_many_requests', retryAfter: 600 });
});
