import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AuditFilters, type AuditSummary, auditEndpoints } from '../../../contract/audit.ts';
import type { Handlers } from '../../../contract/endpoint.ts';
import { Reply } from '../../../contract/endpoint.ts';
import type { Caller } from '../../access/caller.ts';
import type { AuditEvent } from '../../audit/event.ts';
import { databaseSink } from '../../audit/sinks/database.ts';
import { createTrail, type HeldTrail } from '../../audit/trail.ts';
import { type OpenDatabase, openDatabase } from '../../db/open.ts';
import { asFailure } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import { auditEventHandlers } from './handlers.ts';
import { lookedAt } from './store.ts';

const now = Date.parse('2026-03-10T12:00:00.000Z');
let directory: string;
let database: OpenDatabase;
let trail: HeldTrail;
let handlers: Handlers<typeof auditEndpoints, Caller<Identity>>;
let notes: Record<string, unknown>;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'audit-'));
  database = await openDatabase(directory);
  const log = { error: () => {} };
  trail = createTrail({ sinks: [databaseSink(directory)], log });
  // The thread that writes takes its time to start on a busy machine.
  const patience = 20_000;
  handlers = auditEventHandlers({ reads: database.db, now: () => now, trail, retentionDays: 90, patience });
  notes = {};
});
afterEach(async () => {
  await trail.close();
  await database.close();
  rmSync(directory, { recursive: true });
});

const alice = { provider: 'entra', subject: 'a1', username: 'alice', clientId: 'web', method: 'session' };
const bob = { provider: 'entra', subject: 'b1', username: 'Bob_50%', clientId: null, method: 'bearer' };

function record(event: Partial<AuditEvent> = {}): void {
  trail.record({
    ...{
      kind: 'mcp',
      at: '2026-03-10T11:00:00.000Z',
      correlationId: 'c-0',
      who: alice,
      clientIp: '10.0.0.1',
    },
    ...{ action: 'tools/call', resource: 'currenttime', decision: 'allow', status: 200, durationMs: 1 },
    ...event,
  });
}

const caller = { note: (detail: object) => void Object.assign(notes, detail) } as Caller<Identity>;
type Asked = Readonly<Record<string, string | undefined>>;
async function list(asked: Asked = {}) {
  const query = auditEndpoints['audit.list'].query.parse(asked);
  const answer = await handlers['audit.list']({ params: {}, query, body: undefined }, caller);
  return answer as Exclude<typeof answer, Reply<unknown>>;
}
async function summary(asked: Asked = {}): Promise<AuditSummary> {
  const query = auditEndpoints['audit.summary'].query.parse(asked);
  return (await handlers['audit.summary']({ params: {}, query, body: undefined }, caller)) as AuditSummary;
}
async function exported(asked: Asked = {}): Promise<{ text: string; headers: Record<string, string> }> {
  const query = auditEndpoints['audit.export'].query.parse(asked);
  const reply = await handlers['audit.export']({ params: {}, query, body: undefined }, caller);
  if (!(reply instanceof Reply)) throw new Error('no reply');
  return { text: await text(reply.body as ReadableStream), headers: reply.headers };
}
const actions = async (asked: Asked) => (await list(asked)).events.map(({ action }) => action);

test('events come newest first, page by page, each exactly once, also where times are the same', async () => {
  for (let index = 0; index < 25; index++)
    record({ action: `a${index}`, at: `2026-03-10T11:00:0${Math.floor(index / 10)}.000Z` });
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await list({ limit: '7', ...(cursor ? { cursor } : {}) });
    seen.push(...page.events.map(({ action }) => action));
    expect(page.events.length).toBeLessThanOrEqual(7);
    cursor = page.next_cursor;
    // What happens meanwhile is newer and moves no page.
    record({ action: 'newer', at: '2026-03-10T11:30:00.000Z' });
  } while (cursor);
  expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => `a${24 - index}`));
});

