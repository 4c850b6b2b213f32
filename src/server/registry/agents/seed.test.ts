import { afterEach, beforeEach, expect, test } from 'vitest';
import { flightBooking } from '../../../samples/flight-booking.ts';
import { type OpenDatabase, openMemory } from '../../db/open.ts';
import { ensureAgent } from '../seed.ts';
import { change, find } from './store.ts';

let database: OpenDatabase;
beforeEach(async () => {
  database = await openMemory();
});
afterEach(() => database.close());

test('the sample agent is registered once and keeps what people have changed since', async () => {
  const world = { db: database.db, now: () => 0, newId: () => 'id' };
  await ensureAgent(world, flightBooking, 'evaluation');
  const made = await find(database.db, '/flight-booking');
  expect(made).toMatchObject({
    isEnabled: true,
    registeredBy: 'evaluation',
    notes: { tags: ['sample', 'travel'] },
  });
  expect(JSON.parse(made!.card)).toEqual(flightBooking.card);
  await change(database.db, made!, { isEnabled: false, at: '2026-01-01T00:00:00.000Z' });
  await ensureAgent(world, flightBooking, 'evaluation');
  expect(await find(database.db, '/flight-booking')).toMatchObject({ isEnabled: false, revision: 2 });
});
