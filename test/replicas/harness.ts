import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { TestGateway, TestGatewayOptions } from '../harness.ts';
import { copyTemplate } from '../open-on-postgres.ts';
import { type Cluster, startCluster } from './cluster.ts';

export * from '../harness.ts';

const clusters = new WeakMap<object, Cluster>();

/** What `startGateway` is while the outside tests run over three replicas: a gateway that is three. */
export async function startGateway({ environment = {} }: TestGatewayOptions = {}): Promise<TestGateway> {
  const cluster = await startCluster(await copyTemplate(), environment);
  const { url, emulatorUrl, folder, replicas } = cluster;
  const [first] = replicas;
  if (!first) throw new Error('no replica runs');
  const gateway: TestGateway = {
    ...{ url, emulatorUrl, dataDir: folder, process: first.process },
    output: () => replicas.map((replica) => replica.output()).join('\n'),
    async stop(signal) {
      const codes = await Promise.all(replicas.map((replica) => replica.stop(signal)));
      return codes.find((code) => code !== 0) ?? 0;
    },
    close: cluster.close,
  };
  clusters.set(gateway, cluster);
  return gateway;
}

/** After three seconds without news a process asks the database before it trusts what it has (`current` of the feed): no machine is too busy. */
export const seenEverywhere = (): Promise<void> => delay(3500);

/** As in the harness of one gateway. */
export const rowsOf = (gateway: object, query: string): Promise<object[]> =>
  inDatabase(gateway, async (client) => (await client.query(query)).rows);

/** As in the harness of one gateway. */
export async function ageGroups(gateway: object): Promise<void> {
  const past = new Date(Date.now() - 11 * 60_000).toISOString();
  await inDatabase(gateway, (client) =>
    client.query('update people set groups_read_at = $1 where groups_read_at > $1', [past]),
  );
}

async function inDatabase<T>(gateway: object, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: clusters.get(gateway)?.database });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
