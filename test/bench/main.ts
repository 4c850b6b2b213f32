import { writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Baseline, startBareProxy, startFastApi, startNginx } from './baselines.ts';
import { groups } from './gateway.ts';
import { measure, measureStreams, type Run, type Subject, warmUp } from './measure.ts';
import { usageOf } from './processes.ts';
import { oddities, type Row, ratiosTo, tableOf } from './report.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import { onStage, type Stage } from './stage.ts';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '1.5' },
    rounds: { type: 'string', default: '3' },
    before: { type: 'string' },
    streams: { type: 'string', default: '5000' },
    json: { type: 'string', default: join(tmpdir(), 'mcp-gateway-bench.json') },
  },
});
const only = options.only.split(',').filter(Boolean);
const [seconds, rounds] = [Number(options.seconds), Number(options.rounds)];
const chosen = scenarios.filter(({ name }) => only.length === 0 || only.includes(name));
const wants = (name: string): boolean => only.length === 0 || only.includes(name);

const notes: string[] = [];
const rows: Row[] = [];
const facts: Record<string, unknown> = {};
await onStage(bench);
print();

async function bench(stage: Stage): Promise<void> {
  const { directory, upstreamPort, identities, defer } = stage;
  const generator = stage.generator();
  const kept = (name: string, baseline: Baseline | undefined): Baseline | undefined => {
    if (!baseline) notes.push(`${name}: missing on this machine`);
    for (const one of baseline?.processes ?? []) defer(() => one.stop());
    return baseline;
  };

  const nginx = kept('nginx', await startNginx(directory, upstreamPort));
  const bare = kept('bare Node', await startBareProxy(upstreamPort));
  const gateway = await stage.gateway('data', {
    servers: 10,
    scopes: 10,
  });
  const of = (name: string, one: typeof gateway): Subject => ({
    ...{ name, port: one.port, processes: [one], sendsToken: true },
  });
  const subject = of('gateway', gateway);
  facts.startedInMs = Math.round(gateway.startedIn);
  facts.idleMiB = Math.round(usageOf(gateway.pid).memory);
  const [token, tokens] = [await identities.token(0, groups.all), new Map<string, string[]>()];
  await warmUp(generator, subject, token);
  const against = scenarios.filter(({ name }) => chosen.some((one) => one.against === name));
  for (const { identities: count, group } of [...chosen, ...against]) {
    const key = `${group} ${count}`;
    const made =
      tokens.get(key) ??
      (await Promise.all(Array.from({ length: count }, (_, at) => identities.token(at, group))));
    tokens.set(key, made);
  }
  const startBefore = async (): Promise<Subject> => {
    const size = { servers: 10, scopes: 10, root: options.before ?? '.' };
    const one = await stage.gateway('before', size);
    await warmUp(generator, of('before', one), token);
    return of('before', one);
  };
  const tokensOf = ({ identities: count, group, as }: Scenario): string[] =>
    as ? [gateway.person[as]] : (tokens.get(`${group} ${count}`) ?? []);

  const before = options.before === undefined ? undefined : await startBefore();
  for (const scenario of chosen) {
    const others: Subject[] = before ? [before] : [];
    const stopsHere: (() => Promise<void>)[] = [];
    if (nginx && scenario.compared) others.push(nginx);
    if (bare && scenario.compared) others.push(bare);
    if (scenario.name === 'call-json') {
      const fastApi = await startFastApi(directory, upstreamPort, identities.publicKey);
      if (fastApi) others.push(fastApi);
      else
        notes.push(
          'nginx + FastAPI: missing on this machine (BENCH_PYTHON names a Python that has fastapi, uvicorn, uvloop, httptools, pyjwt and cryptography)',
        );
      stopsHere.push(async () => {
        for (const one of fastApi?.processes ?? []) await one.stop();
      });
    }
    if (scenario.rate) others.push({ name: 'direct', port: upstreamPort, processes: [], sendsToken: false });
    let measured = subject;
    if (scenario.large) {
      const large = await stage.gateway('large', {
        servers: 10_000,
        scopes: 1_000,
      });
      stopsHere.push(() => large.stop());
      measured = of('gateway', large);
      await warmUp(generator, measured, token);
    }
    const reference = scenario.against && scenarios.find(({ name }) => name === scenario.against);
    const runs = new Map<string, Run[]>();
    const add = async (key: string, one: Subject, what: Scenario): Promise<void> => {
      const path = one.name === 'direct' ? { ...what, server: what.server } : what;
      const run = await measure(generator, one, path, tokensOf(what), seconds * 1000);
      runs.set(key, [...(runs.get(key) ?? []), run]);
    };
    process.stderr.write(`${scenario.name} ...\n`);
    for (let round = 0; round < rounds; round += 1) {
      for (const other of others) await add(other.name, other, scenario);
      if (reference) await add('reference', subject, reference);
      await add('gateway', measured, scenario);
    }
    const gatewayRuns = runs.get('gateway') ?? [];
    for (const other of others)
      rows.push({ scenario: scenario.name, subject: other.name, runs: runs.get(other.name) ?? [] });
    const [to, base] = before
      ? ['before', runs.get('before')]
      : reference
        ? [reference.name, runs.get('reference')]
        : ['nginx', runs.get('nginx')];
    const row: Row = { scenario: scenario.name, subject: 'gateway', runs: gatewayRuns };
    const ratios = base && ratiosTo(to, gatewayRuns, base);
    rows.push(ratios ? { ...row, ratios } : row);
    const bareRuns = runs.get('bare Node');
    if (bareRuns)
      rows.push({
        ...{ scenario: scenario.name, subject: 'gateway', runs: gatewayRuns },
        ratios: ratiosTo('bare Node', gatewayRuns, bareRuns),
      });
    notes.push(...oddities(row, scenario.status));
    for (const stop of stopsHere) await stop();
  }
  facts.afterLoadMiB = Math.round(usageOf(gateway.pid).memory);
  if (wants('streams-5000')) {
    const count = Number(options.streams);
    const fresh = await stage.gateway('streams', {
      servers: 10,
      scopes: 10,
    });
    const held = of('gateway', fresh);
    for (const one of nginx ? [nginx, held] : [held]) {
      const { open, kib } = await measureStreams(generator, one, token, count);
      facts[`streams, ${one.name}`] = `${open} open, ${kib.toFixed(1)} KiB each`;
    }
  }
}

function print(): void {
  const machine = `${cpus()[0]?.model ?? ''}, ${cpus().length} cores, Node ${process.version}`;
  const date = new Date().toISOString().slice(0, 10);
  console.log(`\n${date}, ${machine}; ${rounds} rounds of ${seconds} s\n`);
  console.log(tableOf(rows));
  console.log('');
  for (const [name, value] of Object.entries(facts)) console.log(`${name}: ${String(value)}`);
  for (const note of notes) console.log(`note: ${note}`);
  writeFileSync(
    options.json,
    JSON.stringify({ date, machine, rounds, seconds, facts, notes, rows }, null, 2),
  );
  console.log(`\nJSON: ${options.json}`);
}
