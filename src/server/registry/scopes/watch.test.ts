import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decide } from '../../access/decide.ts';
import { accessOf } from '../../access/grants.ts';
import { parseScopes } from '../../access/scope-set.ts';
import { ScopesFault } from '../../access/yaml-reader.ts';
import { followed } from '../../changes/feed.test-support.ts';
import type { Feed } from '../../changes/feed.ts';
import { type OpenDatabase, openMemory } from '../../db/open.ts';
import { readScopes, readStored, replaceScopes } from './store.ts';
import { type Scopes, type ScopesWorld, startScopes } from './watch.ts';

const good = 'reader: [{ server: a, methods: [ping] }]\ngroup_mappings: { g: [reader] }\n';
const better = 'writer: [{ server: "*", methods: [ping] }]\ngroup_mappings: { g: [writer] }\n';
const broken = 'reader:\n  - { server: a, methods: ping }\n';

let directory: string;
let file: string;
let database: OpenDatabase;
let feed: Feed;
let clock: number;
let logged: { level: string; detail: object; message: string }[];
let started: Scopes[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gateway-scopes-'));
  file = join(directory, 'scopes.yml');
  database = await openMemory();
  feed = await followed(database);
  clock = Date.UTC(2026, 0, 1);
  logged = [];
  started = [];
});
afterEach(async () => {
  for (const scopes of started) await scopes.close();
  await feed.close();
  await database.close();
  rmSync(directory, { recursive: true, force: true });
});

const level = (name: string) => (detail: object, message: string) => {
  logged.push({ level: name, detail, message });
};

/** Starts with timers that never run, unless others are given: these tests reload by hand. */
async function start(more: Partial<ScopesWorld> = {}): Promise<Scopes> {
  const log = { info: level('info'), warn: level('warn'), error: level('error') };
  const scopes = await startScopes({
    db: database.db,
    feed,
    file,
    log,
    now: () => clock,
    after: () => () => {},
    ...more,
  });
  started.push(scopes);
  return scopes;
}

const reload = (scopes: Scopes): Promise<unknown> => scopes.reload().finally(feed.caughtUp);
const held = (scopes: Scopes, group = 'g') => accessOf({ groups: [group] }, scopes.grants()).scopes;

test('groups that the file names by what is no Object ID are warned about, where groups are known by these', async () => {
  const id = '16c7e67e-e8ae-498c-ba2e-0593c0159e43';
  const mapped = [
    'object_id',
    'Mcp-test-admin',
    id,
    `entra:${id.toUpperCase()}`,
    'role:Gateway.Invoke',
    'reader',
  ];
  const mappings = mapped.map((group) => `  "${group}": [reader]\n`).join('');
  writeFileSync(file, `reader: [{ server: a, methods: [ping] }]\ngroup_mappings:\n${mappings}`);
  await start({ groupsAreIds: true });
  await start();
  expect(logged.filter(({ level }) => level === 'warn')).toEqual([
    expect.objectContaining({
      detail: { file, groups: ['object_id', 'Mcp-test-admin'] },
      message: expect.stringContaining('Object Id'),
    }),
  ]);
});

test('the file is in force from the start, and stored', async () => {
  writeFileSync(file, good);
  const scopes = await start();
  expect(decide({ groups: ['g'] }, { server: 'a', method: 'ping' }, scopes.grants())).toEqual({
    allow: true,
    scope: 'reader',
  });
  expect([...(await readScopes(database.db)).keys()]).toEqual(['reader']);
  expect(scopes.status()).toEqual({ file, loadedAt: '2026-01-01T00:00:00.000Z', fault: null });
  expect(logged.map((entry) => entry.level)).toEqual(['info']);
});

test('a change is in force after reloading, and nothing of the former file', async () => {
  writeFileSync(file, good);
  const scopes = await start();
  writeFileSync(file, better);
  clock += 1000;
  await reload(scopes);
  expect(held(scopes)).toEqual(['writer']);
  expect([...(await readScopes(database.db)).keys()]).toEqual(['writer']);
  expect(scopes.status().loadedAt).toBe('2026-01-01T00:00:01.000Z');
});

test('a broken change is refused whole, told with line and column, and mended by the next', async () => {
  writeFileSync(file, good);
  const scopes = await start();
  writeFileSync(file, broken);
  clock += 1000;
  await reload(scopes);
  expect(held(scopes)).toEqual(['reader']);
  expect(scopes.status()).toEqual({
    file,
    loadedAt: '2026-01-01T00:00:00.000Z',
    fault: {
      at: '2026-01-01T00:00:01.000Z',
      faults: [{ line: 2, column: 27, message: 'methods must be a list; write [ping]' }],
    },
  });
  expect(logged.at(-1)).toMatchObject({
    level: 'error',
    message: expect.stringContaining(`${file}:2:27: methods must`),
  });
  writeFileSync(file, better);
  await reload(scopes);
  expect(held(scopes)).toEqual(['writer']);
  expect(scopes.status().fault).toBeNull();
});

