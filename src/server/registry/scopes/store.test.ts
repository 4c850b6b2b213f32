import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseScopes, type ScopeSet } from '../../access/scope-set.ts';
import { type OpenDatabase, openMemory } from '../../db/open.ts';
import { readScopes, replaceScopes } from './store.ts';

let database: OpenDatabase;
beforeEach(async () => {
  database = await openMemory();
});
afterEach(() => database.close());

const set = (text: string): ScopeSet => parseScopes(text, 'scopes.yml');
const at = Date.UTC(2026, 0, 2);

test('what is stored is what is read, in its order', async () => {
  const scopes = set(`
UI-Scopes: { viewer: { list_service: [currenttime] } }
zebra:
  - { server: a, methods: "*", tools: [t] }
  - agents: { actions: [{ action: get_agent, resources: [all] }] }
ant: []
group_mappings: { g: [ant, viewer], h: [zebra] }
`);
  expect(await replaceScopes(database.db, 'file', scopes, at)).toEqual([]);
  const stored = await readScopes(database.db);
  expect([...stored]).toEqual([...scopes]);
  expect([...stored.keys()]).toEqual(['viewer', 'zebra', 'ant']);
});

test('replacing leaves nothing of what was before', async () => {
  await replaceScopes(database.db, 'file', set('a: []\nb: []'), at);
  await replaceScopes(database.db, 'file', set('b: [{ server: x, methods: [m] }]\nc: []'), at);
  const stored = await readScopes(database.db);
  expect([...stored.keys()]).toEqual(['b', 'c']);
  expect(stored.get('b')?.serverRules).toHaveLength(1);
});

test('sources keep out of each other, and a name stays with the source that has it', async () => {
  await replaceScopes(database.db, 'api', set('own: []\nshared: [{ server: api, methods: [m] }]'), at);
  expect(await replaceScopes(database.db, 'file', set('shared: []\nz: []'), at)).toEqual(['shared']);
  expect([...(await readScopes(database.db)).keys()]).toEqual(['z', 'own', 'shared']);
  expect((await readScopes(database.db)).get('shared')?.serverRules[0]?.server).toBe('api');
  await replaceScopes(database.db, 'file', set('y: []'), at);
  expect([...(await readScopes(database.db)).keys()]).toEqual(['y', 'own', 'shared']);
});

test('a replacement that fails half way changes nothing', async () => {
  await replaceScopes(database.db, 'file', set('a: []'), at);
  await expect(replaceScopes(database.db, 'file', set('b: []'), Number.NaN)).rejects.toThrow(RangeError);
  expect([...(await readScopes(database.db)).keys()]).toEqual(['a']);
});

test('thousands of scopes fit', async () => {
  const names = Array.from({ length: 2600 }, (_, index) => `s${index}`);
  await replaceScopes(database.db, 'file', set(names.map((name) => `${name}: []`).join('\n')), at);
  expect([...(await readScopes(database.db)).keys()]).toEqual(names);
});
