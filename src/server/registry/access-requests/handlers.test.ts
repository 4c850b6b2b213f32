import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Endpoint } from '../../../contract/endpoint.ts';
import { type AccessRequest, accessRequestEndpoints } from '../../../contract/people/access-requests.ts';
import { serverInput } from '../../../contract/servers/servers.ts';
import type { Caller } from '../../access/caller.ts';
import { decide } from '../../access/decide.ts';
import { accessOf } from '../../access/grants.ts';
import { followed } from '../../changes/feed.test-support.ts';
import type { Feed } from '../../changes/feed.ts';
import { keyOf } from '../../changes/record.ts';
import { type OpenDatabase, openMemory } from '../../db/open.ts';
import type { Identity } from '../../identity/identity.ts';
import { settleRealms } from '../../identity/realms.ts';
import { accessHandlers } from '../access/handlers.ts';
import { type Scopes, startScopes } from '../scopes/watch.ts';
import { insert, listServers, remove, type ServerRow } from '../servers/store.ts';
import { type AccessRequestsWorld, accessRequestHandlers } from './handlers.ts';
import { endGrantsOn } from './store.ts';

const scopeFile = `
UI-Scopes:
  registry-admins: { list_service: [all] }
  makers: { list_service: [theirs], register_service: [all] }
registry-admins: [{ server: "*", methods: [all], tools: [all] }]
makers: [{ server: other, methods: [ping] }]
group_mappings: { admins: [registry-admins], makers: [makers] }
`;

let folder: string;
let database: OpenDatabase;
let feed: Feed;
let clock: number;
let timers: { at: number; run: () => void }[];
let processes: Scopes[];
let ended: string[];
let notes: Record<string, unknown>[];
let rows: ServerRow[];

const identity = (username: string, groups: string[] = [], more: Partial<Identity> = {}): Identity =>
  ({
    kind: 'person',
    provider: 'entra',
    subject: `id-of-${username}`,
    username,
    groups,
    ...more,
  }) as Identity;
const nora = identity('nora');
const admin = identity('alice', ['admins']);
const owner = identity('mike', ['makers']);
const bob = identity('bob');

