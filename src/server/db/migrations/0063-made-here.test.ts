import { expect, test } from 'vitest';
import { openMemory } from '../open.ts';
import { up } from './0063-made-here.ts';

const at = '2026-01-01T00:00:00.000Z';
const guid = 'ABCDEF00-0000-4000-8000-000000000001';

test('what the version before created is taken over where it was recorded', async () => {
  const { db, close } = await openMemory();
  await db.schema.dropTable('made_here').execute();
  const scope = { source: 'api', position: 0, definition: '{}', updated_at: at, created_at: at };
  await db
    .insertInto('scopes')
    .values([
      { ...scope, name: 'a', idp_group_id: guid },
      { ...scope, name: 'b', idp_group_id: null },
    ])
    .execute();
  const client = { name: 'x', description: '', groups: '[]', is_enabled: 1, created_by: 'alice' };
  await db
    .insertInto('m2m_clients')
    .values([
      { ...client, provider: 'entra', client_id: 'made', source: 'entra', created_at: at, updated_at: at },
      { ...client, provider: 'entra', client_id: 'hand', source: 'manual', created_at: at, updated_at: at },
    ])
    .execute();
  const job = { kind: 'm2m', trouble: null, secret_sealed: null, secret_state: 'none', created_by: 'alice' };
  const account = (clientId: string) => JSON.stringify({ account: { id: 'x', clientId } });
  await db
    .insertInto('jobs')
    .values(
      [
        ['1', 'stuck', account('stuck')],
        ['2', 'undone', account('undone')],
        ['3', 'running', '{"account":null}'],
        ['4', 'done', 'no JSON'],
      ].map(([id = '', state = '', progress = '']) => ({
        ...{ ...job, id, state, progress, name: id, name_key: id, created_at: at, updated_at: at },
      })),
    )
    .execute();
  const event = { at, kind: 'change', correlation_id: 'c', username: 'alice', status: 200, duration_ms: 1 };
  await db
    .insertInto('audit_events')
    .values(
      [
        ['1', 'users.createHuman', 'allow', { after: { id: 'person' } }],
        ['2', 'users.createHuman', 'error', { after: { id: 'failed' } }],
        ['3', 'users.groups', 'allow', { after: { id: 'changed' } }],
        ['4', 'scopes.import', 'allow', { idp_created: true, idp_group_id: 'gone-scope' }],
        ['5', 'scopes.import', 'allow', { idp_created: false, idp_group_id: 'found' }],
        ['6', 'users.createHuman', 'allow', { after: { id: 7 } }],
      ].map(([id, action, decision, detail]) => ({
        ...{ ...event, id, action, decision, detail: JSON.stringify(detail) },
      })) as never,
    )
    .execute();
  await up(db as never);
  const rows = await db.selectFrom('made_here').select(['provider', 'kind', 'id']).orderBy('id').execute();
  expect(rows.map(({ provider, kind, id }) => `${provider} ${kind} ${id}`).sort()).toEqual(
    [
      ' application stuck',
      ` group ${guid.toLowerCase()}`,
      ' group gone-scope',
      ' person person',
      'entra application made',
    ].sort(),
  );
  await close();
});
