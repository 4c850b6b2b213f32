import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { freePort } from '../../../../test/harness.ts';
import { startPostgres, type TestPostgres } from '../../../../test/postgres.ts';
import type { AuditEvent } from '../../audit/event.ts';
import { postgresSink } from '../../audit/sinks/database.ts';
import { type Feed, startFeed } from '../../changes/feed.ts';
import { recordChange } from '../../changes/record.ts';
import type { PostgresSettings } from '../../config/config-database.ts';
import { Failure } from '../../failure/errors.ts';
import { rememberPerson } from '../../identity/people.ts';
import { putScope } from '../../registry/scopes/store.ts';
import { acquireLease, lockUntilCommit } from '../lease.ts';
import { moveRows } from '../move.ts';
import { type OpenDatabase, openMemory } from '../open.ts';
import type { Db } from '../tables.ts';
import { migratePostgres, openPostgres } from './open.ts';
import { placesOf } from './places.ts';
import { poolOf } from './pool.ts';

const alice = {
  ...{ subject: 's', username: 'alice', name: null, email: null, tenant: 't' },
  ...{ logoutHint: null, sid: null, groupsComplete: true },
};
let server: TestPostgres;
let settings: PostgresSettings;
let count = 0;
const ends: (() => unknown)[] = [];
const log = { info() {}, error() {} };

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.close());
beforeEach(async () => {
  const url = await server.create(`d${++count}`);
  settings = { url, directUrl: null, ca: null, client: null, passwordFile: null, poolSize: 5 };
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function open(): Promise<OpenDatabase> {
  const database = await openPostgres(settings);
  ends.push(() => database.close());
  return database;
}

async function follow(database: OpenDatabase, pollMs: number): Promise<Feed> {
  const feed = await startFeed({ db: database.db, hint: database.hint, log, pollMs });
  ends.push(() => feed.close());
  return feed;
}

/** Resolves with the key of the next change of a server that a feed delivers. */
const next = (feed: Feed): Promise<string | null> =>
  new Promise((resolve) => feed.follow(['server'], ({ key }) => resolve(key)));

test('of several processes that start at once one migrates, and all serve', async () => {
  const opened = await Promise.all([open(), open(), open(), open()]);
  const migrated = opened.filter((one) => one.migrated.length > 0);
  expect(migrated).toHaveLength(1);
  expect(migrated[0]?.migrated[0]).toBe('0001-start');
  expect(await migratePostgres(settings)).toEqual([]);
});

test('values decode as they do from SQLite: numbers as numbers, text as text', async () => {
  const { db } = await open();
  await recordChange(db, 'server', '1234');
  const lease = await acquireLease(db, 'a');
  expect(lease?.fence).toBe(1);
  const row = await db
    .selectFrom('changes')
    .select((e) => ['seq', 'key', e.fn.countAll<number>().as('count')])
    .groupBy(['seq', 'key'])
    .executeTakeFirstOrThrow();
  expect(row).toEqual({ seq: 1, key: '1234', count: 1 });
});

test('a commit in one process wakes the feed of another, without any poll', async () => {
  const [here, there] = [await open(), await open()];
  const heard = next(await follow(there, 0));
  await here.db.transaction().execute((trx) => recordChange(trx, 'server', '/a'));
  expect(await heard).toBe('/a');
});

test('a change that is committed after a later one is delivered too', async () => {
  const database = await open();
  await recordChange(database.db, 'server', '/first');
  const feed = await follow(database, 0);
  const heard: unknown[] = [];
  feed.follow(['server'], ({ key }) => void heard.push(key));
  let commit = (): void => {};
  const held = new Promise<void>((resolve) => {
    commit = resolve;
  });
  let isRecorded = (): void => {};
  const recorded = new Promise<void>((resolve) => {
    isRecorded = resolve;
  });
  const slow = database.db.transaction().execute(async (trx) => {
    await recordChange(trx, 'server', '/slow');
    isRecorded();
    await held;
  });
  await recorded;
  await recordChange(database.db, 'server', '/quick');
  await feed.caughtUp();
  expect(heard).toEqual(['/quick']);
  commit();
  await slow;
  await feed.caughtUp();
  expect(heard).toEqual(['/quick', '/slow']);
});

test('transactions that lock the same thing run one after the other', async () => {
  const { db } = await open();
  await db.insertInto('leases').values({ name: 'counter', holder: '', fence: 0, expires_at: 0 }).execute();
  const increment = (trx: Db) => async () => {
    await lockUntilCommit(trx, 'counter');
    const { fence } = await trx
      .selectFrom('leases')
      .select('fence')
      .where('name', '=', 'counter')
      .executeTakeFirstOrThrow();
    await trx
      .updateTable('leases')
      .set({ fence: fence + 1 })
      .where('name', '=', 'counter')
      .execute();
  };
  await Promise.all(Array.from({ length: 20 }, () => db.transaction().execute((trx) => increment(trx)())));
  const row = await db.selectFrom('leases').select('fence').where('name', '=', 'counter').executeTakeFirst();
  expect(row?.fence).toBe(20);
});

test('while the database is away that is what every failure says, and afterwards it goes on and rebuilds', async () => {
  const database = await open();
  const feed = await follow(database, 0);
  await recordChange(database.db, 'server', '/before');
  await feed.caughtUp();
  const heard = next(feed);
  await server.stop();
  try {
    const failure = await recordChange(database.db, 'server', '/lost').catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'database_unavailable', status: 503 });
    expect(failure).toBeInstanceOf(Failure);
    await feed.caughtUp();
    expect(feed.behindSince()).not.toBeNull();
  } finally {
    await server.start();
  }
  await feed.caughtUp();
  expect(await heard).toBeNull();
  expect(feed.behindSince()).toBeNull();
  const rows = await database.db.selectFrom('changes').select('key').execute();
  expect(rows).toEqual([{ key: '/before' }]);
});

