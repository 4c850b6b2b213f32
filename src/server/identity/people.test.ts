import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OpenDatabase, openMemory } from '../db/open.ts';
import type { Person } from '../provider/provider.ts';
import { findPerson, readGroupsAnew, refusePerson, rememberPerson, renewPerson } from './people.ts';

const alice: Person = {
  ...{ subject: 'alice', tenant: 'realm', username: 'alice', name: null, email: null, groups: ['users'] },
  ...{ groupsComplete: true, logoutHint: null, sid: null },
};
const at = (second: number): string => new Date(Date.UTC(2026, 10, 1, 12, 0, second)).toISOString();
let database: OpenDatabase;
beforeEach(async () => {
  database = await openMemory();
});
afterEach(() => database.close());
const find = async () => (await findPerson(database.db, 'p', 'alice'))!;

test.each([null, 'sealed'])(
  'a refusal from before a new sign-in does not count (refresh token %s)',
  async (token) => {
    const { db } = database;
    await rememberPerson(db, 'p', alice, at(0), token);
    const before = await find();
    await rememberPerson(db, 'p', { ...alice, groups: ['admins'] }, at(1), token);
    expect(await refusePerson(db, before, 'gone', at(2))).toBe(false);
    expect(await renewPerson(db, before, { groups: ['stale'] }, at(2), token)).toBe(false);
    expect(await find()).toMatchObject({ refusedBecause: null, known: { groups: ['admins'] } });
  },
);

test('a person who is refused stays refused without a refresh token, whatever an earlier reading found', async () => {
  const { db } = database;
  await rememberPerson(db, 'p', alice, at(0));
  const before = await find();
  expect(await refusePerson(db, before, 'gone', at(1))).toBe(true);
  await renewPerson(db, before, { groups: ['admins'] }, at(2), null);
  expect(await find()).toMatchObject({ refusedBecause: 'gone' });
  await rememberPerson(db, 'p', alice, at(3));
  expect(await find()).toMatchObject({ refusedBecause: null });
});

test('groups that were read while the gateway changed them are not stored', async () => {
  const { db } = database;
  await rememberPerson(db, 'p', alice, at(0));
  const before = await find();
  await readGroupsAnew(db, 'p', 'alice');
  expect(await renewPerson(db, before, { groups: ['admins'] }, at(1), null)).toBe(false);
  expect((await find()).groupsReadAt).toBe(0);
});