/** One process: its own scopes in force over the same database, with timers that the test runs. */
async function startProcess(): Promise<Scopes> {
  const scopes = await startScopes({
    ...{ db: database.db, feed, file: join(folder, 'scopes.yml'), now: () => clock },
    log: { info() {}, warn() {}, error() {} },
    recordEnd: ({ id }) => ended.push(id),
    after: (milliseconds, run) => {
      const timer = { at: clock + milliseconds, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
  });
  processes.push(scopes);
  return scopes;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gateway-requests-'));
  writeFileSync(join(folder, 'scopes.yml'), scopeFile);
  database = await openMemory();
  feed = await followed(database);
  clock = Date.UTC(2026, 0, 1);
  [timers, processes, ended, notes] = [[], [], [], []];
  await startProcess();
  for (const [name, of] of [
    ['theirs', owner],
    ['other', admin],
  ] as const)
    await insert(database.db, {
      id: `server-${name}`,
      definition: serverInput.parse({
        server_name: name,
        path: `/${name}`,
        proxy_pass_url: 'http://a.test/mcp',
      }),
      ...{ isEnabled: true, registeredBy: of.username, owner: keyOf(of.provider, of.subject) },
      registeredAt: new Date(clock).toISOString(),
    });
  rows = await listServers(database.db);
});
afterEach(async () => {
  for (const scopes of processes) await scopes.close();
  await feed.close();
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

const grants = () => processes[0]?.grants() as ReturnType<Scopes['grants']>;

/** Calls an endpoint as the HTTP room does. */
async function call<T = AccessRequest>(
  id: keyof typeof accessRequestEndpoints,
  who: Identity,
  given: { params?: object; query?: object; body?: object } = {},
  more: Partial<AccessRequestsWorld> = {},
): Promise<T> {
  let count = 0;
  const handlers = accessRequestHandlers({
    ...{ db: database.db, now: () => clock, grants, rows: () => rows, taken: 'named' },
    newId: () => `request-${clock}-${who.username}-${count++}-${Math.random()}`,
    ...more,
  });
  const endpoint: Endpoint = accessRequestEndpoints[id];
  const input = {
    params: endpoint.params?.parse(given.params ?? {}),
    query: endpoint.query?.parse(given.query ?? {}),
    body: endpoint.body?.parse(given.body ?? {}),
  };
  const caller: Caller<Identity> = {
    ...{ identity: who, access: accessOf({ ...who }, grants()), correlationId: '' },
    note: (detail) => notes.push({ ...detail }),
  };
  const result = await (handlers[id] as (input: unknown, caller: Caller<Identity>) => unknown)(input, caller);
  await feed.caughtUp();
  return endpoint.output.parse(result) as T;
}

const ask = (who: Identity, path = '/theirs', reason = 'a report') =>
  call('accessRequests.create', who, { body: { path, reason } });
const grant = (who: Identity, { id }: { id: string }, body: object = { tools: 'all' }) =>
  call('accessRequests.grant', who, { params: { id }, body });
const may = (who: Identity, tool = 'x', server = 'theirs', process = 0) =>
  decide({ ...who }, { server, method: 'tools/call', tool }, (processes[process] as Scopes).grants()).allow;
const sees = (who: Identity, server = 'theirs') => accessOf({ ...who }, grants()).may('list_service', server);

test('who is granted a tool may call that one on that server, sees the server, and nobody else gains anything', async () => {
  const asked = await ask(nora);
  expect(asked).toMatchObject({ status: 'pending', username: 'nora', server_exists: null });
  expect(may(nora)).toBe(false);
  expect(await grant(owner, asked, { tools: ['x'] })).toMatchObject({ status: 'granted', tools: ['x'] });
  expect([may(nora), may(nora, 'y'), may(nora, 'x', 'other'), may(bob), may(owner)]).toEqual([
    ...[true, false, false, false, false],
  ]);
  expect([sees(nora), sees(nora, 'other'), sees(bob)]).toEqual([true, false, false]);
  expect(accessOf({ ...nora }, grants()).isAdmin).toBe(false);
  // A program with the same subject at another provider is somebody else.
  expect(may({ ...nora, provider: 'okta' })).toBe(false);
  // A credential that was limited before has no part in it.
  expect(may({ ...nora, limitedTo: ['makers'] })).toBe(false);
  expect(notes.at(-1)).toMatchObject({ path: '/theirs', person: { username: 'nora' }, tools: ['x'] });
});

test('a grant for a time ends when its time comes, in each process, and one of them records it', async () => {
  const second = await startProcess();
  const asked = await ask(nora);
  expect(await grant(admin, asked, { tools: 'all', hours: 8 })).toMatchObject({
    ends_at: new Date(clock + 8 * 3_600_000).toISOString(),
  });
  expect([may(nora), may(nora, 'x', 'theirs', 1)]).toEqual([true, true]);
  // Timers are run as far as time has come; a grant is looked at again within a minute at most.
  const run = async (until: number) => {
    for (;;) {
      const due = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      clock = due.at;
      timers = timers.filter((one) => one !== due);
      due.run();
    }
    clock = until;
    await new Promise(setImmediate);
    await feed.caughtUp();
  };
  const end = clock + 8 * 3_600_000;
  await run(end - 1);
  expect([may(nora), may(nora, 'x', 'theirs', 1)]).toEqual([true, true]);
  await run(end);
  expect([may(nora), may(nora, 'x', 'theirs', 1)]).toEqual([false, false]);
  expect(second.grants().byPerson.size).toBe(0);
  await expect.poll(() => ended).toEqual([asked.id]);
  await feed.caughtUp();
  const { requests } = await call<{ requests: AccessRequest[] }>('accessRequests.list', nora);
  expect(requests).toMatchObject([{ status: 'ended', ended_by: 'its time' }]);
});

test('what ended while no process ran is over at the next start', async () => {
  await grant(admin, await ask(nora), { tools: 'all', hours: 1 });
  for (const scopes of processes.splice(0)) await scopes.close();
  clock += 3_600_000;
  await startProcess();
  expect(may(nora)).toBe(false);
  await expect.poll(() => ended.length).toBe(1);
});

test('the owner and administrators decide, not others, nobody for themselves, and of two deciders one', async () => {
  const asked = await ask(nora);
  for (const who of [bob, identity('mike', ['makers'], { provider: 'okta' })])
    await expect(grant(who, asked)).rejects.toMatchObject({ code: 'not_found' });
  await expect(grant(nora, asked)).rejects.toMatchObject({ code: 'not_allowed' });
  // Who registered it and no longer sees it decides nothing.
  await expect(grant({ ...owner, groups: [] }, asked)).rejects.toMatchObject({ code: 'not_found' });
  const both = await Promise.allSettled([
    grant(owner, asked),
    call('accessRequests.decline', admin, { params: { id: asked.id }, body: {} }),
  ]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const own = await ask(admin, '/other');
  await expect(grant(admin, own)).rejects.toMatchObject({ code: 'not_allowed' });
  const other = await ask(nora, '/other');
  await expect(grant(owner, other)).rejects.toMatchObject({ code: 'not_found' });
});

test('lists have what each may know, and asking tells nobody whether a server exists', async () => {
  const [real, madeUp] = [await ask(nora, '/other'), await ask(nora, '/made-up')];
  const shape = ({ id: _, path: __, ...rest }: AccessRequest) => rest;
  expect(shape(real)).toEqual(shape(madeUp));
  await ask(nora, '/theirs');
  const paths = async (who: Identity, query: object = {}) =>
    (await call<{ requests: AccessRequest[] }>('accessRequests.list', who, { query })).requests
      .map(({ path }) => path)
      .sort();
  expect(await paths(nora)).toEqual(['/made-up', '/other', '/theirs']);
  expect(await paths(nora, { of: 'decide' })).toEqual([]);
  expect(await paths(bob)).toEqual([]);
  expect(await paths(owner, { of: 'decide', status: 'pending' })).toEqual(['/theirs']);
  expect(await paths(admin, { of: 'decide' })).toEqual(['/made-up', '/other', '/theirs']);
  expect(await paths(admin, { of: 'mine' })).toEqual([]);
  await expect(grant(admin, madeUp)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('No server is registered'),
  });
});

test.each([
  ...['/*', '/all', '/ALL', '/%2a', '/**'],
  // Nobody can register there, and an administrator would read another name than was asked for.
  ...['/theirs\0', '/theirs\u200b', '/\u202esriehT', '/\u0442heirs', '/../theirs', '/api', '/virtual/x'],
])('%j is asked for by no one', async (path) => {
  await expect(ask(nora, path)).rejects.toThrow();
  expect((await database.db.selectFrom('access_requests').selectAll().execute()).length).toBe(0);
});

test.each([
  '',
  ' \u200d\ufe0f ',
  'a\0b',
  '\u001b[2J',
  'a\u202eb',
  'a\u061cb',
  '\u{e0041}',
  'a\u200bb',
  'a\u00adb',
])('a reason says what is seen of it, and something: not %j', async (reason) => {
  await expect(ask(nora, '/theirs', reason)).rejects.toThrow();
});

test('a reason of several lines, in any script, with joiners and emoji, is one', async () => {
  const reason = 'ein Bericht\n\tنمونه\u200cها \u{1f469}\u200d\u{1f52c}';
  expect(await ask(nora, '/theirs', reason)).toMatchObject({ reason });
});

test('the same waits once, and a person has a limit', async () => {
  await ask(nora);
  await expect(ask(nora)).rejects.toMatchObject({ code: 'conflict' });
  await ask(bob);
  for (let n = 1; n < 20; n += 1) await ask(nora, `/n${n}`);
  await expect(ask(nora, '/too-many')).rejects.toMatchObject({ code: 'too_many_requests' });
  const { requests } = await call<{ requests: AccessRequest[] }>('accessRequests.list', nora);
  await call('accessRequests.withdraw', nora, { params: { id: requests[0]?.id } });
  await ask(nora, '/now-there-is-room');
});

test('programs and limited tokens ask for nothing, and where it is off nobody does', async () => {
  await expect(ask(identity('robot', [], { kind: 'agent' }))).rejects.toMatchObject({ code: 'not_allowed' });
  await expect(ask(identity('mike', ['makers'], { limitedTo: [] }))).rejects.toMatchObject({
    code: 'not_allowed',
  });
  const body = { path: '/theirs', reason: 'r' };
  await expect(call('accessRequests.create', nora, { body }, { taken: 'off' })).rejects.toMatchObject({
    message: expect.stringContaining('ACCESS_REQUESTS'),
  });
});

test('the catalogue lists what somebody does not see only where the operator wants it', async () => {
  type Catalog = { enabled: boolean; lists: boolean; servers: { path: string; pending: boolean }[] };
  const catalog = (taken: AccessRequestsWorld['taken'], who = owner) =>
    call<Catalog>('accessRequests.catalog', who, {}, { taken });
  expect(await catalog('off')).toMatchObject({ enabled: false, lists: false, servers: [] });
  expect(await catalog('named')).toMatchObject({ enabled: true, lists: false, servers: [] });
  await ask(owner, '/other');
  expect((await catalog('catalog')).servers).toMatchObject([{ path: '/other', pending: true }]);
  expect((await catalog('catalog', identity('robot', [], { kind: 'agent' }))).servers).toEqual([]);
});

test('access ends at once when it is ended, when the server goes, and when the provider is another one', async () => {
  const first = await ask(nora);
  await grant(admin, first);
  await expect(call('accessRequests.end', bob, { params: { id: first.id } })).rejects.toMatchObject({
    code: 'not_found',
  });
  await call('accessRequests.end', nora, { params: { id: first.id } });
  expect(may(nora)).toBe(false);

  await grant(admin, await ask(nora));
  expect(may(nora)).toBe(true);
  await remove(database.db, '/theirs', 1);
  await endGrantsOn(database.db, '/theirs', new Date(clock).toISOString());
  await feed.caughtUp();
  expect(may(nora)).toBe(false);

  await grant(admin, await ask(nora, '/other'));
  expect(may(nora, 'x', 'other')).toBe(true);
  const at = new Date(clock).toISOString();
  await settleRealms(database.db, [{ name: 'entra', realm: 'one' }], at);
  await settleRealms(database.db, [{ name: 'entra', realm: 'two' }], at);
  await feed.caughtUp();
  expect(may(nora, 'x', 'other')).toBe(false);
  expect((await listServers(database.db)).map((row) => row.owner)).toEqual([null]);
});

test('another server at the same path is none of what was granted', async () => {
  await grant(admin, await ask(nora));
  await remove(database.db, '/theirs', 1);
  await insert(database.db, {
    id: 'another',
    definition: serverInput.parse({ server_name: 'n', path: '/theirs', proxy_pass_url: 'http://b.test/mcp' }),
    ...{ isEnabled: true, registeredBy: 'x', registeredAt: new Date(clock).toISOString() },
  });
  await startProcess();
  expect(may(nora, 'x', 'theirs', 1)).toBe(false);
});

test('the decision is explained by the request', async () => {
  const person = {
    ...{ provider: 'entra', subject: nora.subject, username: 'nora', name: null, email: null, tenant: null },
    ...{ groups: '[]', groups_read_at: '2026-01-01T00:00:00.000Z' },
    ...{ refresh_sealed: null, refused_at: null, refused_because: null },
  };
  await database.db.insertInto('people').values(person).execute();
  await grant(admin, await ask(nora), { tools: ['x'], hours: 2 });
  const scopes = processes[0] as Scopes;
  const explain = accessHandlers({ db: database.db, grants, scopes, virtuals: { find: () => undefined } });
  const caller = { identity: admin } as Caller<Identity>;
  const body = { username: 'nora', server: 'theirs', method: 'tools/call', tool: 'x' };
  const input = { params: undefined, query: undefined };
  expect(await explain['access.explain']({ ...input, body }, caller)).toMatchObject({
    allow: true,
    explanation: expect.stringMatching(/granted to this person on request, by alice, until 2026-01-01T02/),
  });
  expect(await explain['access.effective']({ ...input, body: { username: 'nora' } }, caller)).toMatchObject({
    scopes: [{ source: 'request' }],
    access: { servers: [{ server: 'theirs', tools: ['x'] }] },
  });
});

test('a token limited to less than its owner has neither sees nor withdraws what its owner asked for', async () => {
  const limited = identity('mike', ['makers'], { limitedTo: [] });
  const asked = await ask(owner, '/other');
  for (const [id, given] of [
    ['accessRequests.list', {}],
    ['accessRequests.withdraw', { params: { id: asked.id } }],
  ] as const)
    await expect(call(id, limited, given)).rejects.toMatchObject({ code: 'not_allowed' });
  expect(await call('accessRequests.withdraw', owner, { params: { id: asked.id } })).toMatchObject({
    status: 'withdrawn',
  });
});