test('connections that the server cuts are replaced, and a statement that is wrong is not taken for an outage', async () => {
  const { db } = await open();
  await recordChange(db, 'server', '/a');
  const client = new pg.Client(settings.url);
  await client.connect();
  await client.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
  await client.end();
  const written = async (): Promise<void> => {
    try {
      await recordChange(db, 'server', '/b');
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      await written();
    }
  };
  await written();
  const wrong = await db
    .selectFrom('nowhere' as 'changes')
    .selectAll()
    .execute()
    .catch((error: unknown) => error);
  expect(wrong).not.toBeInstanceOf(Failure);
});

test.each([
  ['postgres://u:p@db.example.com/x', {}],
  ['postgres://u:p@localhost/x', false],
  ['postgres://u:p@db.example.com/x?sslmode=disable', false],
  ['postgres://u:p@db.example.com/x?sslmode=require', { rejectUnauthorized: false }],
  ['postgres://u:p@127.0.0.1/x?sslmode=verify-full', {}],
])('TLS to %s', (url, expected) => {
  const [place] = placesOf({ ...settings, url }, 'pooled').all;
  expect(place?.ssl).toEqual(expected);
});

test('through a pooler no limits are asked of the server, and the direct way has them', () => {
  const both = { ...settings, url: 'postgres://a@pooler/x', directUrl: 'postgres://a@server/x' };
  expect(placesOf(both, 'pooled').all[0]).not.toHaveProperty('statement_timeout');
  expect(placesOf(both, 'direct').all[0]).toMatchObject({
    statement_timeout: 30_000,
    connectionString: both.directUrl,
  });
});

/** The address with another server before the one that there is. */
const after = (host: string): string => settings.url.replace('@', `@${host},`);

test('of several servers that is used which is there, also after another has taken over', async () => {
  settings = { ...settings, url: after(`127.0.0.1:${await freePort()}`) };
  const { db, hint } = await open();
  await recordChange(db, 'server', '/a');
  const woken = new Promise<void>((resolve) => hint(resolve));
  await recordChange(db, 'server', '/b');
  await woken;
  expect(await db.selectFrom('changes').select('key').execute()).toHaveLength(2);
});