describe('each filter keeps what it names', () => {
  beforeEach(() => {
    record({ action: 'mine', tool: 'now', correlationId: 'c-1' });
    record({ action: 'yours', who: bob, resource: '/team/search', status: 404, decision: 'deny' });
    record({
      action: 'nobodys',
      who: null,
      kind: 'sign-in',
      status: 502,
      decision: 'error',
      reason: 'Ärger',
    });
    record({ action: 'old', at: '2026-03-01T00:00:00.000Z', status: 201, kind: 'change' });
  });
  test.each<[Asked, string[]]>([
    [{}, ['nobodys', 'yours', 'mine', 'old']],
    [{ from: '2026-03-05T00:00:00Z' }, ['nobodys', 'yours', 'mine']],
    [{ to: '2026-03-10T13:00:00+02:00' }, ['old']],
    [{ kind: 'sign-in' }, ['nobodys']],
    [{ username: 'LIC' }, ['mine', 'old']],
    [{ username: '_50%' }, ['yours']],
    [{ username: '%' }, ['yours']],
    [{ username: "' or 1=1 --" }, []],
    [{ subject: 'b1' }, ['yours']],
    [{ client_id: 'web' }, ['mine', 'old']],
    [{ action: 'mine' }, ['mine']],
    [{ action: 'min' }, []],
    [{ resource: 'team/search' }, ['yours']],
    [{ resource: '/currenttime/' }, ['nobodys', 'mine', 'old']],
    [{ tool: 'now' }, ['mine']],
    [{ decision: 'deny' }, ['yours']],
    [{ decision: 'error' }, ['nobodys']],
    [{ decision: 'allow' }, ['mine', 'old']],
    [{ status: '4xx' }, ['yours']],
    [{ status: '2xx' }, ['mine', 'old']],
    [{ correlation_id: 'c-1' }, ['mine']],
    [{ correlation_id: 'c-0', decision: 'deny' }, ['yours']],
    [{ q: 'SEARCH' }, ['yours']],
    [{ q: 'Ärg' }, ['nobodys']],
    [{ q: '10.0.0.' }, ['nobodys', 'yours', 'mine', 'old']],
    [{ q: 'lic', action: 'old' }, ['old']],
  ])('%j', async (asked, expected) => {
    expect(await actions(asked)).toEqual(expected);
    expect((await list(asked)).next_cursor).toBeNull();
    const lines = (await exported(asked)).text.trim().split('\n').filter(Boolean);
    expect(lines.map((line) => JSON.parse(line).action)).toEqual(expected);
  });
});

test('a misspelt filter is a fault and not ignored', () => {
  for (const key of ['usernme', 'sort'])
    expect(auditEndpoints['audit.list'].query.safeParse({ [key]: 'x' }).success).toBe(false);
});

test('a page looks at a bounded number of events and says how far it came', async () => {
  for (let index = 0; index < lookedAt + 5; index++)
    record({ action: index === 2 ? 'rare' : 'common', at: new Date(now - 1e9 + index * 1000).toISOString() });
  const first = await list({ q: 'rare' });
  expect(first.events).toEqual([]);
  expect(first.searched_to).toBe(new Date(now - 1e9 + 5 * 1000).toISOString());
  const second = await list({ q: 'rare', cursor: first.next_cursor ?? '' });
  expect([second.events.map(({ action }) => action), second.next_cursor]).toEqual([['rare'], null]);
  expect((await exported({ q: 'rare' })).text.trim().split('\n')).toHaveLength(1);
});

test('what a slow collector still holds keeps nobody from reading', async () => {
  record({ action: 'written' });
  await trail.flush();
  const stuck = { flush: () => new Promise<void>(() => {}) };
  const own = auditEventHandlers({ reads: database.db, now: () => now, trail: stuck, retentionDays: 90 });
  const query = auditEndpoints['audit.list'].query.parse({});
  const page = await own['audit.list']({ params: {}, query, body: undefined }, caller);
  expect(page).toMatchObject({ events: [{ action: 'written' }] });
});

