import { afterEach, beforeEach, expect, test } from 'vitest';
import { serverInput } from '../../../../contract/servers/servers.ts';
import { followed } from '../../../changes/feed.test-support.ts';
import type { Feed } from '../../../changes/feed.ts';
import { type OpenDatabase, openMemory } from '../../../db/open.ts';
import { type Routes, startRoutes } from '../routes.ts';
import { insert, remove, setEnabled } from '../store.ts';
import type { CheckServer, Finding } from './check.ts';
import { createLookAfter } from './look-after.ts';
import { createHealthWatch, type HealthWatch } from './watch-health.ts';

const well: Finding = {
  status: 'healthy',
  detail: null,
  serverVersion: null,
  protocolVersion: null,
  tools: null,
};
const ill: Finding = { ...well, status: 'unhealthy', reason: 'unreachable', detail: 'Gone.' };
const minute = 60_000;

let database: OpenDatabase;
let routes: Routes;
let feed: Feed;
let watch: HealthWatch;
let time: number;
let asked: string[];
let findings: Record<string, Finding>;
let [open, most] = [0, 0];
let logged: object[];
let onCheck: (() => void) | undefined;

beforeEach(async () => {
  database = await openMemory();
  const credentialsOf = () => ({
    headers: [],
    names: new Set<string>(),
    forwardAuthorization: false,
    passes: new Set<string>(),
  });
  feed = await followed(database);
  routes = await startRoutes({ db: database.db, feed, credentialsOf });
  [time, asked, findings, open, most, logged] = [Date.UTC(2026, 0, 1), [], {}, 0, 0, []];
  const check: CheckServer = async ({ mcp }) => {
    const name = mcp?.hostname ?? '';
    asked.push(name);
    onCheck?.();
    most = Math.max(most, ++open);
    await Promise.resolve();
    open -= 1;
    return findings[name] ?? well;
  };
  const { db } = database;
  const now = () => time;
  const lookAfter = createLookAfter({ db, check, credentialsOf, now });
  const log = {
    info: (facts: object) => void logged.push(facts),
    error: (facts: object) => void logged.push(facts),
  };
  watch = createHealthWatch({
    ...{ db, routes, lookAfter, log, now, atOnce: 3 },
    intervalMs: 16 * minute,
    random: () => 0.5,
  });
});
afterEach(async () => {
  await watch.close();
  await feed.close();
  await database.close();
});

async function add(name: string): Promise<void> {
  const definition = serverInput.parse({
    server_name: name,
    path: `/${name}`,
    proxy_pass_url: `http://${name}`,
  });
  const at = new Date(time).toISOString();
  const row = { id: name, definition, isEnabled: true, registeredBy: 'bob', registeredAt: at };
  await insert(database.db, row);
  await feed.caughtUp();
}

async function after(minutes: number): Promise<string[]> {
  time += minutes * minute;
  asked.length = 0;
  await watch.tick();
  return [...asked];
}

