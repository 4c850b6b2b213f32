import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPostgres, type TestPostgres } from '../postgres.ts';
import { type Cluster, directly, startCluster } from './cluster.ts';
import { startLoad, summaryOf } from './load.ts';
import { until } from './stream.ts';
import {
  api,
  expectKept,
  expectNothingLost,
  knownToken,
  ping,
  startChanges,
  startTrial,
  type Trial,
  untilReady,
} from './trial.ts';

/*
 * The database fails over to a streaming standby: a real one, on a port of its own. The gateways know both servers from the
 * start; who promotes the standby is the test, in place of a cluster manager. The figures are those of docs/resilience.md.
 */
let [first, second]: (TestPostgres | undefined)[] = [];
let cluster: Cluster;
let trial: Trial;
let token: string;
const ends: (() => unknown)[] = [];

const addressAt = (port: number): string => `postgres://postgres:for%20tests@127.0.0.1:${port}/failover`;

beforeAll(async () => {
  first = await startPostgres();
  ends.push(() => first?.close());
  const url = await first.create('failover');
  second = await first.standby();
  ends.push(() => second?.close());
  // Nothing is acknowledged that the standby does not have.
  await first.ask("alter system set synchronous_standby_names = '*'");
  await first.ask('select pg_reload_conf()');
  cluster = await startCluster(url.replace(/\/failover$/, `,127.0.0.1:${second.port}/failover`));
  ends.push(() => cluster.close());
  trial = await startTrial(cluster, addressAt(second.port));
  token = await knownToken(trial);
});
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

/** Switches the server that is called on or off. */
const toggle = (enabled: boolean): Promise<Response> =>
  api(trial, '/api/servers/currenttime/toggle', 'POST', { enabled });

/** Until every replica answers calls with that status. */
async function untilEverywhere(status: number): Promise<void> {
  for (const replica of cluster.replicas)
    await until(async () => {
      const said = await ping(directly(replica), token);
      return said === status ? true : `${replica.url}: ${said}`;
    });
}

test('kill -9 of the primary under load: calls go on, no acknowledged change is lost, and the standby takes over', async () => {
  const since = new Date(Date.now() - 1000).toISOString();
  const load = startLoad(cluster.url, token, 200);
  const stopChanges = startChanges(trial, 'failover');
  await load.more(300);
  await first?.kill();
  const killedAt = performance.now();
  for (const replica of cluster.replicas)
    await until(async () => {
      const said = await (await fetch(`${directly(replica)}/readyz`)).text();
      return said.includes('"degraded"') ? true : said;
    });
  const scope = { scope_name: 'never', server_access: [], group_mappings: ['never'] };
  expect((await api(trial, '/api/servers/groups/import', 'POST', scope)).status).toBe(503);
  await load.more(300);
  const promotedAt = performance.now();
  expect(await second?.ask('select pg_promote(true, 60) as done')).toEqual([{ done: true }]);
  await until(async () => {
    const { status } = await api(trial, '/api/servers/groups/import', 'POST', {
      ...scope,
      scope_name: 'again',
    });
    return status === 200 ? true : `${status}`;
  });
  const changedAt = performance.now();
  await untilReady(trial);
  await load.more(300);
  const { acknowledged, refused } = await stopChanges();
  const calls = await expectNothingLost(trial, load, since);
  console.log('primary killed, standby promoted', {
    ...summaryOf(calls),
    withoutPrimaryMs: Math.round(promotedAt - killedAt),
    changedAfterPromotionMs: Math.round(changedAt - promotedAt),
    ...{ changes: acknowledged.length, refused },
  });
  await expectKept(trial, acknowledged);
  // The feed goes on: what one replica changes now, all decide by.
  expect((await toggle(false)).status).toBe(200);
  await untilEverywhere(503);
  expect((await toggle(true)).status).toBe(200);
  await untilEverywhere(200);
});

test('a standby that lacks the last change takes over: every replica decides by what it has', async () => {
  if (!first || !second) throw new Error('no server runs');
  // The old primary is made anew, as a standby of the new one, at its place.
  const { port } = first;
  await first.close();
  first = await second.standby(port);
  await first.ask("alter system set primary_conninfo = ''");
  await first.ask('select pg_reload_conf()');
  await until(async () => {
    const receivers = await first?.ask('select pid from pg_stat_wal_receiver');
    return receivers?.length === 0 ? true : 'it still receives';
  });
  expect((await toggle(false)).status).toBe(200);
  await untilEverywhere(503);
  // Promoted first: connections go from one server to the other, and no replica may see that there was none.
  await first.ask('select pg_promote(true, 60)');
  await second.kill();
  trial.database = addressAt(port);
  await untilEverywhere(200);
  const listed = (await (await api(trial, '/api/servers/currenttime')).json()) as { is_enabled?: boolean };
  expect(listed.is_enabled).toBe(true);
  // And goes on from there.
  expect((await toggle(false)).status).toBe(200);
  await untilEverywhere(503);
});