test('a cursor that is not ours is refused', async () => {
  for (const cursor of ['x', Buffer.from("' or 1").toString('base64url'), 'AAAA'])
    expect(await list({ cursor }).catch((error) => asFailure(error).faults)).toEqual([
      { at: 'query.cursor', message: 'is not a cursor' },
    ]);
});

test('one event has its details, the list has not', async () => {
  record({ kind: 'change', detail: { before: null, after: { tags: ['x'] } } });
  const page = await list();
  const get = (id: string) => handlers['audit.get']({ params: { id }, query: {}, body: undefined }, caller);
  const listed = auditEndpoints['audit.list'].output.parse(page).events[0];
  expect(listed).not.toHaveProperty('detail');
  expect(await get(listed?.id ?? '')).toEqual({
    ...listed,
    detail: { before: null, after: { tags: ['x'] } },
  });
  expect(await Promise.resolve(get('nowhere')).catch((error) => asFailure(error).code)).toBe('not_found');
});

test('the summary counts every bucket, the empty ones too', async () => {
  for (const decision of ['allow', 'allow', 'deny', 'error'] as const) record({ decision });
  record({ at: '2026-03-10T10:30:00.000Z' });
  record({ at: '2026-03-09T11:59:59.000Z' });
  const { bucket, timeline, from, to, retention_days } = await summary();
  expect(retention_days).toBe(90);
  expect([bucket, from, to, timeline.length]).toEqual([
    'hour',
    '2026-03-09T12:00:00.000Z',
    '2026-03-10T12:00:00.000Z',
    24,
  ]);
  expect(timeline.slice(-3)).toEqual([
    { at: '2026-03-10T09:00:00.000Z', allow: 0, deny: 0, error: 0 },
    { at: '2026-03-10T10:00:00.000Z', allow: 1, deny: 0, error: 0 },
    { at: '2026-03-10T11:00:00.000Z', allow: 2, deny: 1, error: 1 },
  ]);
  expect(timeline.slice(0, -2).every(({ allow, deny, error }) => allow + deny + error === 0)).toBe(true);
  expect((await summary({ from: '2026-01-01T00:00:00Z' })).bucket).toBe('day');
  expect((await summary({ from: '2026-03-10T11:00:00Z' })).timeline).toHaveLength(60);
});

test('the summary names who was refused most, and strangers by their address', async () => {
  for (let index = 0; index < 3; index++) record({ decision: 'deny', clientIp: `10.0.0.${index}` });
  for (const clientIp of ['1.1.1.1', '1.1.1.1', '2.2.2.2']) record({ decision: 'deny', who: null, clientIp });
  // A page that asks who is signed in before anybody is.
  for (let index = 0; index < 9; index++)
    record({
      decision: 'deny',
      who: null,
      action: 'auth.me',
      reason: 'credential_missing',
      clientIp: '3.3.3.3',
    });
  record({ decision: 'error', who: bob });
  record({ decision: 'allow', who: bob });
  const { refusals } = await summary();
  expect(refusals.map(({ username, client_ip, count }) => [username, client_ip, count])).toEqual([
    ['alice', null, 3],
    [null, '1.1.1.1', 2],
    [null, '2.2.2.2', 1],
  ]);
});

test('a row that stands for many counts as many, and says from when to when', async () => {
  const refused = { who: null, decision: 'deny', status: 401, reason: 'credential_missing' } as const;
  for (let index = 0; index < 500; index++)
    record({ ...refused, resource: `r${index}`, at: new Date(now - 600_000 + index * 10).toISOString() });
  await trail.close();
  const { events } = await list({ limit: '1' });
  expect(events[0]).toMatchObject({
    ...{ action: 'tools/call', resource: null, count: 495, client_ip: '10.0.0.1' },
    ...{ at: '2026-03-10T11:50:00.050Z', last_at: '2026-03-10T11:50:04.990Z' },
  });
  const { timeline, refusals } = await summary();
  expect(timeline.reduce((sum, { deny }) => sum + deny, 0)).toBe(500);
  expect(refusals).toMatchObject([
    { count: 500, client_ip: '10.0.0.1', last_at: '2026-03-10T11:50:04.990Z' },
  ]);
  const line = (await exported({ format: 'csv', limit: '1' })).text.split('\r\n')[1];
  expect(line).toContain('"495","2026-03-10T11:50:04.990Z"');
});

