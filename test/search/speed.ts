import { createEngine } from '../../src/server/search/search.ts';
import { readCorpus, readQueries } from './corpus.ts';
import { everything } from './engines.ts';

/*
 * What a search over 10,000 tools costs: `node --expose-gc test/search/speed.ts`. The corpus ten times over, with names and
 * descriptions of their own; CPU time, so that other work on the machine does not count.
 */
const collect = (globalThis as { gc?: () => void }).gc ?? (() => undefined);
const cpu = (): number => process.cpuUsage().user / 1000;
const memory = (): number => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
};

const corpus = readCorpus();
const queries = readQueries(corpus.flat()).map(({ query }) => query);
const copies = Array.from({ length: 10 }, (_, copy) =>
  corpus.map((group) =>
    group.map((item) => ({
      ...item,
      id: `${item.id}-${copy}`,
      name: copy === 0 ? item.name : `${item.name}_v${copy}`,
      path: `${item.path}-${copy}`,
    })),
  ),
).flat();
const empty = memory();
const engine = createEngine();
const tables = memory() - empty;
const start = cpu();
for (const group of copies) engine.index.put(group[0]?.id ?? '', group);
const built = cpu() - start;
const index = memory() - empty - tables;
// Warm: what a process that has searched for a minute does.
for (const query of queries) engine.search({ ...everything, key: {} }, query);
const times: number[] = [];
for (const query of [...queries, ...queries]) {
  const before = process.cpuUsage();
  // Another word each time, so that nothing is found because it was asked before.
  engine.search(everything, `${query} ${times.length}`);
  const { user, system } = process.cpuUsage(before);
  times.push((user + system) / 1000);
}
times.sort((a, b) => a - b);
const at = (part: number): string => (times[Math.floor(times.length * part)] ?? 0).toFixed(1);
console.log(`${engine.index.size} things; tables ${tables.toFixed(0)} MB, index ${index.toFixed(0)} MB`);
console.log(
  `built in ${(built / 1000).toFixed(2)} s; a query ${at(0.5)} ms, p95 ${at(0.95)}, p99 ${at(0.99)}`,
);