test('a file that goes away leaves what it said', async () => {
  writeFileSync(file, good);
  const scopes = await start();
  rmSync(file);
  await reload(scopes);
  expect(held(scopes)).toEqual(['reader']);
  expect(scopes.status().fault?.faults[0]?.message).toBe('the file does not exist');
});

test.each([
  ['broken', () => writeFileSync(file, broken), /:2:27: methods must be a list/],
  ['missing', () => rmSync(file), /:1:1: the file does not exist/],
])('a file that is %s at the start leaves the stored scopes in force, loudly', async (_how, spoil, told) => {
  writeFileSync(file, good);
  await (await start()).close();
  spoil();
  logged = [];
  const scopes = await start();
  expect(held(scopes)).toEqual(['reader']);
  expect(scopes.status()).toMatchObject({ loadedAt: null, fault: { faults: [expect.anything()] } });
  expect(logged.filter((entry) => entry.level === 'error').map((entry) => entry.message)).toEqual([
    expect.stringMatching(told),
  ]);
});

test('without a good file and without stored scopes there is no start', async () => {
  await expect(start()).rejects.toThrow(
    new ScopesFault(file, [{ line: 1, column: 1, message: 'the file does not exist' }]),
  );
  writeFileSync(file, broken);
  await expect(start()).rejects.toThrow(`${file}:2:27: methods must be a list`);
});

test('groups of the configuration count like those of the file', async () => {
  writeFileSync(file, good);
  const scopes = await start({ extraMappings: { h: ['reader', 'no-such-scope'] } });
  expect(held(scopes, 'h')).toEqual(['reader']);
  expect([...(await readScopes(database.db)).values()].flatMap((scope) => scope.groupMappings)).toEqual([
    'g',
  ]);
  expect(logged.find((entry) => entry.level === 'warn')?.detail).toEqual({ scopes: ['no-such-scope'] });
});

test('a file that gives nobody anything is in force, with a warning', async () => {
  writeFileSync(file, 'reader: []');
  await start();
  expect(logged.map((entry) => entry.level)).toEqual(['info', 'warn']);
});

test('scopes of the API are in force beside the file and keep their names', async () => {
  writeFileSync(file, good);
  await replaceScopes(
    database.db,
    'api',
    parseScopes('reader: []\nown: []\ngroup_mappings: { g: [reader, own] }', 'api'),
    clock,
  );
  const scopes = await start();
  expect(held(scopes)).toEqual(['reader', 'own']);
  expect(decide({ groups: ['g'] }, { server: 'a', method: 'ping' }, scopes.grants()).allow).toBe(false);
  expect(logged.find((entry) => entry.level === 'warn')?.detail).toEqual({ file, scopes: ['reader'] });
});

test('a file that says what is stored already changes nothing, so that processes with one file do not take turns', async () => {
  writeFileSync(file, good);
  const [one, other] = [await start(), await start()];
  await feed.caughtUp();
  const heard: unknown[] = [];
  feed.follow(['scope'], (change) => void heard.push(change));
  for (const scopes of [one, other, one]) await reload(scopes);
  expect(heard).toEqual([]);
  writeFileSync(file, better);
  for (const scopes of [one, other, one]) await reload(scopes);
  expect(heard).toEqual([{ kind: 'scope', key: '*' }]);
  expect([held(one), held(other)]).toEqual([['writer'], ['writer']]);
});

test('readings at the same time end in the newest file', async () => {
  writeFileSync(file, good);
  const scopes = await start();
  const readings = Array.from({ length: 5 }, () => reload(scopes));
  writeFileSync(file, better);
  await Promise.all([...readings, reload(scopes)]);
  expect(held(scopes)).toEqual(['writer']);
});

test('a database that fails leaves the grants as they are', async () => {
  writeFileSync(file, good);
  const scopes = await start();
  const before = scopes.grants();
  await database.db.schema.dropTable('scopes').execute();
  await expect(scopes.reload()).rejects.toThrow();
  expect(scopes.grants()).toBe(before);
});

test('a file replaced as editors do it is noticed without being asked', async () => {
  writeFileSync(file, good);
  const scopes = await start({ after: undefined });
  await feed.caughtUp();
  const changed = new Promise<void>((resolve) => feed.follow(['scope'], () => resolve()));
  writeFileSync(join(directory, 'scopes.yml.new'), better);
  renameSync(join(directory, 'scopes.yml.new'), file);
  await changed;
  expect(held(scopes)).toEqual(['writer']);
});

test('a change of the file after which no group makes an administrator is refused, until the next start', async () => {
  writeFileSync(
    file,
    `registry-admins: [{ server: a, methods: [ping] }]\ngroup_mappings: { g: [registry-admins] }\n`,
  );
  const scopes = await start();
  writeFileSync(file, good);
  const { fault } = await scopes.reload();
  expect(fault?.faults[0]?.message).toMatch(/no group holds registry-admins or mcp-registry-admin/);
  expect(held(scopes)).toEqual(['registry-admins']);
  expect(held(await start())).toEqual(['reader']);
});

