import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, type KyselyPlugin } from 'kysely';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type OpenDatabase, openDatabase } from '../db/open.ts';
import { fileIn, openFile } from '../db/sqlite/file.ts';
import { nodeSqliteDialect } from '../db/sqlite/node-sqlite.ts';
import type { Db, Tables } from '../db/tables.ts';
import { type Feed, type FeedWorld, startFeed } from './feed.ts';
import { recordChange } from './record.ts';

let directory: string;
let database: OpenDatabase;
let time: number;
let logged: string[];
const ends: (() => unknown)[] = [];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gateway-feed-'));
  database = await openDatabase(directory);
  [time, logged] = [Date.UTC(2026, 0, 1), []];
  ends.push(
    () => rmSync(directory, { recursive: true, force: true }),
    () => database.close(),
  );
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function start(more: Partial<FeedWorld> = {}): Promise<Feed> {
  const log = {
    error: (_: object, text: string) => void logged.push(text),
    info: (_: object, text: string) => void logged.push(text),
  };
  const feed = await startFeed({ db: database.db, log, now: () => time, pollMs: 0, ...more });
  ends.push(() => feed.close());
  return feed;
}

/** The same database as another process has it: a connection of its own. */
function another(): Db {
  const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(openFile(fileIn(directory))) });
  ends.push(() => db.destroy());
  return db;
}

function heardBy(feed: Feed): string[] {
  const heard: string[] = [];
  feed.follow(['server', 'scope'], ({ kind, key }) => void heard.push(`${kind} ${key}`));
  return heard;
}

test('a commit is delivered at once, a rollback never', async () => {
  const feed = await start({ hint: database.hint });
  const heard = new Promise<string | null>((resolve) => feed.follow(['server'], ({ key }) => resolve(key)));
  const failing = database.db.transaction().execute(async (trx) => {
    await recordChange(trx, 'server', '/never');
    throw new Error('rolled back');
  });
  await expect(failing).rejects.toThrow('rolled back');
  await database.db.transaction().execute((trx) => recordChange(trx, 'server', '/a'));
  expect(await heard).toBe('/a');
});

test('a follower in another process sees the same changes, each once', async () => {
  const [here, there] = [await start(), await start({ db: another() })];
  const [one, other] = [heardBy(here), heardBy(there)];
  await recordChange(database.db, 'server', '/a');
  await recordChange(database.db, 'scope', 'x', 'x', 'y');
  await recordChange(database.db, 'token', 'not followed');
  await Promise.all([here.caughtUp(), there.caughtUp()]);
  await Promise.all([here.caughtUp(), there.caughtUp()]);
  expect(one).toEqual(['server /a', 'scope x', 'scope y']);
  expect(other).toEqual(one);
});

test('what was committed before the start is not delivered', async () => {
  await recordChange(database.db, 'server', '/old');
  const feed = await start();
  const heard = heardBy(feed);
  await recordChange(database.db, 'server', '/new');
  await feed.caughtUp();
  expect(heard).toEqual(['server /new']);
});

test('a number that becomes visible after a higher one is delivered then, for two minutes', async () => {
  const feed = await start();
  const heard = heardBy(feed);
  const insert = (seq: number) =>
    database.db
      .insertInto('changes')
      .values({ seq, kind: 'server', key: `/${seq}`, at: new Date(time).toISOString() })
      .execute();
  await insert(1);
  await insert(4);
  await feed.caughtUp();
  await insert(3);
  await feed.caughtUp();
  expect(heard).toEqual(['server /1', 'server /4', 'server /3']);
  for (let polls = 0; polls < 3; polls += 1) {
    time += 61_000;
    await feed.caughtUp();
  }
  await insert(2);
  await feed.caughtUp();
  expect(heard).not.toContain('server /2');
});

test('a number missing at the start is waited for too', async () => {
  const insert = (seq: number) =>
    database.db
      .insertInto('changes')
      .values({ seq, kind: 'server', key: `/${seq}`, at: '2026' })
      .execute();
  await insert(5);
  await insert(7);
  const feed = await start();
  const heard = heardBy(feed);
  await insert(6);
  await feed.caughtUp();
  expect(heard).toEqual(['server /6']);
});

test('who fell behind what is kept, or sees the numbers go back, rebuilds', async () => {
  await recordChange(database.db, 'server', '/a');
  const feed = await start();
  const heard = heardBy(feed);
  await recordChange(database.db, 'server', '/b', '/c');
  await database.db.deleteFrom('changes').where('seq', '<', 3).execute();
  await feed.caughtUp();
  expect(heard).toEqual(['server null', 'scope null']);
  await recordChange(database.db, 'server', '/d');
  await feed.caughtUp();
  expect(heard.slice(2)).toEqual(['server /d']);
  await database.db.deleteFrom('changes').where('seq', '>=', 3).execute();
  await feed.caughtUp();
  expect(heard.slice(3)).toEqual(['server null', 'scope null']);
});