test('the summary names the sign-ins that failed, with the reason', async () => {
  const failed = { kind: 'sign-in', who: null, decision: 'deny', reason: 'sign_in_refused' } as const;
  record(failed);
  record({ ...failed, at: '2026-03-10T11:30:00.000Z' });
  record({ ...failed, decision: 'error', reason: 'identity_unavailable' });
  record({ kind: 'sign-in', decision: 'allow' });
  const { failed_sign_ins } = await summary();
  expect(failed_sign_ins.map(({ reason, count, last_at }) => [reason, count, last_at])).toEqual([
    ['sign_in_refused', 2, '2026-03-10T11:30:00.000Z'],
    ['identity_unavailable', 1, '2026-03-10T11:00:00.000Z'],
  ]);
});

test.each([
  { from: '2025-01-01T00:00:00Z' },
  { from: '2026-03-10T12:00:00Z' },
  { to: '2026-03-01T00:00:00Z', from: '2026-03-02T00:00:00Z' },
])('a summary of %j is refused', async (asked) => {
  expect(await summary(asked).catch((error) => asFailure(error).code)).toBe('invalid_input');
});

test('an export is a file, and is recorded with what was asked for', async () => {
  record();
  const { text, headers } = await exported({ format: 'csv', username: 'alice' });
  expect(headers).toEqual({
    'content-type': 'text/csv; charset=utf-8',
    'content-disposition': 'attachment; filename="audit-export-20260310-120000.csv"',
  });
  expect(text.split('\r\n')[0]).toMatch(/^"id","at","kind","correlation_id",.*,"detail"$/);
  expect(text.split('\r\n')).toHaveLength(3);
  expect(notes).toEqual({ format: 'csv', limit: 100_000, filters: { username: 'alice' } });
});

test('an export ends at its limit', async () => {
  for (let index = 0; index < 1200; index++) record();
  expect((await exported({ limit: '1001' })).text.trim().split('\n')).toHaveLength(1001);
  expect((await exported()).text.trim().split('\n')).toHaveLength(1200);
});

