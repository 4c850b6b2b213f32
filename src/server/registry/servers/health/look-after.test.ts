import { afterEach, beforeEach, expect, test } from 'vitest';
import { serverInput } from '../../../../contract/servers/servers.ts';
import { followed } from '../../../changes/feed.test-support.ts';
import type { Feed } from '../../../changes/feed.ts';
import { type OpenDatabase, openMemory } from '../../../db/open.ts';
import { settingsOf } from '../../../egress/egress.test-support.ts';
import { keyringOf } from '../../../identity/keys.ts';
import { createSealer } from '../../../identity/sealer.ts';
import { ensureServers, seedName } from '../../seed.ts';
import { credentialsFrom } from '../credential.ts';
import { type Routes, startRoutes } from '../routes.ts';
import { find, insert, remove, replace, type ServerRow, setEgress, setEnabled } from '../store.ts';
import type { CheckServer, Finding } from './check.ts';
import { createLookAfter, type LookAfter, showTools } from './look-after.ts';

const healthy: Finding = {
  status: 'healthy',
  detail: null,
  serverVersion: '1',
  protocolVersion: '2026-07-28',
  tools: [{ name: 'a' }],
};
const at = '2026-01-01T00:00:00.000Z';
let time = Date.parse(at);
let marks: (string | undefined)[] = [];
const world = { now: () => time, newId: () => crypto.randomUUID() };
const vault = createSealer(keyringOf('a secret of a test').of('upstream-credential'));
const credentialsOf = credentialsFrom(vault);
let database: OpenDatabase;
let routes: Routes;
let feed: Feed;
let asked: string[];
let answer: (finding: Finding) => void;
let lookAfter: LookAfter;

beforeEach(async () => {
  database = await openMemory();
  feed = await followed(database);
  routes = await startRoutes({ db: database.db, feed, credentialsOf });
  [asked, marks, time] = [[], [], Date.parse(at)];
  const check: CheckServer = ({ mcp }, _, mark) => {
    marks.push(mark);
    asked.push(mcp?.href ?? '');
    return new Promise((resolve) => {
      answer = resolve;
    });
  };
  lookAfter = createLookAfter({ credentialsOf, db: database.db, check, now: world.now });
});
afterEach(async () => {
  await feed.close();
  await database.close();
});

function add(path: string, isEnabled = true): Promise<ServerRow> {
  const definition = serverInput.parse({ server_name: path, path, proxy_pass_url: `http://h${path}` });
  return insert(database.db, { id: path, definition, isEnabled, registeredBy: 'bob', registeredAt: at });
}

test('two checks of a server at once ask it once', async () => {
  const row = await add('/a');
  const both = [lookAfter.one(row), lookAfter.one(row)];
  answer(healthy);
  const [first, second] = await Promise.all(both);
  expect(asked).toEqual(['http://h/a/mcp']);
  expect(first).toBe(second);
  expect(first?.row).toMatchObject({
    health: { status: 'healthy', checkedAt: at },
    tools: { fetchedAt: at },
  });
  await feed.caughtUp();
  expect(routes.find('a')?.tools).toEqual([{ name: 'a' }]);
});

test('a server that says the same as before keeps its tools, and nobody is told', async () => {
  const first = lookAfter.one(await add('/a'));
  answer({ ...healthy, mark: 'm' });
  await first;
  await feed.caughtUp();
  const told: unknown[] = [];
  feed.follow(['server'], ({ key }) => void told.push(key));
  time += 60_000;
  const row = await find(database.db, '/a');
  if (!row) throw new Error('it is gone');
  const second = lookAfter.one(row);
  answer({ ...healthy, tools: null, isAsMarked: true });
  expect((await second).found).toMatchObject({ status: 'healthy', tools: [{ name: 'a' }] });
  const later = new Date(time).toISOString();
  expect(await find(database.db, '/a')).toMatchObject({
    health: { status: 'healthy', checkedAt: later, toolsAt: later },
    tools: { tools: [{ name: 'a' }], fetchedAt: at, mark: 'm' },
  });
  await feed.caughtUp();
  expect(told).toEqual([]);
  expect(marks).toEqual([undefined, 'm']);
  const third = showTools(lookAfter, (await find(database.db, '/a')) ?? row, () => true);
  answer({ ...healthy, status: 'unhealthy', tools: null });
  expect(await third).toMatchObject({ cached: true, fetched_at: later });
});

test('a finding about a server that was changed meanwhile is dropped', async () => {
  const row = await add('/a');
  const looking = lookAfter.one(row);
  await replace(database.db, '/a', { definition: row.definition, revision: 1, at, forget: true });
  answer(healthy);
  await looking;
  expect(await find(database.db, '/a')).toMatchObject({ health: null, tools: null, revision: 2 });
});

test('a failed check keeps the tools as last seen and does not count as a change', async () => {
  const row = await add('/a');
  const first = lookAfter.one(row);
  answer(healthy);
  const second = lookAfter.one((await first).row);
  answer({ ...healthy, status: 'unhealthy', detail: 'gone', tools: null });
  expect((await second).row).toMatchObject({
    health: { status: 'unhealthy', detail: 'gone' },
    tools: { tools: [{ name: 'a' }] },
    revision: 1,
  });
});