test('a server that takes no changes is not used, nor one that no longer takes them', async () => {
  const database = new URL(settings.url).pathname.slice(1);
  const set = async (value: 'on' | 'off'): Promise<void> => {
    const client = new pg.Client(settings.url.replace(/[^/]+$/, 'postgres'));
    await client.connect();
    await client.query(`alter database ${database} set default_transaction_read_only = ${value}`);
    await client.end();
  };
  const { db } = await open();
  await set('on');
  for (const url of [`${settings.url}?target_session_attrs=read-write`, after('127.0.0.1:1')]) {
    const pool = poolOf({ ...settings, url }, 'pooled', 1);
    ends.push(() => pool.end());
    await expect(pool.connect()).rejects.toMatchObject({ code: 'database_unavailable' });
  }
  await set('off');
  // A connection from before, whose server has become a standby: it refuses once, and is replaced.
  const turn = await db
    .connection()
    .execute((one) => sql`set default_transaction_read_only = on`.execute(one));
  expect(turn.rows).toEqual([]);
  await expect(recordChange(db, 'server', '/a')).rejects.toMatchObject({ code: 'database_unavailable' });
  await recordChange(db, 'server', '/a');
});

test('audit events are written whole, and once also when a batch comes again', async () => {
  const { db } = await open();
  const event = (action: string): AuditEvent => ({
    ...{ kind: 'mcp', at: '2026-01-01T00:00:00.250Z', correlationId: 'c', clientIp: null, resource: null },
    who: { provider: 'entra', subject: 's', username: `o'Brien "\\ Zoë`, clientId: null, method: 'bearer' },
    ...{ action, decision: 'deny', status: 403, durationMs: 1.5, detail: { list: [1, { deep: 'ü' }] } },
  });
  let isFirst = true;
  const sink = postgresSink(
    // As when the answer to the first attempt is lost.
    db.withPlugin({
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        if (!isFirst) return result;
        isFirst = false;
        throw new Error('lost');
      },
    }),
  );
  const batch = Array.from({ length: 2048 }, (_, at) => event(`call-${at}`));
  await expect(sink.write(batch)).rejects.toThrow('lost');
  await sink.write(batch);
  const rows = await db.selectFrom('audit_events').selectAll().orderBy('id').execute();
  expect(rows.map(({ action }) => action)).toEqual(batch.map(({ action }) => action));
  expect(rows[0]).toMatchObject({
    ...{ username: `o'Brien "\\ Zoë`, status: 403, duration_ms: 1.5, count: 1, client_ip: null, tool: null },
    detail: '{"list":[1,{"deep":"ü"}]}',
  });
});

test('everything of an embedded database moves into an empty one, and never into one that has something', async () => {
  const source = await openMemory();
  ends.push(() => source.close());
  const at = '2026-01-01T00:00:00.000Z';
  await rememberPerson(source.db, 'entra', { ...alice, groups: ['g', "o'h"] }, at);
  const scope = { name: 's', serverRules: [], agentRules: [], uiPermissions: {}, groupMappings: ['g'] };
  await putScope(source.db, { scope, idpGroupId: null }, at);
  for (let id = 0; id < 2500; id += 1)
    await source.db
      .insertInto('m2m_clients')
      .values({
        ...{ provider: 'entra', client_id: `c${id}`, name: 'ünïcode 🎉', description: '', groups: '[]' },
        ...{ is_enabled: 1, source: 'manual', created_by: 'a', created_at: at, updated_at: at },
      })
      .execute();
  const target = await open();
  const { rows } = await moveRows(source.db, target.db);
  expect(rows).toMatchObject({ people: 1, scopes: 1, m2m_clients: 2500 });
  for (const table of ['people', 'scopes', 'm2m_clients'] as const) {
    const of = (db: Db) => db.selectFrom(table).selectAll().execute();
    const sorted = (found: object[]) => found.map((row) => JSON.stringify(Object.entries(row).sort())).sort();
    expect(sorted(await of(target.db))).toEqual(sorted(await of(source.db)));
  }
  await expect(moveRows(source.db, target.db)).rejects.toThrow('already');
});
