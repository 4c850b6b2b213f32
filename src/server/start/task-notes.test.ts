import { afterEach, beforeEach, expect, test } from 'vitest';
import { followed } from '../changes/feed.test-support.ts';
import type { Feed } from '../changes/feed.ts';
import { type OpenDatabase, openMemory } from '../db/open.ts';
import { createTaskNotes } from './task-notes.ts';

let database: OpenDatabase;
let feed: Feed;
beforeEach(async () => {
  database = await openMemory();
  feed = await followed(database);
});
afterEach(async () => {
  await feed.close();
  await database.close();
});

const notes = (now = () => 0) =>
  createTaskNotes({ db: database.db, feed, now, log: { warn: (facts) => void console.error(facts) } });
const count = async () => (await database.db.selectFrom('changes').selectAll().execute()).length;

test('each process knows the tasks of the others, and after a start those of before', async () => {
  // What is told while the past is read may come twice.
  const known = (): [Set<string>, () => void] => {
    const tasks = new Set<string>();
    return [tasks, notes().follow((task) => tasks.add(task))];
  };
  const [[here, stopHere], [there, stopThere]] = [known(), known()];
  notes().note('one');
  await expect.poll(() => [[...here], [...there]], { timeout: 60_000 }).toEqual([['one'], ['one']]);
  notes().note('two');
  await expect.poll(() => [...there], { timeout: 60_000 }).toEqual(['one', 'two']);
  const [later, stopLater] = known();
  await expect.poll(() => [...later], { timeout: 60_000 }).toEqual(['one', 'two']);
  for (const stop of [stopHere, stopThere, stopLater]) stop();
});

test('all of many are read at a start, the newest last', async () => {
  const at = new Date(0).toISOString();
  const rows = Array.from({ length: 1_250 }, (_, number) => ({ kind: 'task', key: `${number}`, at }));
  for (const part of [rows.slice(0, 500), rows.slice(500, 1_000), rows.slice(1_000)])
    await database.db.insertInto('changes').values(part).execute();
  await feed.caughtUp();
  const seen: string[] = [];
  const stop = notes().follow((task) => seen.push(task));
  await expect.poll(() => seen.length, { timeout: 60_000 }).toBe(1_250);
  expect([seen[0], seen.at(-1)]).toEqual(['0', '1249']);
  stop();
});

test('a server that makes up tasks fills no table', async () => {
  let minute = 1;
  const one = notes(() => minute * 60_000);
  for (let number = 0; number < 1_300; number += 1) one.note(`${number}`);
  await expect.poll(count, { timeout: 60_000 }).toBe(1_200);
  minute += 1;
  one.note('another');
  await expect.poll(count, { timeout: 60_000 }).toBe(1_201);
});
