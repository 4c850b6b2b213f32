import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Handlers } from '../../../contract/endpoint.ts';
import type { tokenEndpoints } from '../../../contract/people/tokens.ts';
import type { Access, Caller } from '../../access/caller.ts';
import { compile } from '../../access/grants.ts';
import { type OpenDatabase, openMemory } from '../../db/open.ts';
import type { Identity } from '../../identity/identity.ts';
import type { PersonalTokens } from '../../identity/personal-token.ts';
import { tokenHandlers } from './handlers.ts';

const now = Date.UTC(2026, 0, 2);
let database: OpenDatabase;
let handlers: Handlers<typeof tokenEndpoints, Caller<Identity>>;

beforeEach(async () => {
  database = await openMemory();
  handlers = tokenHandlers({
    grants: () => compile(new Map()),
    ...{ db: database.db, now: () => now, personal: { settings: {} } as PersonalTokens },
  });
  await add('t1', 'alice');
  await add('t2', 'bob', { description: 'Build 100%' });
  await add('t3', 'bob', { expires_at: '2026-01-01T00:00:00.000Z' });
  await add('t4', 'bob', { revoked_at: '2026-01-01T00:00:00.000Z', revoked_by: 'alice' });
});
afterEach(() => database.close());

async function add(id: string, username: string, parts: object = {}): Promise<void> {
  await database.db
    .insertInto('tokens')
    .values({
      ...{ id, provider: 'entra', subject: `s-${username}`, username, description: '', scopes: '["a"]' },
      ...{ created_at: `2025-12-3${id.slice(1)}`, expires_at: '2026-06-01T00:00:00.000Z' },
      ...{ last_used_at: null, revoked_at: null, revoked_by: null },
      ...parts,
    })
    .execute();
}

const callerNamed = (name: string): Caller<Identity> => ({
  identity: { provider: 'entra', subject: `s-${name}`, username: name } as Identity,
  access: { isAdmin: name === 'alice' } as Access,
  ...{ correlationId: 'c', note: () => {} },
});
type Query = Parameters<(typeof handlers)['tokens.list']>[0]['query'];
async function list(name: string, query: Query = {}): Promise<string[]> {
  const answer = await handlers['tokens.list']({ params: {}, query, body: undefined }, callerNamed(name));
  return (answer as { tokens: { id: string }[] }).tokens.map(({ id }) => id).sort();
}

test('everybody lists their own tokens, and administrators those of all, by id, owner, words and state', async () => {
  expect(await list('bob')).toEqual(['t2', 't3', 't4']);
  expect(await list('alice')).toEqual(['t1']);
  expect(await list('alice', { all: 'true' })).toEqual(['t1', 't2', 't3', 't4']);
  await expect(list('bob', { all: 'true' })).rejects.toMatchObject({ code: 'not_allowed' });
  expect(await list('alice', { all: 'true', q: 't3' })).toEqual(['t3']);
  expect(await list('alice', { all: 'true', q: 'BOB' })).toEqual(['t2', 't3', 't4']);
  expect(await list('alice', { all: 'true', q: '100%' })).toEqual(['t2']);
  expect(await list('alice', { all: 'true', q: '%' })).toEqual(['t2']);
  expect(await list('bob', { q: 't1' })).toEqual([]);
  expect(await list('alice', { all: 'true', state: 'active' })).toEqual(['t1', 't2']);
  expect(await list('alice', { all: 'true', state: 'ended' })).toEqual(['t3', 't4']);
});

test('an administrator revokes one token of anybody, or all of a person who is not signed in', async () => {
  const revoke = (id: string, name: string) =>
    handlers['tokens.revoke']({ params: { id }, query: {}, body: undefined }, callerNamed(name));
  await expect(revoke('t1', 'bob')).rejects.toMatchObject({ code: 'not_found' });
  await revoke('t2', 'alice');
  await add('t5', 'bob');
  const params = { provider: 'entra', subject: 's-bob' };
  expect(
    await handlers['tokens.revokeAll']({ params, query: {}, body: undefined }, callerNamed('alice')),
  ).toEqual({ tokens_revoked: 1 });
  const told = await database.db.selectFrom('changes').select(['kind', 'key']).orderBy('seq').execute();
  expect(told).toEqual([
    { kind: 'token', key: 't2' },
    { kind: 'token', key: 't5' },
  ]);
  expect(await list('alice', { all: 'true', state: 'active' })).toEqual(['t1']);
});

test('no program creates a token that would last longer than its own access, but the command line', async () => {
  const create = (identity: object) => {
    const caller = callerNamed('bob');
    return handlers['tokens.generate'](
      { params: {}, query: {}, body: { requested_scopes: ['not mine'] } } as never,
      {
        ...caller,
        access: { scopes: [] } as unknown as Access,
        identity: { ...caller.identity, ...identity },
      },
    );
  };
  const words = { code: 'not_allowed', message: expect.stringContaining('last longer than its access') };
  for (const clientId of ['client_x', 'https://program.example/client.json', null])
    await expect(create({ method: 'oauth', clientId })).rejects.toMatchObject(words);
  // These are asked the next question.
  for (const who of [{ method: 'oauth', clientId: 'mcp-gateway-cli' }, { method: 'session' }])
    await expect(create(who)).rejects.not.toMatchObject(words);
});
