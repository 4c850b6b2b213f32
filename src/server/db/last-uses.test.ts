import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { lastUsesOf } from './last-uses.ts';
import { openMemory } from './open.ts';
import type { Db } from './tables.ts';
import { watched } from './watched.test-support.ts';

const minute = 60_000;
const start = Date.UTC(2026, 10, 29);
const iso = (ms: number): string => new Date(ms).toISOString();

let database: Awaited<ReturnType<typeof openMemory>>;
/** Tables that statements went to. */
let said: string[];
let db: Db;

beforeEach(async () => {
  database = await openMemory();
  ({ db, said } = watched(database.db));
});
afterEach(() => database.close());

async function addTokens(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, at) => `token-${at}`);
  const shared = { provider: 'entra', subject: 'alice', username: 'alice', description: '', scopes: '[]' };
  const times = { created_at: iso(start), expires_at: iso(start + 1e9), last_used_at: null };
  for (const id of ids)
    await database.db
      .insertInto('tokens')
      .values({ id, ...shared, ...times, revoked_at: null, revoked_by: null })
      .execute();
  said.length = 0;
  return ids;
}

const used = async (): Promise<Record<string, string | null>> => {
  const rows = await database.db.selectFrom('tokens').select(['id', 'last_used_at']).execute();
  return Object.fromEntries(rows.map(({ id, last_used_at }) => [id, last_used_at]));
};

test('a thousand uses of eighty tokens are one statement, with the last time of each', async () => {
  const ids = await addTokens(80);
  const uses = lastUsesOf(db);
  for (let at = 0; at < 1000; at += 1) uses.note('tokens', ids[at % 80] ?? '', start + at);
  expect(said).toEqual([]);
  expect(uses.noted('tokens', 'token-7')).toBe(start + 967);
  await uses.flush();
  expect(said).toEqual(['Update tokens']);
  const found = await used();
  expect([found['token-7'], found['token-79']]).toEqual([iso(start + 967), iso(start + 959)]);
  await uses.flush();
  expect(said).toHaveLength(1);
});

test('a later time that another process wrote stays', async () => {
  await addTokens(3);
  const [one, other] = [lastUsesOf(db), lastUsesOf(database.db)];
  one.note('tokens', 'token-0', start + 5);
  other.note('tokens', 'token-0', start + 9);
  one.note('tokens', 'token-1', start + 9);
  other.note('tokens', 'token-1', start + 5);
  await Promise.all([other.flush(), one.flush()]);
  expect(await used()).toEqual({
    'token-0': iso(start + 9),
    'token-1': iso(start + 9),
    'token-2': null,
  });
});

test('every kind of row has its time, and a connection what it was used for', async () => {
  const at = iso(start);
  const person = { provider: 'entra', subject: 'alice' };
  await database.db
    .insertInto('sessions')
    .values({
      ...{ id_hash: 's', ...person, logout_hint: null, created_at: at, last_seen_at: at, expires_at: at },
      ...{ sid: null, ended_at: null, ended_because: null, claims: null, user_agent: null, client_ip: null },
    })
    .execute();
  const uses = lastUsesOf(db);
  uses.note('sessions', 's', start + minute);
  // Rows that are gone by now are no trouble.
  for (const kind of ['oauth_grants', 'oauth_clients', 'connections'] as const)
    uses.note(kind, 'gone', start, { what: 'x'.repeat(300) });
  await uses.flush();
  const { last_seen_at } = await database.db
    .selectFrom('sessions')
    .select('last_seen_at')
    .executeTakeFirstOrThrow();
  expect(last_seen_at).toBe(iso(start + minute));
});

test('what cannot be written is kept for the next time, and what was used since counts', async () => {
  await addTokens(2);
  const uses = lastUsesOf(db);
  uses.note('tokens', 'token-0', start);
  uses.note('tokens', 'token-1', start);
  const failing = vi.spyOn(db, 'transaction').mockImplementationOnce(() => {
    uses.note('tokens', 'token-0', start + minute);
    throw new Error('the database is busy');
  });
  await expect(uses.flush()).rejects.toThrow('busy');
  failing.mockRestore();
  await uses.flush();
  expect(await used()).toEqual({ 'token-0': iso(start + minute), 'token-1': iso(start) });
});

test('uses are written once a minute, a first one after a second, and what is left at the end', async () => {
  await addTokens(2);
  vi.useFakeTimers({ toFake: ['setInterval', 'setTimeout', 'clearInterval', 'clearTimeout'] });
  try {
    const uses = lastUsesOf(db);
    const flush = vi.spyOn(uses, 'flush');
    const stop = uses.start((error) => expect(error).toBeUndefined());
    uses.note('tokens', 'token-0', start, { isFirst: true });
    vi.advanceTimersByTime(1000);
    expect(flush).toHaveBeenCalledTimes(1);
    await flush.mock.results[0]?.value;
    uses.note('tokens', 'token-0', start + 5000);
    vi.advanceTimersByTime(58_000);
    expect(flush).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1000);
    expect(flush).toHaveBeenCalledTimes(2);
    await flush.mock.results[1]?.value;
    uses.note('tokens', 'token-1', start + 7000);
    await stop();
    expect(await used()).toEqual({ 'token-0': iso(start + 5000), 'token-1': iso(start + 7000) });
  } finally {
    vi.useRealTimers();
  }
});
