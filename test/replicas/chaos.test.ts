import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { shippedTenant } from '../../src/entra-emulator/shipped.ts';
import { callServer } from '../oauth-client.ts';
import { startPostgres, type TestPostgres } from '../postgres.ts';
import { type BrowserSession, mintToken, signIn } from '../sign-in.ts';
import { type Cluster, directly, startCluster } from './cluster.ts';
import { type Call, type Load, startLoad, summaryOf } from './load.ts';
import { until } from './stream.ts';

/*
 * What happens to calls, changes and records when processes and the database fail under load. Everything is asserted by
 * counting; the figures that are printed are those of docs/resilience.md.
 */
let postgres: TestPostgres;
let cluster: Cluster;
let admin: BrowserSession;
let token: string;
/** Calls a second; a slower machine gives fewer, and the figures say how many. */
const rate = 500;

beforeAll(async () => {
  postgres = await startPostgres();
  cluster = await startCluster(await postgres.create('chaos'), { SHUTDOWN_DELAY_SECONDS: '3' });
  admin = await signIn(cluster.url, shippedTenant.accounts.admin.userPrincipalName);
});
afterAll(async () => {
  await cluster?.close();
  await postgres?.close();
});
/** A token of its own for each test, known to every replica. */
beforeEach(async () => {
  token = await knownToken();
});

async function knownToken(): Promise<string> {
  const { token } = await mintToken(cluster.url, admin);
  for (const replica of cluster.replicas)
    await until(async () => {
      const status = await ping(directly(replica), token);
      return status === 200 ? true : `${status}`;
    });
  return token;
}

const ping = async (url: string, as: string): Promise<number> =>
  (await callServer(`${url}/currenttime/mcp`, as, 'ping')).status;

const api = (path: string, method = 'GET', body?: object, url = cluster.url): Promise<Response> =>
  fetch(`${url}${path}`, {
    method,
    headers: { cookie: admin.cookie, 'x-csrf-token': admin.csrf, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(100_000),
  });

/** Changes one after the other, as fast as they are acknowledged; returns how to stop, which returns the acknowledged ones. */
function startChanges(
  prefix: string,
): () => Promise<{ acknowledged: string[]; refused: Record<string, number> }> {
  const acknowledged: string[] = [];
  const refused: Record<string, number> = {};
  let isGoing = true;
  const going = (async () => {
    for (let count = 0; isGoing; count += 1) {
      const scope_name = `${prefix}-${count}`;
      const scope = { scope_name, server_access: [], group_mappings: [scope_name] };
      const status = await api('/api/servers/groups/import', 'POST', scope)
        .then(async (answer) => {
          await answer.text();
          return answer.status;
        })
        .catch(({ name }: Error) => name);
      if (status === 200) acknowledged.push(scope_name);
      else refused[status] = (refused[status] ?? 0) + 1;
      await delay(20);
    }
  })();
  return async () => {
    isGoing = false;
    await going;
    return { acknowledged, refused };
  };
}

/** That every replica has every change that was acknowledged. */
async function expectKept(acknowledged: readonly string[]): Promise<void> {
  expect(acknowledged.length).toBeGreaterThan(0);
  for (const replica of cluster.replicas)
    await until(async () => {
      const text = await (await api('/api/servers/groups', 'GET', undefined, directly(replica))).text();
      const missing = acknowledged.filter((name) => !text.includes(`"${name}"`));
      return missing.length === 0 ? true : `${missing.length} changes are missing`;
    });
}

/** Calls that were answered and are not in the audit trail. */
async function unrecorded(calls: readonly Call[], since: string): Promise<Call[]> {
  return inDatabase(async (client) => {
    const { rows } = await client.query<{ trace: string }>(
      `select detail::json->>'trace_id' as trace from audit_events where action = 'tools/call' and at >= $1`,
      [since],
    );
    const recorded = new Set(rows.map(({ trace }) => trace));
    return calls.filter(({ outcome, trace }) => outcome === 'ok' && !recorded.has(trace));
  });
}

async function inDatabase<T>(use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: cluster.database });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** Ends a load whose calls must all have been answered and, soon, recorded. */
async function expectNothingLost(load: Load, since: string): Promise<readonly Call[]> {
  const calls = await load.stop();
  expect(Object.keys(summaryOf(calls).outcomes)).toEqual(['ok']);
  await until(async () => {
    const missing = await unrecorded(calls, since);
    return missing.length === 0 ? true : `${missing.length} of ${calls.length} calls are not recorded`;
  });
  return calls;
}

