import { setImmediate } from 'node:timers/promises';
import type { Handlers } from '../../../contract/endpoint.ts';
import { nameOfPath } from '../../../contract/servers/servers.ts';
import type { Usage, usageEndpoints } from '../../../contract/usage.ts';
import type { Caller } from '../../access/caller.ts';
import type { Db } from '../../db/tables.ts';
import type { Identity } from '../../identity/identity.ts';
import { stretchOf } from '../audit-events/handlers.ts';
import { createFigures, type Figures } from './figures.ts';

/** Calls that one statement reads: none may hold up the process. */
const slice = 5_000;
/** Calls that are counted at most, the newest. */
const mostCalls = 200_000;
const mostRows = 500;

/** What counts as a call: the methods that use something, not those that list or greet. */
const listing = 'tools/list';
const actions = ['tools/call', 'prompts/get', 'resources/read', 'SendMessage', 'message/send'];

type Query = Parameters<Handlers<typeof usageEndpoints, unknown>['usage.read']>[0]['query'];

/** Serves the figures of usage. */
export function usageHandlers(world: {
  reads: Db;
  now: () => number;
}): Handlers<typeof usageEndpoints, Caller<Identity>> {
  return { 'usage.read': ({ query }) => countUsage(world.reads, query, world.now()) };
}

async function countUsage(db: Db, query: Query, now: number): Promise<Usage> {
  const { from, to } = stretchOf(query, now);
  const [bucket, size] = bucketFor(to - from);
  const total = createFigures();
  const timeline = new Map<number, Figures>();
  for (let at = from - (from % size); at < to; at += size) timeline.set(at, createFigures());
  const rows = new Map<string, Figures>();
  const called = new Set<string>();
  let [read, before]: [number, { at: string; id: string } | undefined] = [0, undefined];
  for (;;) {
    const calls = await readSlice(db, query, { from, to }, before);
    for (const call of calls) {
      const at = Date.parse(call.at);
      const key = keyOf(call, query.by);
      if (call.action === listing) {
        const tokens = tokensIn(call.detail);
        const ofKey = key === null || tokens === 0 ? undefined : of(rows, key);
        for (const figures of [total, timeline.get(at - (at % size)), ofKey]) figures?.addList(tokens);
        continue;
      }
      if (call.resource !== null) called.add(nameOfPath(call.resource));
      for (const figures of [total, timeline.get(at - (at % size)), key === null ? undefined : of(rows, key)])
        figures?.add(call);
    }
    read += calls.length;
    before = calls.at(-1);
    if (calls.length < slice || read >= mostCalls) break;
    await setImmediate();
  }
  const counted = [...rows].map(([key, figures]) => ({ key, ...figures.shown(), last_at: figures.lastAt }));
  return {
    ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString(), bucket },
    total: total.shown(),
    timeline: [...timeline].map(([at, figures]) => ({ at: new Date(at).toISOString(), ...figures.shown() })),
    rows: counted.sort((a, b) => b.calls - a.calls || (a.key < b.key ? -1 : 1)).slice(0, mostRows),
    unused: await unusedServers(db, called),
    truncated: read >= mostCalls,
  };
}

interface Call {
  readonly id: string;
  readonly at: string;
  readonly action: string;
  readonly detail: string | null;
  readonly resource: string | null;
  readonly tool: string | null;
  readonly username: string | null;
  readonly client_id: string | null;
  readonly decision: string;
  readonly duration_ms: number;
}

function readSlice(
  db: Db,
  { server, username }: Query,
  { from, to }: { from: number; to: number },
  before: { at: string; id: string } | undefined,
): Promise<Call[]> {
  let query = db
    .selectFrom('audit_events')
    .select([
      'id',
      'at',
      'action',
      'detail',
      'resource',
      'tool',
      'username',
      'client_id',
      'decision',
      'duration_ms',
    ])
    .where('kind', '=', 'mcp')
    .where((e) =>
      e.or([
        e('action', 'in', actions),
        e.and([e('action', '=', listing), e('decision', '=', 'allow'), e('detail', 'is not', null)]),
      ]),
    )
    .where('at', '>=', new Date(from).toISOString())
    .where('at', '<', new Date(to).toISOString());
  if (before)
    query = query
      .where('at', '<=', before.at)
      .where((e) => e.or([e('at', '<', before.at), e('id', '<', before.id)]));
  if (server !== undefined) {
    const name = nameOfPath(server);
    query = query.where('resource', 'in', [name, `/${name}`]);
  }
  if (username !== undefined) query = query.where('username', '=', username);
  return query.orderBy('at', 'desc').orderBy('id', 'desc').limit(slice).execute();
}

function keyOf(call: Call, by: Query['by']): string | null {
  const server = call.resource === null ? null : nameOfPath(call.resource);
  if (by === 'server') return server;
  if (by === 'tool') return server === null || call.tool === null ? null : `${server} ${call.tool}`;
  return by === 'person' ? call.username : call.client_id;
}

function tokensIn(detail: string | null): number {
  const tokens: unknown = detail === null ? 0 : JSON.parse(detail).list_tokens;
  return typeof tokens === 'number' ? tokens : 0;
}

function of(rows: Map<string, Figures>, key: string): Figures {
  const known = rows.get(key);
  if (known) return known;
  const made = createFigures();
  rows.set(key, made);
  return made;
}

async function unusedServers(db: Db, called: ReadonlySet<string>): Promise<string[]> {
  const rows = await db
    .selectFrom('servers')
    .select('path')
    .where('is_enabled', '=', 1)
    .orderBy('path')
    .execute();
  return rows.map(({ path }) => path).filter((path) => !called.has(nameOfPath(path)));
}

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];

function bucketFor(length: number): [Usage['bucket'], number] {
  if (length <= 2 * hour) return ['minute', minute];
  return length <= 4 * day ? ['hour', hour] : ['day', day];
}
