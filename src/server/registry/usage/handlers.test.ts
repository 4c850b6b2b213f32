import { afterEach, beforeEach, expect, test } from 'vitest';
import { serverInput } from '../../../contract/servers/servers.ts';
import { type Usage, usageEndpoints } from '../../../contract/usage.ts';
import type { Caller } from '../../access/caller.ts';
import { type OpenDatabase, openMemory } from '../../db/open.ts';
import type { Identity } from '../../identity/identity.ts';
import { insert } from '../servers/store.ts';
import { usageHandlers } from './handlers.ts';

const now = Date.parse('2026-03-10T12:00:00.000Z');
let database: OpenDatabase;
let count = 0;

beforeEach(async () => {
  database = await openMemory();
});
afterEach(() => database.close());

async function call(parts: object = {}): Promise<void> {
  await database.db
    .insertInto('audit_events')
    .values({
      ...{ id: `e${String(count++).padStart(6, '0')}`, at: '2026-03-10T11:00:00.000Z', kind: 'mcp' },
      ...{ correlation_id: 'c', provider: 'entra', subject: 's', username: 'alice', client_id: 'ide' },
      ...{ auth_method: 'bearer', client_ip: null, action: 'tools/call', resource: 'clock', tool: 'now' },
      ...{ decision: 'allow', reason: null, status: 200, duration_ms: 10, detail: null, credential_id: null },
      ...parts,
    })
    .execute();
}

async function usage(asked: object = {}): Promise<Usage> {
  const query = usageEndpoints['usage.read'].query.parse(asked);
  const handlers = usageHandlers({ reads: database.db, now: () => now });
  return (await handlers['usage.read'](
    { params: {}, query, body: undefined },
    {} as Caller<Identity>,
  )) as Usage;
}

test('calls are counted by server, tool, person and client, with how long they took', async () => {
  for (let n = 1; n <= 100; n += 1) await call({ duration_ms: n });
  await call({ decision: 'error', tool: 'fail' });
  await call({ decision: 'deny', username: 'bob', client_id: null });
  await call({ resource: '/other', tool: 'x', at: '2026-03-10T10:30:00.000Z' });
  for (const action of ['initialize', 'tools/list']) await call({ action, resource: 'quiet' });
  await call({ at: '2026-03-01T00:00:00.000Z', resource: 'before' });
  const by = await usage();
  expect(by.total).toMatchObject({ calls: 103, denied: 1, errors: 1 });
  expect(by.rows.map(({ key, calls }) => [key, calls])).toEqual([
    ['clock', 102],
    ['other', 1],
  ]);
  // A histogram is right to 5 %.
  expect(by.rows[0]?.p50_ms).toBeGreaterThan(46);
  expect(by.rows[0]?.p50_ms).toBeLessThan(54);
  expect(by.rows[0]?.p95_ms).toBeGreaterThan(90);
  expect(by.rows[0]?.p95_ms).toBeLessThan(101);
  expect(by.timeline.map(({ calls }) => calls).filter((calls) => calls > 0)).toEqual([1, 102]);
  expect((await usage({ by: 'tool' })).rows.map(({ key }) => key)).toEqual([
    'clock now',
    'clock fail',
    'other x',
  ]);
  expect((await usage({ by: 'person' })).rows.map(({ key, calls }) => [key, calls])).toEqual([
    ['alice', 102],
    ['bob', 1],
  ]);
  expect((await usage({ by: 'client', server: '/clock' })).rows).toMatchObject([{ key: 'ide', calls: 101 }]);
  expect((await usage({ username: 'bob' })).total.calls).toBe(1);
});

test('what lists of tools cost in tokens is added up, by client too, and is no call', async () => {
  const list = (tokens: number, parts: object = {}) =>
    call({ action: 'tools/list', tool: null, detail: JSON.stringify({ list_tokens: tokens }), ...parts });
  await call();
  await list(1_000);
  await list(500, { client_id: 'agent', resource: 'virtual/both' });
  await list(700, { decision: 'deny' });
  await call({ action: 'tools/list', detail: null });
  const { total, rows } = await usage({ by: 'client' });
  expect(total).toMatchObject({ calls: 1, list_tokens: 1_500 });
  expect(rows.map(({ key, calls, list_tokens }) => [key, calls, list_tokens])).toEqual([
    ['ide', 1, 1_000],
    ['agent', 0, 500],
  ]);
});

test('slices of the trail are put together without a gap or a repeat, and unused servers are named', async () => {
  const one = {
    kind: 'mcp',
    correlation_id: 'c',
    action: 'tools/call',
    resource: 'clock',
    decision: 'allow',
  };
  const rest = {
    provider: null,
    subject: null,
    username: 'a',
    client_id: null,
    auth_method: null,
    client_ip: null,
  };
  const more = { tool: null, reason: null, status: 200, duration_ms: 1, detail: null, credential_id: null };
  const rows = Array.from({ length: 5_100 }, (_, n) => ({
    ...{ id: `s${n}`, at: new Date(now - 1000 - Math.floor(n / 3)).toISOString() },
    ...{ ...one, ...rest, ...more },
  }));
  for (let from = 0; from < rows.length; from += 300)
    await database.db
      .insertInto('audit_events')
      .values(rows.slice(from, from + 300))
      .execute();
  for (const name of ['clock', 'idle'])
    await insert(database.db, {
      ...{ id: name, isEnabled: true, registeredBy: 'a', registeredAt: '' },
      definition: serverInput.parse({ server_name: name, path: name, proxy_pass_url: 'http://a.example' }),
    });
  expect(await usage()).toMatchObject({ total: { calls: 5_100 }, unused: ['/idle'], truncated: false });
});
