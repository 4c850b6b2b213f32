import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { expect } from 'vitest';
import { shippedTenant } from '../../src/entra-emulator/shipped.ts';
import { callServer } from '../oauth-client.ts';
import { type BrowserSession, mintToken, signIn } from '../sign-in.ts';
import { type Cluster, directly } from './cluster.ts';
import { type Call, type Load, summaryOf } from './load.ts';
import { until } from './stream.ts';

/** What a trial of failures works with: the replicas, an administrator, and the server that has the database. */
export interface Trial {
  readonly cluster: Cluster;
  readonly admin: BrowserSession;
  /** The address of the database as of now. */
  database: string;
}

/** Begins a trial: an administrator, and the server that a load calls. */
export async function startTrial(cluster: Cluster, database = cluster.database): Promise<Trial> {
  const admin = await signIn(cluster.url, shippedTenant.accounts.admin.userPrincipalName);
  const trial = { cluster, admin, database };
  const server = { server_name: 'quick', path: '/quick', proxy_pass_url: cluster.quickUrl, is_enabled: true };
  expect((await api(trial, '/api/servers', 'POST', server)).status).toBe(201);
  return trial;
}

/** A token that is known to every replica. */
export async function knownToken({ cluster, admin }: Trial): Promise<string> {
  const { token } = await mintToken(cluster.url, admin);
  for (const replica of cluster.replicas)
    await until(async () => {
      const status = await ping(directly(replica), token);
      return status === 200 ? true : `${status}`;
    });
  return token;
}

export const ping = async (url: string, as: string): Promise<number> =>
  (await callServer(`${url}/currenttime/mcp`, as, 'ping')).status;

/** Asks the API as the administrator; the replica whose turn it is, unless one is named. */
export const api = (
  { admin, cluster }: Trial,
  path: string,
  method = 'GET',
  body?: object,
  url = cluster.url,
): Promise<Response> =>
  fetch(`${url}${path}`, {
    method,
    headers: { cookie: admin.cookie, 'x-csrf-token': admin.csrf, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(100_000),
  });

/** Changes one after the other, as fast as they are acknowledged; returns how to stop, which returns the acknowledged ones. */
export function startChanges(
  trial: Trial,
  prefix: string,
): () => Promise<{ acknowledged: string[]; refused: Record<string, number> }> {
  const acknowledged: string[] = [];
  const refused: Record<string, number> = {};
  let isGoing = true;
  const going = (async () => {
    for (let count = 0; isGoing; count += 1) {
      const scope_name = `${prefix}-${count}`;
      const scope = { scope_name, server_access: [], group_mappings: [scope_name] };
      const status = await api(trial, '/api/servers/groups/import', 'POST', scope)
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
export async function expectKept(trial: Trial, acknowledged: readonly string[]): Promise<void> {
  expect(acknowledged.length).toBeGreaterThan(0);
  for (const replica of trial.cluster.replicas)
    await until(async () => {
      const text = await (
        await api(trial, '/api/servers/groups', 'GET', undefined, directly(replica))
      ).text();
      const missing = acknowledged.filter((name) => !text.includes(`"${name}"`));
      return missing.length === 0 ? true : `${missing.length} changes are missing`;
    });
}

/** Calls that were answered and are not in the audit trail. */
export async function unrecorded(trial: Trial, calls: readonly Call[], since: string): Promise<Call[]> {
  return inDatabase(trial, async (client) => {
    const { rows } = await client.query<{ trace: string }>(
      `select detail::json->>'trace_id' as trace from audit_events where action = 'tools/call' and at >= $1`,
      [since],
    );
    const recorded = new Set(rows.map(({ trace }) => trace));
    return calls.filter(({ outcome, trace }) => outcome === 'ok' && !recorded.has(trace));
  });
}

export async function inDatabase<T>(trial: Trial, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: trial.database });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** Ends a load whose calls must all have been answered and, soon, recorded. */
export async function expectNothingLost(trial: Trial, load: Load, since: string): Promise<readonly Call[]> {
  const calls = await load.stop();
  expect(Object.keys(summaryOf(calls).outcomes)).toEqual(['ok']);
  await until(async () => {
    const missing = await unrecorded(trial, calls, since);
    return missing.length === 0 ? true : `${missing.length} of ${calls.length} calls are not recorded`;
  });
  return calls;
}

/** Until every replica reads the database again. */
export async function untilReady({ cluster }: Trial): Promise<void> {
  for (const replica of cluster.replicas)
    await until(async () => {
      const said = await (await fetch(`${directly(replica)}/readyz`)).text();
      return said.includes('"ready"') ? true : said;
    });
}