const now = (): string => new Date(Date.now() - 1000).toISOString();

test('kill -9 of one of three: only calls in flight on it fail, and nothing acknowledged is lost', async () => {
  const since = now();
  const load = startLoad(cluster.url, token, rate);
  const stopChanges = startChanges('killed');
  await load.more(600);
  const victim = cluster.replicas[0];
  const port = new URL(victim?.url ?? '').port;
  const killedAt = performance.now();
  await victim?.stop('SIGKILL');
  const deadAt = performance.now();
  await load.more(1200);
  await cluster.restart(0);
  await load.more(300);
  const { acknowledged, refused } = await stopChanges();
  const calls = await load.stop();
  const failed = calls.filter(({ outcome }) => outcome !== 'ok');
  const inFlight = calls.filter(({ begun, ended }) => begun <= deadAt && ended >= killedAt);
  const later = calls.filter(({ begun }) => begun > deadAt);
  const lastFailed = Math.max(killedAt, ...failed.map(({ ended }) => ended));
  // What the others held is written soon; what the victim held is gone.
  const isVictims = ({ servedBy }: Call): boolean => servedBy.endsWith(`:${port}`);
  let lost: Call[] = [];
  await until(async () => {
    lost = await unrecorded(calls, since);
    return lost.every(isVictims) ? true : `${lost.length} calls are not recorded`;
  });
  console.log('kill -9', {
    ...summaryOf(calls),
    ...{ failed: failed.length, inFlightOnAll: inFlight.length, laterServed: later.length },
    servedAgainAfterMs: Math.round(lastFailed - killedAt),
    ...{ changes: acknowledged.length, refused },
    answeredButNotRecorded: lost.length,
    oldestNotRecordedMs: Math.round(Math.max(0, ...lost.map(({ ended }) => killedAt - ended))),
  });
  for (const { begun, servedBy } of failed) {
    expect(begun).toBeLessThanOrEqual(deadAt);
    expect(servedBy).toContain(`:${port}`);
  }
  expect(failed.length).toBeLessThanOrEqual(inFlight.length);
  expect(later.length).toBeGreaterThan(1000);
  for (const { ended } of lost) expect(killedAt - ended).toBeLessThan(1000);
  await expectKept(acknowledged);
});

test('a rolling upgrade under load: readiness goes first, and no call or change fails', async () => {
  const since = now();
  const load = startLoad(cluster.url, token, rate);
  const stopChanges = startChanges('rolled');
  for (const place of [0, 1, 2]) {
    const replica = cluster.replicas[place];
    if (!replica) throw new Error('no such replica');
    await load.more(200);
    const stopped = replica.stop('SIGTERM');
    // While it serves on, it says that it is leaving.
    await until(async () => {
      const { status } = await fetch(`${directly(replica)}/readyz`);
      return status === 503 ? true : `${status}`;
    });
    const answer = await fetch(`${directly(replica)}/healthz`);
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
    // As a controller does that watches readiness; nginx by itself watches nothing.
    await cluster.use([0, 1, 2].filter((other) => other !== place));
    expect(await stopped).toBe(0);
    await load.more(100);
    await cluster.restart(place);
    await cluster.use([0, 1, 2]);
  }
  await load.more(300);
  const { acknowledged, refused } = await stopChanges();
  const calls = await expectNothingLost(load, since);
  console.log('rolling upgrade', { ...summaryOf(calls), changes: acknowledged.length, refused });
  expect(refused).toEqual({});
  await expectKept(acknowledged);
});

