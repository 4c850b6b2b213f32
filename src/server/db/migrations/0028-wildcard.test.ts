import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OpenDatabase, openMemory } from '../open.ts';
import { up } from './0028-wildcard.ts';

let database: OpenDatabase;
beforeEach(async () => {
  database = await openMemory();
});
afterEach(() => database.close());

const before = {
  serverRules: [{ server: '*', methods: ['*'], tools: ['x', 'all'], prompts: ['p'] }],
  agentRules: [{ action: 'get_agent', resources: ['/a', 'all'] }],
  agentAccess: ['all'],
  uiPermissions: { list_service: ['all'], modify_service: ['time'] },
  groupMappings: ['all'],
};

async function migrated(source: 'api' | 'file', path?: string): Promise<unknown> {
  const { db } = database;
  const row = { name: 's', source, position: 0, created_at: null, idp_group_id: null, updated_at: '' };
  await db
    .insertInto('scopes')
    .values({ ...row, definition: JSON.stringify(before) })
    .execute();
  if (path)
    await db
      .insertInto('servers')
      .values({
        ...{ id: 'a', path, definition: '{}', is_enabled: 0, registered_by: '', registered_at: '' },
        ...{ updated_at: '', revision: 1 },
      } as never)
      .execute();
  await up(db as never);
  const { definition } = await db.selectFrom('scopes').select('definition').executeTakeFirstOrThrow();
  return JSON.parse(definition);
}

const after = {
  serverRules: [{ server: '*', methods: 'all', tools: 'all', prompts: ['p'] }],
  agentRules: [{ action: 'get_agent', resources: 'all' }],
  agentAccess: 'all',
  uiPermissions: { list_service: 'all', modify_service: ['time'] },
  groupMappings: ['all'],
};

test('lists that stood for every one become the wildcard, and a second time changes nothing', async () => {
  expect(await migrated('api')).toEqual(after);
});

test('where something is called all, permissions of the API that may have meant it are dropped', async () => {
  expect(await migrated('api', '/ALL')).toEqual({ ...after, uiPermissions: { modify_service: ['time'] } });
});

test('those of the file stay: it is read anew at the start', async () => {
  expect(await migrated('file', '/all')).toEqual(after);
});
