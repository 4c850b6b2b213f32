import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startPostgres, type TestPostgres } from '../postgres.ts';
import { mintToken } from '../sign-in.ts';
import { type Cluster, directly, startCluster } from './cluster.ts';
import { type Call, startLoad, summaryOf } from './load.ts';
import { until } from './stream.ts';
import {
  api,
  expectKept,
  expectNothingLost,
  inDatabase,
  knownToken,
  ping,
  startChanges,
  startTrial,
  type Trial,
  unrecorded,
  untilReady,
} from './trial.ts';

/*
 * What happens to calls, changes and records when processes and the database fail under load. Everything is asserted by
 * counting; the figures that are printed are those of docs/resilience.md.
 */
let postgres: TestPostgres;
let cluster: Cluster;
let trial: Trial;
let token: string;
/** Calls a second; a slower machine gives fewer, and the figures say how many. */
const rate = 500;

beforeAll(async () => {
  postgres = await startPostgres();
  cluster = await startCluster(await postgres.create('chaos'), { SHUTDOWN_DELAY_SECONDS: '3' });
  trial = await startTrial(cluster);
});
afterAll(async () => {
  await cluster?.close();
  await postgres?.close();
});
/** A token of its own for each test, known to every replica. */
beforeEach(async () => {
  token = await knownToken(trial);
});

const now = (): string => new Date(Date.now() - 1000).toISOString();

test('kill -9 of one of three: only calls in flight on it fail, and nothing acknowledged is lost', async () => {
  const since = now();
  // More than is to be published, since a busy machine gives less.
  const load = startLoad(cluster.url, token, 1.4 * rate);
  const stopChanges = startChanges(trial, 'killed');
  await load.more(1500);
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
    lost = await unrecorded(trial, calls, since);
    return lost.every(isVictims) ? true : `${lost.length} calls are not recorded`;
  });
  console.log('kill -9', {
    ...summaryOf(calls),
    perSecondBeforeIt: Math.round(
      calls.filter(({ begun }) => killedAt - begun < 2000 && begun < killedAt).length / 2,
    ),
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
  await expectKept(trial, acknowledged);
});

test('a rolling upgrade under load: readiness goes first, and no call or change fails', async () => {
  const since = now();
  const load = startLoad(cluster.url, token, rate);
  const stopChanges = startChanges(trial, 'rolled');
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
  const calls = await expectNothingLost(trial, load, since);
  console.log('rolling upgrade', { ...summaryOf(calls), changes: acknowledged.length, refused });
  expect(refused).toEqual({});
  await expectKept(trial, acknowledged);
});

test('connections to the database cut under load: no call fails, no acknowledged change is lost', async () => {
  const since = now();
  const load = startLoad(cluster.url, token, rate);
  const stopChanges = startChanges(trial, 'cut');
  let cut = 0;
  for (let times = 0; times < 5; times += 1) {
    await load.more(300);
    cut += await inDatabase(trial, async (client) => {
      const { rowCount } = await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where pid <> pg_backend_pid() and datname = current_database()`,
      );
      return rowCount ?? 0;
    });
  }
  await load.more(300);
  const { acknowledged, refused } = await stopChanges();
  const calls = await expectNothingLost(trial, load, since);
  console.log('connections cut', { ...summaryOf(calls), cut, changes: acknowledged.length, refused });
  await expectKept(trial, acknowledged);
});

test('the database restarted under load: no call fails, changes are refused, nothing acknowledged is lost', async () => {
  const since = now();
  const load = startLoad(cluster.url, token, rate);
  const stopChanges = startChanges(trial, 'restarted');
  await load.more(500);
  await postgres.stop();
  try {
    for (const replica of cluster.replicas) {
      await until(async () => {
        const said = await (await fetch(`${directly(replica)}/readyz`)).text();
        return said.includes('"degraded"') ? true : said;
      });
      const scope = { scope_name: 'never', server_access: [], group_mappings: ['never'] };
      expect((await api(trial, '/api/servers/groups/import', 'POST', scope, directly(replica))).status).toBe(
        503,
      );
    }
    await load.more(500);
  } finally {
    await postgres.start();
  }
  await untilReady(trial);
  await load.more(300);
  const { acknowledged, refused } = await stopChanges();
  const calls = await expectNothingLost(trial, load, since);
  console.log('database restarted', { ...summaryOf(calls), changes: acknowledged.length, refused });
  await expectKept(trial, acknowledged);
});

test('the database paused for 30 s: calls go on, nothing acknowledged is lost', async () => {
  const since = now();
  const load = startLoad(cluster.url, token, rate / 5);
  const stopChanges = startChanges(trial, 'paused');
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
  await untilReady(trial);
  await load.more(100);
  const { acknowledged, refused } = await stopChanges();
  const calls = await expectNothingLost(trial, load, since);
  console.log('database paused', { ...summaryOf(calls), during, changes: acknowledged.length, refused });
  // Most of what came in the pause was answered in it.
  expect(during).toBeGreaterThan(500);
  await expectKept(trial, acknowledged);
});

test('a replica that was stopped for 20 s does not act on rights from before', async () => {
  const { token: revoked, id } = await mintToken(cluster.url, trial.admin);
  const [paused, other] = cluster.replicas;
  if (!paused || !other) throw new Error('no replica runs');
  await until(async () => ((await ping(directly(paused), revoked)) === 200 ? true : 'not known yet'));
  paused.process.kill('SIGSTOP');
  let calls: Promise<number>[] = [];
  try {
    // These wait in its sockets: they are the first that it reads.
    calls = Array.from({ length: 20 }, () => ping(directly(paused), revoked));
    const answer = await api(trial, `/api/tokens/${id}`, 'DELETE', undefined, directly(other));
    expect(answer.status).toBe(204);
    await delay(20_000);
  } finally {
    paused.process.kill('SIGCONT');
  }
  const statuses = await Promise.all(calls);
  console.log('replica paused', { refused: statuses.filter((status) => status === 401).length, of: 20 });
  expect(new Set(statuses)).toEqual(new Set([401]));
});