test('an export reads no further than its reader takes, and stops with it', async () => {
  for (let index = 0; index < 5000; index++) record();
  await trail.flush();
  let pages = 0;
  const counting = database.db.withPlugin({
    transformQuery: ({ node }) => {
      pages += 1;
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  const own = auditEventHandlers({ reads: counting, now: () => now, trail, retentionDays: 90 });
  const query = auditEndpoints['audit.export'].query.parse({});
  const reply = await own['audit.export']({ params: {}, query, body: undefined }, caller);
  if (!(reply instanceof Reply)) throw new Error('no reply');
  const reader = reply.body.getReader();
  await reader.read();
  await reader.read();
  // Two taken and one ready; statements of the trail's own are none of this connection.
  expect(pages).toBeLessThanOrEqual(3 * 2);
  await reader.cancel();
  const then = pages;
  await trail.flush();
  expect(pages).toBe(then);
});

test('filters and their types are the same for the list and the export', () => {
  const keys = (id: 'audit.list' | 'audit.export') => Object.keys(auditEndpoints[id].query.shape);
  const filters = keys('audit.list').filter((key) => key !== 'limit' && key !== 'cursor');
  expect(keys('audit.export').filter((key) => key !== 'limit' && key !== 'format')).toEqual(filters);
  const typed: (keyof AuditFilters)[] = ['from', 'q'];
  expect(filters).toEqual(expect.arrayContaining(typed));
});

describe('what a person looks for', () => {
  beforeEach(() => {
    record({ decision: 'deny', status: 403, reason: 'tool', tool: 'drop' });
    record({
      decision: 'deny',
      status: 401,
      reason: 'credential_missing',
      who: null,
      kind: 'api',
      action: 'auth.me',
    });
    record({ decision: 'deny', status: 404, reason: 'not_found', kind: 'api', action: 'servers.get' });
    record({
      decision: 'deny',
      status: 403,
      reason: 'not_allowed',
      kind: 'api',
      action: 'sessions.list',
      who: bob,
    });
    record({ kind: 'change', action: 'servers.toggle' });
    record({ kind: 'sign-in', action: 'callback', decision: 'deny', status: 401, who: null });
    record({ decision: 'error', status: 502, reason: 'upstream_unreachable' });
    record({});
  });
  const actions = async (matter: string) =>
    (await list({ matter })).events.map(({ action, reason }) => `${action} ${reason ?? ''}`.trim()).sort();

  test('denials are of known people, and no noise of the sign-in page or of what is not there', async () => {
    expect(await actions('denials')).toEqual(['sessions.list not_allowed', 'tools/call tool']);
    expect(await actions('changes')).toEqual(['servers.toggle']);
    expect(await actions('attention')).toEqual([
      'servers.toggle',
      'sessions.list not_allowed',
      'tools/call tool',
    ]);
    expect(await actions('sign-ins')).toEqual(['callback']);
    expect(await actions('failures')).toEqual(['tools/call upstream_unreachable']);
  });

  test('the summary and the facets follow the filters', async () => {
    const sums = ({ timeline }: AuditSummary) =>
      timeline.reduce((sum, one) => sum + one.allow + one.deny + one.error, 0);
    expect(sums(await summary())).toBe(8);
    expect(sums(await summary({ matter: 'denials' }))).toBe(2);
    expect((await summary({ username: 'bob' })).refusals.map(({ username }) => username)).toEqual([
      'Bob_50%',
    ]);
    const query = auditEndpoints['audit.facets'].query.parse({ matter: 'denials' });
    const facets = await handlers['audit.facets']({ params: {}, query, body: undefined }, caller);
    expect(facets).toMatchObject({
      kind: [
        { value: 'api', count: 1 },
        { value: 'mcp', count: 1 },
      ],
      tool: [{ value: 'drop', count: 1 }],
      decision: [{ value: 'deny', count: 2 }],
    });
  });

  test('a facet names the token, the client, the request and the application that an id is of', async () => {
    const at = '2026-03-10T10:00:00.000Z';
    const who = { provider: 'entra', subject: 'a1', username: 'alice@contoso.example' };
    const times = { created_at: at, expires_at: at };
    await database.db
      .insertInto('tokens')
      .values({ ...who, ...times, id: 'token-1', description: 'Laptop', scopes: '[]' })
      .execute();
    await database.db
      .insertInto('people')
      .values({
        ...who,
        subject: 'r1',
        username: 'app-1',
        name: 'Report robot',
        groups: '[]',
        groups_read_at: at,
      })
      .execute();
    record({ kind: 'token', action: 'tokens.revoke', resource: 'token-1' });
    record({ resource: 'unknown-id', who: { ...alice, username: 'app-1' } });
    record({ resource: 'other', who: { ...alice, username: who.username } });
    const query = auditEndpoints['audit.facets'].query.parse({});
    const facets = await handlers['audit.facets']({ params: {}, query, body: undefined }, caller);
    expect(facets).toMatchObject({
      resource: expect.arrayContaining([
        { value: 'token-1', count: 1, name: 'Laptop · alice@contoso.example' },
        { value: 'unknown-id', count: 1, name: null },
      ]),
      username: expect.arrayContaining([
        { value: 'app-1', count: 1, name: 'Report robot' },
        { value: who.username, count: 1, name: null },
      ]),
    });
  });
});
