import { loadavg } from 'node:os';
import { readCorpus, readQueries, readServers } from '../search/corpus.ts';
import { groups } from './gateway.ts';
import type { Outcome } from './load.ts';
import { usageOf } from './processes.ts';
import { callText, requestText } from './scenarios.ts';
import { onStage, type Stage } from './stage.ts';

/*
 * `npm run bench -- --search`: searches over 10,000 tools through the built gateway, by a hundred clients of their own identity
 * that no one asked the same before, and what calls feel of them. It asserts nothing: it is a report.
 */

const copies = 10;
const clients = 100;

await onStage(search);

async function search({ identities, generator, gateway: start }: Stage): Promise<void> {
  const catalogue = Array.from({ length: copies }, (_, copy) =>
    readServers().map((server) => ({
      ...server,
      name: copy === 0 ? server.name : `${server.name} ${copy}`,
      path: `${server.path}-${copy}`,
      tools: server.tools.map(({ name, description, properties = [] }) => ({
        ...{ name: copy === 0 ? name : `${name}_v${copy}`, description },
        inputSchema: { type: 'object', properties: Object.fromEntries(properties.map((one) => [one, {}])) },
      })),
    })),
  ).flat();
  const gateway = await start('search', { servers: 20, scopes: 10, catalogue });
  const { port } = gateway;
  const tools = catalogue.reduce((sum, server) => sum + server.tools.length, 0);
  console.log(
    `${catalogue.length} servers with ${tools} tools, started in ${Math.round(gateway.startedIn)} ms`,
  );
  const tokens = await Promise.all(
    Array.from({ length: clients }, (_, one) => identities.token(one, groups.all)),
  );
  const queries = readQueries(readCorpus().flat()).map(({ query }) => query);
  let asked = 0;
  /** Searches in words that nobody has asked for before, each client in turn. */
  const fresh = (count: number): string[] =>
    Array.from({ length: count }, () => {
      const query = `${queries[asked % queries.length]} ${asked++}`;
      return searchText(port, tokens[asked % clients] as string, query);
    });
  const [searches, calls] = [generator(), generator()];
  const run = async (requests: string[], milliseconds: number, rate?: number): Promise<Measured> => {
    const before = usageOf(gateway.pid).cpu;
    const job = { port, requests, connections: clients, milliseconds };
    const outcome = await searches.run(rate === undefined ? job : { ...job, rate });
    return { ...outcome, cpu: ((usageOf(gateway.pid).cpu - before) * 1000) / outcome.requests };
  };

  await run(fresh(2_000), 8_000, 100);
  show('a fresh query', await run(fresh(400), 10_000, 20));
  for (const rate of [100, 200])
    show(
      `${clients} clients, ${rate} fresh queries a second in all`,
      await run(fresh(rate * 10), 10_000, rate),
    );
  show(`${clients} clients without a pause, fresh queries`, await run(fresh(8_000), 6_000));
  // Few enough of each identity that no limit is met.
  const usual = fresh(clients);
  show(`${clients} clients without a pause, the same 100 queries`, await run(usual, 2_000));

  const credential = `Bearer ${tokens[0]}`;
  const call = requestText('json', `localhost:${port}`, credential, callText);
  const called = (): Promise<Outcome> =>
    calls.run({ port, requests: [call], connections: 8, rate: 200, milliseconds: 8_000 });
  show('200 calls a second, quiet', await called());
  const beside = run(fresh(1_000), 9_000, 100);
  show('the same beside 100 fresh queries a second', await called());
  await beside;
}

/** With the processor time of one request in the gateway, in milliseconds. */
type Measured = Outcome & { readonly cpu?: number };

function searchText(port: number, token: string, query: string): string {
  const body = JSON.stringify({ query, max_results: 10, include_disabled: true });
  return [
    'POST /api/search/semantic HTTP/1.1',
    `Host: localhost:${port}`,
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

function show(what: string, { p50, p95, p99, requests, seconds, statuses, broken, cpu }: Measured): void {
  const times = [p50, p95, p99].map((time) => time.toFixed(1)).join(' / ');
  const rate = `${(requests / seconds).toFixed(0)} a second`;
  const load = `${cpu === undefined ? '' : `${cpu.toFixed(2)} ms of CPU each, `}load ${loadavg()[0]?.toFixed(0)}`;
  console.log(
    `${what.padEnd(56)} p50 / p95 / p99 ${times} ms, ${rate}, ${JSON.stringify(statuses)} broken ${broken}, ${load}`,
  );
}