test('a healthy server that takes long is called slow', async () => {
  const row = await add('/a');
  let time = 0;
  const check: CheckServer = async () => {
    time += 1500;
    return healthy;
  };
  const { db } = database;
  const slow = createLookAfter({ credentialsOf, db, check, now: () => time, slowMs: 1000 });
  const { found } = await slow.one(row);
  expect(found).toMatchObject({
    status: 'healthy',
    reason: 'slow',
    detail: expect.stringContaining('1.5 s'),
  });
});

test('the routes are those of the database, for a second process too', async () => {
  const other = await followed({ db: database.db, hint: () => () => {} });
  const theirs = await startRoutes({ db: database.db, feed: other, credentialsOf });
  const seen = async () => {
    await Promise.all([feed.caughtUp(), other.caughtUp()]);
    return [routes, theirs].map(({ find: route }) => route('a')?.enabled);
  };
  await add('/a');
  expect(await seen()).toEqual([true, true]);
  await setEnabled(database.db, '/a', { enabled: false, at });
  expect(await seen()).toEqual([false, false]);
  const late = await startRoutes({ db: database.db, feed, credentialsOf });
  expect([...late.all()].map(({ name }) => name)).toEqual(['a']);
  await remove(database.db, '/a', 2);
  expect(await seen()).toEqual([undefined, undefined]);
  await other.close();
});

test('a check that finds what was known already is no change', async () => {
  const row = await add('/a');
  const heard: unknown[] = [];
  await feed.caughtUp();
  feed.follow(['server'], ({ key }) => void heard.push(key));
  let checkedAt = Date.parse(at);
  const { db } = database;
  const check = async (): Promise<Finding> => ({ ...healthy, tools: [{ name: `${heard.length > 1}` }] });
  const often = createLookAfter({ credentialsOf, db, check, now: () => (checkedAt += 1000) });
  for (let count = 0; count < 3; count += 1) {
    await often.one(row);
    await feed.caughtUp();
  }
  expect(heard).toEqual(['/a']);
  expect((await find(db, '/a'))?.health?.checkedAt).toBe('2026-01-01T00:00:09.000Z');
  heard.push('now it has another tool');
  await often.one(row);
  await feed.caughtUp();
  expect(heard.at(-1)).toBe('/a');
});

test('samples are registered once, follow their URL and keep what people changed', async () => {
  const seed = (port: number) => ({
    server_name: 'Time',
    path: '/time',
    proxy_pass_url: `http://127.0.0.1:${port}`,
  });
  const { db } = database;
  await ensureServers({ db: database.db, ...world }, [seed(1)]);
  const row = await find(db, '/time');
  expect(row).toMatchObject({ isEnabled: true, registeredBy: seedName, revision: 1 });
  await ensureServers({ db: database.db, ...world }, [seed(1)]);
  expect((await find(db, '/time'))?.revision).toBe(1);
  const definition = { ...row!.definition, description: 'mine' };
  await replace(db, '/time', { definition, revision: 1, at, forget: false });
  await setEnabled(db, '/time', { enabled: false, at });
  await ensureServers({ db: database.db, ...world }, [seed(2)]);
  expect(await find(db, '/time')).toMatchObject({
    isEnabled: false,
    definition: { description: 'mine', proxy_pass_url: 'http://127.0.0.1:2' },
  });
  await feed.caughtUp();
  expect(routes.find('time')?.mcp?.href).toBe('http://127.0.0.1:2/mcp');
});

test('a server that somebody else registered at the path of a sample stays as it is', async () => {
  await add('/time');
  const seed = { server_name: 'Time', path: '/time', proxy_pass_url: 'http://127.0.0.1:1' };
  expect(await ensureServers({ db: database.db, ...world }, [seed])).toEqual([]);
  expect((await find(database.db, '/time'))?.definition.proxy_pass_url).toBe('http://h/time');
});

test.each([
  ['pat', 'healthy', []],
  ['oauth_user', 'healthy', []],
  ['client_credentials', 'auth-failing', ['Authorization', "Bearer the gateway's"]],
] as const)(
  "a server in mode %s that refuses a check is %s, and no person's credential is used",
  async (mode, status, sent) => {
    const { db } = database;
    const row = await add('/own');
    const known = await setEgress(db, row, { egress: settingsOf({ egress_auth_mode: mode }), at });
    const seen: (readonly string[])[] = [];
    const refusing: CheckServer = async (_, headers = []) => {
      seen.push(headers);
      return { ...healthy, status: 'auth-failing', tools: null };
    };
    const ownHeaders = async ({ egress }: ServerRow) =>
      egress?.egress_auth_mode === 'client_credentials' ? ['Authorization', "Bearer the gateway's"] : [];
    const looking = createLookAfter({ credentialsOf, ownHeaders, db, check: refusing, now: world.now });
    expect((await looking.one(known)).found).toMatchObject({ status, tools: null });
    expect(seen).toEqual([sent]);
  },
);