test('after a day changes go, but for the newest', async () => {
  const feed = await start();
  await recordChange(database.db, 'server', '/a', '/b');
  const at = '2025-12-01T00:00:00.000Z';
  await database.db.updateTable('changes').set({ at }).execute();
  time += 3_600_001;
  await feed.caughtUp();
  expect(await database.db.selectFrom('changes').select('key').execute()).toEqual([{ key: '/b' }]);
});

test('listeners take turns in their order; one that fails hinders no other and is told to rebuild', async () => {
  const feed = await start();
  const heard: string[] = [];
  let fails = true;
  feed.follow(['server'], async ({ key }) => {
    await new Promise(setImmediate);
    heard.push(`first ${key}`);
  });
  feed.follow(['server'], ({ key }) => {
    if (fails) throw new Error('it fails');
    heard.push(`second ${key}`);
  });
  const leave = feed.follow(['server'], ({ key }) => void heard.push(`third ${key}`));
  await recordChange(database.db, 'server', '/a');
  await feed.caughtUp();
  expect(heard).toEqual(['first /a', 'third /a']);
  expect(logged).not.toEqual([]);
  fails = false;
  leave();
  await feed.caughtUp();
  expect(heard.slice(2)).toEqual(['second null']);
});

test('a process that was stopped for minutes rebuilds, because it may have missed what was waited for', async () => {
  const feed = await start();
  const heard = heardBy(feed);
  time += 121_000;
  await feed.caughtUp();
  expect(heard).toEqual(['server null', 'scope null']);
});

test('an outage of the database is told once, and healed by a rebuild', async () => {
  const db = another();
  let broken = false;
  const feed = await start({
    db: new Proxy(db, {
      get(target, name) {
        if (broken && name === 'selectFrom') throw new Error('away');
        const value = Reflect.get(target, name) as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    }),
  });
  const heard = heardBy(feed);
  broken = true;
  await feed.caughtUp();
  time += 5000;
  await feed.caughtUp();
  expect(feed.behindSince()).toBe(time - 5000);
  expect(logged).toHaveLength(1);
  broken = false;
  await feed.caughtUp();
  expect(feed.behindSince()).toBeNull();
  expect(heard).toEqual(['server null', 'scope null']);
});

test('a database that does not respond counts as away, and nobody waits for it any longer', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  ends.push(() => vi.useRealTimers());
  const held: (() => void)[] = [];
  let hangs = false;
  const slow: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      if (hangs) await new Promise<void>((resolve) => held.push(resolve));
      return result;
    },
  };
  const feed = await start({ db: another().withPlugin(slow), pollMs: 1000 });
  await feed.caughtUp();
  hangs = true;
  await vi.advanceTimersByTimeAsync(1000);
  await vi.waitUntil(() => held.length > 0);
  expect(feed.behindSince()).toBeNull();
  await vi.advanceTimersByTimeAsync(2900);
  const waited = feed.current();
  expect(waited).toBeInstanceOf(Promise);
  await vi.advanceTimersByTimeAsync(2000);
  await waited;
  expect(feed.behindSince()).toBe(time);
  expect(feed.current()).toBeUndefined();
  expect(logged).toHaveLength(1);
  hangs = false;
  for (const goOn of held) goOn();
  await feed.caughtUp();
  expect(feed.behindSince()).toBeNull();
  expect(feed.current()).toBeUndefined();
});

test('when another server has taken over, everything is rebuilt, whatever its numbers are', async () => {
  let timeline = '00000001';
  const feed = await start({ history: async () => timeline });
  const heard = heardBy(feed);
  await recordChange(database.db, 'server', '/a');
  await feed.caughtUp();
  // A copy that lacks the last change, and has gone on: its numbers are as high.
  await database.db.deleteFrom('changes').execute();
  await recordChange(database.db, 'scope', 'x');
  timeline = '00000002';
  await feed.caughtUp();
  expect(heard).toEqual(['server /a', 'server null', 'scope null']);
  await feed.caughtUp();
  await recordChange(database.db, 'scope', 'y');
  await feed.caughtUp();
  expect(heard.slice(3)).toEqual(['scope y']);
  expect(logged).toContain('another server has taken over the database; everything in memory is rebuilt');
});
