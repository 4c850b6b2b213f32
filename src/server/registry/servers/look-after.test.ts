import { afterEach, beforeEach, expect, test } from 'vitest';
import { serverInput } from '../../../contract/servers.ts';
import { type OpenDatabase, openMemory } from '../../db/open.ts';
import type { CheckServer, Finding } from './check.ts';
import { credentialsFrom } from './credential.ts';
import { createLookAfter, type LookAfter } from './look-after.ts';
import { createRoutes, type Routes } from './routes.ts';
import { ensureServers, seedName } from './seed.ts';
import { find, insert, replace, type ServerRow, setEnabled } from './store.ts';
import { createVault } from './vault.ts';

const healthy: Finding = {
  status: 'healthy',
  detail: null,
  serverVersion: '1',
  protocolVersion: '2026-07-28',
  tools: [{ name: 'a' }],
};
const at = '2026-01-01T00:00:00.000Z';
const world = { now: () => Date.parse(at), newId: () => crypto.randomUUID() };
const vault = createVault('a secret of a test');
const credentialsOf = credentialsFrom(vault);
let database: OpenDatabase;
let routes: Routes;
let asked: string[];
let answer: (finding: Finding) => void;
let lookAfter: LookAfter;

beforeEach(async () => {
  database = await openMemory();
  routes = createRoutes([], credentialsOf);
  asked = [];
  const check: CheckServer = ({ mcp }) => {
    asked.push(mcp?.href ?? '');
    return new Promise((resolve) => {
      answer = resolve;
    });
  };
  lookAfter = createLookAfter({ credentialsOf, db: database.db, routes, check, now: world.now });
});
afterEach(() => database.close());

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
  expect(routes.find('a')?.tools).toEqual([{ name: 'a' }]);
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

test('the check of all asks each enabled server once', async () => {
  for (const [path, enabled] of [
    ['/a', true],
    ['/b', false],
    ['/c', true],
  ] as const)
    await add(path, enabled);
  const check: CheckServer = async ({ mcp }) => {
    asked.push(mcp?.href ?? '');
    return healthy;
  };
  await createLookAfter({ credentialsOf, db: database.db, routes, check, now: world.now }).every();
  expect(asked.sort()).toEqual(['http://h/a/mcp', 'http://h/c/mcp']);
});

test('a healthy server that takes long is called slow', async () => {
  const row = await add('/a');
  let time = 0;
  const check: CheckServer = async () => {
    time += 1500;
    return healthy;
  };
  const { db } = database;
  const slow = createLookAfter({ credentialsOf, db, routes, check, now: () => time, slowMs: 1000 });
  const { found } = await slow.one(row);
  expect(found).toMatchObject({
    status: 'healthy',
    reason: 'slow',
    detail: expect.stringContaining('1.5 s'),
  });
});

test('listeners hear of each change of a route, and not after they left', () => {
  const heard: [string, boolean | undefined][] = [];
  const leave = routes.onChange((name, route) => heard.push([name, route?.enabled]));
  const row = {
    path: '/a',
    isEnabled: true,
    tools: null,
    definition: serverInput.parse({ server_name: 'a', path: '/a', proxy_pass_url: 'http://h' }),
  } as ServerRow;
  routes.put(row);
  routes.drop('/a');
  routes.drop('/a');
  leave();
  routes.put(row);
  expect(heard).toEqual([
    ['a', true],
    ['a', undefined],
  ]);
  expect([...createRoutes([row], credentialsOf).all()].map((route) => route.name)).toEqual(['a']);
});

test('samples are registered once, follow their URL and keep what people changed', async () => {
  const seed = (port: number) => ({
    server_name: 'Time',
    path: '/time',
    proxy_pass_url: `http://127.0.0.1:${port}`,
  });
  const { db } = database;
  await ensureServers({ db: database.db, routes, ...world }, [seed(1)]);
  const row = await find(db, '/time');
  expect(row).toMatchObject({ isEnabled: true, registeredBy: seedName, revision: 1 });
  await ensureServers({ db: database.db, routes, ...world }, [seed(1)]);
  expect((await find(db, '/time'))?.revision).toBe(1);
  const definition = { ...row!.definition, description: 'mine' };
  await replace(db, '/time', { definition, revision: 1, at, forget: false });
  await setEnabled(db, '/time', { enabled: false, at });
  await ensureServers({ db: database.db, routes, ...world }, [seed(2)]);
  expect(await find(db, '/time')).toMatchObject({
    isEnabled: false,
    definition: { description: 'mine', proxy_pass_url: 'http://127.0.0.1:2' },
  });
  expect(routes.find('time')?.mcp?.href).toBe('http://127.0.0.1:2/mcp');
});

test('a server that somebody else registered at the path of a sample stays as it is', async () => {
  await add('/time');
  const seed = { server_name: 'Time', path: '/time', proxy_pass_url: 'http://127.0.0.1:1' };
  expect(await ensureServers({ db: database.db, routes, ...world }, [seed])).toEqual([]);
  expect((await find(database.db, '/time'))?.definition.proxy_pass_url).toBe('http://h/time');
});