test('connections to the database cut under load: no call fails, no acknowledged change is lost', async () => {
  const since = now();
  const load = startLoad(cluster.url, token, rate);
  const stopChanges = startChanges('cut');
  let cut = 0;
  for (let times = 0; times < 5; times += 1) {
    await load.more(300);
    cut += await inDatabase(async (client) => {
      const { rowCount } = await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where pid <> pg_backend_pid() and datname = current_database()`,
      );
      return rowCount ?? 0;
    });
  }
  await load.more(300);
  const { acknowledged, refused } = await stopChanges();
  const calls = await expectNothingLost(load, since);
  console.log('connections cut', { ...summaryOf(calls), cut, changes: acknowledged.length, refused });
  await expectKept(acknowledged);
});

test('the database restarted under load: no call fails, changes are refused, nothing acknowledged is lost', async () => {
  const since = now();
  const load = startLoad(cluster.url, token, rate);
  const stopChanges = startChanges('restarted');
  await load.more(500);
  await postgres.stop();
  try {
    for (const replica of cluster.replicas) {
      await until(async () => {
        const said = await (await fetch(`${directly(replica)}/readyz`)).text();
        return said.includes('"degraded"') ? true : said;
      });
      const scope = { scope_name: 'never', server_access: [], group_mappings: ['never'] };
      expect((await api('/api/servers/groups/import', 'POST', scope, directly(replica))).status).toBe(503);
    }
    await load.more(500);
  } finally {
    await postgres.start();
  }
  await untilReady();
  await load.more(300);
  const { acknowledged, refused } = await stopChanges();
  const calls = await expectNothingLost(load, since);
  console.log('database restarted', { ...summaryOf(calls), changes: acknowledged.length, refused });
  await expectKept(acknowledged);
});

/** Until every replica reads the database again. */
async function untilReady(): Promise<void> {
  for (const replica of cluster.replicas)
    await until(async () => {
      const said = await (await fetch(`${directly(replica)}/readyz`)).text();
      return said.includes('"ready"') ? true : said;
    });
}

test('the database paused for 30 s: calls go on, nothing acknowledged is lost', async () => {
  const since = now();
  const load = startLoad(cluster.url, token, rate / 5);
  const stopChanges = startChanges('paused');
  await load.more(100);
  const pids = postgres.processes();
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  const pausedAt = performance.now();
  try {
    await delay(30_000);
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGCONT');
  }
  const during = load.calls.filter(({ begun, ended }) => begun > pausedAt && ended > 0).length;
  await untilReady();
  await load.more(100);
  const { acknowledged, refused } = await stopChanges();
  const calls = await expectNothingLost(load, since);
  console.log('database paused', { ...summaryOf(calls), during, changes: acknowledged.length, refused });
  // Most of what came in the pause was answered in it.
  expect(during).toBeGreaterThan(500);
  await expectKept(acknowledged);
});

test('a replica that was stopped for 20 s does not act on rights from before', async () => {
  const { token: revoked, id } = await mintToken(cluster.url, admin);
  const [paused, other] = cluster.replicas;
  if (!paused || !other) throw new Error('no replica runs');
  await until(async () => ((await ping(directly(paused), revoked)) === 200 ? true : 'not known yet'));
  paused.process.kill('SIGSTOP');
  let calls: Promise<number>[] = [];
  try {
    // These wait in its sockets: they are the first that it reads.
    calls = Array.from({ length: 20 }, () => ping(directly(paused), revoked));
    const answer = await api(`/api/tokens/${id}`, 'DELETE', undefined, directly(other));
    expect(answer.status).toBe(204);
    await delay(20_000);
  } finally {
    paused.process.kill('SIGCONT');
  }
  const statuses = await Promise.all(calls);
  console.log('replica paused', { refused: statuses.filter((status) => status === 401).length, of: 20 });
  expect(new Set(statuses)).toEqual(new Set([401]));
});