test('what a new state of the file gives and takes is recorded, with whom it gives power', async () => {
  const recorded: Readonly<Record<string, unknown>>[] = [];
  const record = (detail: Readonly<Record<string, unknown>>) => void recorded.push(detail);
  writeFileSync(file, good);
  const scopes = await start({ record });
  await reload(scopes);
  expect(recorded).toEqual([]);
  writeFileSync(file, better);
  await reload(scopes);
  expect(recorded).toMatchObject([
    {
      admin_grant: true,
      admin_grant_to: ['g'],
      scopes: ['reader', 'writer'],
      before: [{}, null],
      after: [null, {}],
    },
  ]);
  writeFileSync(file, broken);
  await reload(scopes);
  writeFileSync(file, good);
  await reload(scopes);
  expect(recorded.slice(1).map(({ admin_grant }) => admin_grant)).toEqual([undefined]);
});

test('a file that was widened while nothing ran is recorded at the next start, by one process', async () => {
  const recorded: object[] = [];
  const record = (detail: object) => void recorded.push(detail);
  writeFileSync(file, good);
  await start({ record });
  writeFileSync(file, better);
  await Promise.all([start({ record }), start({ record })]);
  expect(recorded).toMatchObject([{ admin_grant: true, admin_grant_to: ['g'] }]);
});

test('a group that a setting maps since the last start is recorded, by one process', async () => {
  const recorded: object[] = [];
  const recordSettings = (detail: object) => void recorded.push(detail);
  writeFileSync(file, better);
  await start({ recordSettings });
  await start({ recordSettings });
  expect(recorded).toEqual([]);
  const more = { recordSettings, extraMappings: { new: ['writer'] } };
  await Promise.all([start(more), start(more)]);
  expect(recorded).toMatchObject([{ admin_grant: true, admin_grant_to: ['new'], before: {} }]);
  await start({ recordSettings });
  expect(recorded.slice(1)).toEqual([{ before: { new: ['writer'] }, after: {} }]);
});

const builtIn = parseScopes(
  'admin: [{ server: "*", methods: [all] }]\nuser: [{ server: a, methods: [ping] }]\n',
  'roles.yml',
);
const extraMappings = { g: ['admin'] };

test('without a file the built-in roles are active for the groups of the settings, and an upgrade brings its own', async () => {
  const scopes = await start({ builtIn, extraMappings });
  expect(held(scopes)).toEqual(['admin']);
  expect([...(await readStored(database.db)).values()].map(({ source }) => source)).toEqual([
    'built_in',
    'built_in',
  ]);
  expect(scopes.status()).toEqual({ file, loadedAt: null, fault: null });
  const newer = parseScopes('admin: [{ server: b, methods: [all] }]\n', 'roles.yml');
  await start({ builtIn: newer, extraMappings });
  expect([...(await readScopes(database.db)).keys()]).toEqual(['admin']);
});

test('a file that appears takes the place of the built-in roles; one that is gone again does not bring them back', async () => {
  const scopes = await start({ builtIn, extraMappings: { h: ['admin'] } });
  writeFileSync(file, good);
  await reload(scopes);
  expect(held(scopes)).toEqual(['reader']);
  expect(held(scopes, 'h')).toEqual(['admin']);
  rmSync(file);
  const again = await start({ builtIn, extraMappings });
  expect(held(again)).toEqual(['reader']);
  expect(logged.at(-1)?.message).toContain('the file does not exist');
});

test('a file may give a group a built-in role without defining it, as the guide does', async () => {
  writeFileSync(file, 'group_mappings: { g: [admin, user] }\n');
  const scopes = await start({ builtIn });
  expect(held(scopes)).toEqual(['admin', 'user']);
});

test('a role that a file only names leaves the groups of the settings what they have without a file', async () => {
  writeFileSync(file, 'group_mappings: { other: [user] }\n');
  const scopes = await start({ builtIn, extraMappings: { g: ['user', 'admin'] } });
  expect([held(scopes), held(scopes, 'other')]).toEqual([['user', 'admin'], ['user']]);
  expect(logged.map(({ level }) => level)).toEqual(['info']);
});

test('what a file defines is never filled up from the built-in roles', async () => {
  writeFileSync(file, 'user: [{ server: mine, methods: [ping] }]\n');
  const scopes = await start({ builtIn, extraMappings: { g: ['user', 'admin'] } });
  expect(held(scopes)).toEqual(['user']);
  expect(decide({ groups: ['g'] }, { server: 'a', method: 'ping' }, scopes.grants()).allow).toBe(false);
});

test('without a file and without a group of the settings nothing starts, and the fault says how to create the file', async () => {
  const fault = await start({ builtIn, remedy: 'create it with: cp a b' }).catch((error: unknown) => error);
  expect(String(fault)).toMatch(/does not exist.*no one could do anything; create it with: cp a b/);
});
