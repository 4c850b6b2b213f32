import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { startPostgres } from '../postgres.ts';
import { startBareProxy } from './baselines.ts';
import { type BenchGateway, groups } from './gateway.ts';
import { measure, type Run, type Subject, warmUp } from './measure.ts';
import { usageOf } from './processes.ts';
import { median } from './report.ts';
import { scenarios } from './scenarios.ts';
import { onStage, type Stage } from './stage.ts';

/*
 * `npm run bench -- --workers`: what a call costs on PostgreSQL beside the embedded database, and with two workers beside one.
 * Where the load, the server that is called and the database have no core of their own, requests a second say how these share
 * the machine; what tells is the processor time of a call in the gateway. It asserts nothing: it is a report.
 */
const { values: options } = parseArgs({
  strict: false,
  options: { seconds: { type: 'string' }, rounds: { type: 'string' } },
});
const [seconds, rounds] = [Number(options.seconds ?? 2), Number(options.rounds ?? 7)];
const call = scenarios.find(({ name }) => name === 'call-json');
if (!call) throw new Error('there is no such scenario');
const scenario = call;

await onStage(workers);

async function workers({ identities, upstreamPort, defer, ...stage }: Stage): Promise<void> {
  const generator = stage.generator();
  const postgres = await startPostgres();
  defer(() => postgres.close());
  const size = { servers: 20, scopes: 10 };
  const sql = (name: string) => postgres.create(name);
  const gateways: Record<string, BenchGateway> = {
    'embedded database': await stage.gateway('embedded', size),
    PostgreSQL: await stage.gateway('postgres', { ...size, database: await sql('one') }),
    'one worker': await stage.gateway('worker', { ...size, database: await sql('two'), workers: 1 }),
    'two workers': await stage.gateway('workers', { ...size, database: await sql('three'), workers: 2 }),
  };
  const token = await identities.token(0, groups.all);
  const runs: Record<string, (Run & { readonly database: number })[]> = {};
  const { connections } = scenario;
  const subjects = Object.entries(gateways).map(([name, one]): Loaded => {
    return { name, port: one.port, processes: [one], sendsToken: true, connections };
  });
  // What the machine itself takes from two processes that share it with load, server and database.
  for (const [name, count] of [['bare, one worker', 1] as const, ['bare, two workers', 2] as const]) {
    const bare = await startBareProxy(upstreamPort, { workers: count });
    for (const one of bare.processes) defer(() => one.stop());
    subjects.push({ ...bare, name, connections });
  }
  // As busy as the one: a process that has half as much to do at once does it in more turns, with a system call for each.
  for (const one of subjects.filter(({ name }) => name.includes('two workers')))
    subjects.push({ ...one, name: `${one.name}, twice the connections`, connections: 2 * connections });
  for (const subject of subjects) await warmUp(generator, subject, token);
  const ofDatabase = (): number => postgres.processes().reduce((sum, pid) => sum + ownTime(pid), 0);
  for (let round = 0; round < rounds; round += 1)
    for (const subject of subjects) {
      const before = ofDatabase();
      const given = { ...scenario, connections: subject.connections };
      const run = await measure(generator, subject, given, [token], seconds * 1000);
      const database = ((ofDatabase() - before) * 1e6) / Math.max(1, run.requests);
      runs[subject.name] = [...(runs[subject.name] ?? []), { ...run, database }];
    }
  console.log(
    `\n${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model}, ${cpus().length} cores; load ${load()}`,
  );
  console.log('| | requests/s | CPU us/request | of the database | memory MiB |\n|---|--:|--:|--:|--:|');
  for (const [name, all] of Object.entries(runs)) {
    const of = (what: (run: (typeof all)[number]) => number): string => median(all.map(what)).toFixed(0);
    const cells = [name, of((run) => run.perSecond), of((run) => run.cpu), of((run) => run.database)];
    console.log(`| ${cells.join(' | ')} | ${of((run) => run.memory)} |`);
  }
  const ratio = (one: string, other: string): number[] =>
    (runs[one] ?? [])
      .map(({ cpu }, at) => cpu / (runs[other]?.[at]?.cpu ?? Number.NaN))
      .sort((a, b) => a - b);
  const say = (what: string, values: number[]): void =>
    console.log(
      `${what}: ${[values[0], median(values), values.at(-1)].map((one) => one?.toFixed(2)).join(' / ')}`,
    );
  say(
    'a call on PostgreSQL, as a multiple of the embedded database (min / median / max)',
    ratio('PostgreSQL', 'embedded database'),
  );
  for (const bare of ['', 'bare, '])
    for (const each of ['', ', twice the connections'])
      say(
        `calls of ${bare}two workers${each} for those of one, by processor time`,
        ratio(`${bare}one worker`, `${bare}two workers${each}`).map((one) => 2 * one),
      );
  for (const [name, { pid }] of Object.entries(gateways))
    console.log(`${name}: ${usageOf(pid).memory.toFixed(0)} MiB`);
}

/** What is put under load, and over how many connections. */
interface Loaded extends Subject {
  readonly connections: number;
}

/** Seconds of processor time of one process (proc(5)): in the database each connection is one, and some end. */
function ownTime(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}

function load(): string {
  return readFileSync('/proc/loadavg', 'utf8').split(' ')[0] ?? '';
}