test('a server that is well is checked once an interval, a few servers at a time', async () => {
  for (const name of ['a', 'b', 'c', 'd', 'e']) await add(name);
  expect((await after(0)).sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(most).toBeLessThanOrEqual(3);
  expect(await after(15)).toEqual([]);
  expect(await after(1)).toHaveLength(5);
});

test('one that fails is looked at again soon, then less and less often, and as usual when it is well', async () => {
  await add('a');
  findings.a = ill;
  expect(await after(0)).toEqual(['a']);
  expect(logged).toMatchObject([{ server: 'a', from: 'unknown', to: 'unhealthy' }]);
  const waits: number[] = [];
  for (let waited = 1; waits.length < 6; waited++)
    if ((await after(1)).length > 0) {
      waits.push(waited);
      waited = 0;
    }
  expect(waits).toEqual([1, 2, 4, 8, 16, 16]);
  findings.a = well;
  await after(16);
  expect(logged.at(-1)).toMatchObject({ from: 'unhealthy', to: 'healthy' });
  expect(await after(15)).toEqual([]);
});

test('what is switched off, removed or was checked just now is left alone', async () => {
  for (const name of ['off', 'gone', 'fresh']) await add(name);
  await setEnabled(database.db, '/off', { enabled: false, at: '' });
  await remove(database.db, '/gone', 1);
  await feed.caughtUp();
  await database.db
    .updateTable('servers')
    .set({ health: JSON.stringify({ ...well, checkedAt: new Date(time - 1000).toISOString() }) })
    .where('id', '=', 'fresh')
    .execute();
  expect(await after(0)).toEqual([]);
  expect(await after(16)).toEqual(['fresh']);
});

const second = minute / 60;
const named = (name: string): Finding => ({ ...well, tools: [{ name }] });

async function toldAfter(seconds: number, name = 'a'): Promise<number> {
  time += seconds * second;
  asked.length = 0;
  watch.soon(name);
  await watch.tick();
  return asked.length;
}

test('a server that says that its tools changed is looked at at once, but once in 5 s', async () => {
  await add('a');
  watch.start(2 ** 30);
  await watch.tick();
  findings.a = named('one');
  expect(await toldAfter(6)).toBe(1);
  await feed.caughtUp();
  expect(routes.find('a')?.tools).toEqual([{ name: 'one' }]);
  findings.a = named('two');
  for (const wait of [0, 1, 3]) expect(await toldAfter(wait)).toBe(0);
  // What was said meanwhile is not forgotten, and need not be said again.
  expect(await after(1 / 60)).toEqual(['a']);
  await feed.caughtUp();
  expect(routes.find('a')?.tools).toEqual([{ name: 'two' }]);
  expect(await after(15)).toEqual([]);
});

test('one that says so again and again without a change is looked at less and less often', async () => {
  await add('a');
  watch.start(2 ** 30);
  await watch.tick();
  findings.a = named('one');
  const checkedAt: number[] = [];
  for (let waited = 0; waited < 300; waited += 1) if (await toldAfter(1)) checkedAt.push(waited);
  const waits = checkedAt.slice(1).map((at, index) => at - (checkedAt[index] ?? 0));
  expect(waits).toEqual([5, 10, 20, 40, 80]);
  findings.a = named('two');
  expect(await toldAfter(160)).toBe(1);
  expect(await toldAfter(5)).toBe(1);
});

test('a change that is told of while the server is looked at is looked for after that', async () => {
  await add('a');
  watch.start(2 ** 30);
  await watch.tick();
  time += minute;
  onCheck = () => {
    onCheck = undefined;
    watch.soon('a');
  };
  expect(await toldAfter(0)).toBe(1);
  expect(await after(4 / 60)).toEqual([]);
  expect(await after(6 / 60)).toEqual(['a']);
});

test('a server that was just registered is looked at when it says so', async () => {
  watch.start(2 ** 30);
  await watch.tick();
  await add('a');
  await database.db
    .updateTable('servers')
    .set({ health: JSON.stringify({ ...well, checkedAt: new Date(time).toISOString() }) })
    .execute();
  expect(await toldAfter(0)).toBe(1);
});

test('nothing is looked at where checks are switched off, or for a server that is', async () => {
  await add('a');
  watch.soon('a');
  await Promise.resolve();
  expect(asked).toEqual([]);
  watch.start(2 ** 30);
  await watch.tick();
  await setEnabled(database.db, '/a', { enabled: false, at: '' });
  await feed.caughtUp();
  expect(await toldAfter(10)).toBe(0);
  expect(await toldAfter(10, 'nobody')).toBe(0);
});

test('calls that find a server in another state than its last check have it checked at once, once a second', async () => {
  await add('a');
  watch.start(2 ** 30);
  await watch.tick();
  const checksAfterCalls = async (seconds: number, reached: boolean): Promise<number> => {
    time += seconds * second;
    asked.length = 0;
    for (const name of ['a', 'a', 'unknown']) watch.met(name, reached);
    await watch.tick();
    return asked.length;
  };
  expect(await checksAfterCalls(60, true)).toBe(0);
  findings.a = ill;
  expect(await checksAfterCalls(1, false)).toBe(1);
  expect(logged.at(-1)).toMatchObject({ server: 'a', from: 'healthy', to: 'unhealthy' });
  expect(await checksAfterCalls(1, false)).toBe(0);
  expect(await checksAfterCalls(0.5, true)).toBe(1);
  findings.a = well;
  expect(await checksAfterCalls(0.5, true)).toBe(0);
  expect(await checksAfterCalls(0.5, true)).toBe(1);
  expect(logged.at(-1)).toMatchObject({ server: 'a', from: 'unhealthy', to: 'healthy' });
});

test('after a start a few servers are checked at once, and thousands over the interval', async () => {
  for (let at = 0; at < 200; at += 1) await add(`s${at}`);
  await feed.caughtUp();
  watch.start(2 ** 30);
  await watch.tick();
  expect(asked.length).toBe(32);
  time += 16 * minute;
  await watch.tick();
  expect(new Set(asked).size).toBe(200);
});
