import { constants, setPriority } from 'node:os';
import { parseArgs } from 'node:util';
import { startBareProxy } from './baselines.ts';
import { groups } from './gateway.ts';
import type { Attack, Attacked as Told } from './hostile-load.ts';
import type { Outcome } from './load.ts';
import { startModule, usageOf } from './processes.ts';
import { callText, requestText } from './scenarios.ts';
import { onStage, type Stage } from './stage.ts';

/*
 * `npm run bench -- --hostile`: the calls of one identity while a thousand connections of accounts without rights send
 * large, slow and parked bodies and floods of headers; first the same of a bare Node server that only refuses and passes
 * on. Fails where these calls fail, or memory goes past its bound; the times are a report, since another program on the
 * machine may be what is slow. With `--alone` it is not: all but the hostile load has real-time priority.
 */

const { values: options } = parseArgs({
  options: {
    hostile: { type: 'boolean' },
    alone: { type: 'boolean' },
    connections: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '20' },
    rate: { type: 'string', default: '100' },
  },
});

/** Bounds: milliseconds at the 99th percentile, MiB. */
const [slowest, largest] = [50, 400];

await onStage(hostile);

async function hostile(stage: Stage): Promise<void> {
  const { identities, upstreamPort, defer } = stage;
  const generator = stage.generator();
  const known = `Bearer ${await identities.token(0, groups.all)}`;
  const tokens = await Promise.all(
    Array.from({ length: 50 }, (_, at) => identities.token(1000 + at, groups.none)),
  );
  const underAttack = async (name: string, { port, pid }: Target): Promise<Attacked> => {
    const request = requestText('json', `localhost:${port}`, known, callText);
    const calls = (seconds: number): Promise<Outcome> =>
      generator.run({
        ...{ port, requests: [request], connections: 8 },
        ...{ rate: Number(options.rate), milliseconds: seconds * 1000 },
      });
    await calls(2);
    show(`${name}, nobody else`, await calls(5), usageOf(pid).memory);
    const connections = Number(options.connections);
    const enemy = startModule('hostile-load.ts', { isApart: false });
    // It shares a core with what measures, which must not be what is slow.
    setPriority(enemy.pid, constants.priority.PRIORITY_LOW);
    enemy.child.send({ port, tokens, connections } satisfies Attack);
    await calls(2);
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, usageOf(pid).memory)), 250);
    const before = usageOf(pid).cpu;
    const during = await calls(Number(options.seconds));
    const share = (usageOf(pid).cpu - before) / during.seconds;
    clearInterval(watch);
    const { open, opened, statuses } = await new Promise<Told>((resolve) => {
      enemy.child.once('message', (told: Told) => resolve(told));
      enemy.child.send('how');
    });
    await enemy.stop();
    show(`${name}, ${connections} hostile connections`, during, most);
    console.log(
      `  of these ${open} were open at the end, ${opened} opened; statuses ${JSON.stringify(statuses)}; ${(100 * share).toFixed(0)} % of a core`,
    );
    return { during, most };
  };

  const door = await startBareProxy(upstreamPort, { known });
  for (const one of door.processes) defer(() => one.stop());
  // What the machine and the generator cost where hardly anything is done.
  await underAttack('bare Node', { port: door.port, pid: door.processes[0]?.pid ?? 0 });
  const gateway = await stage.gateway('hostile', { servers: 10, scopes: 10 });
  const { during, most } = await underAttack('gateway', gateway);
  const failed = during.broken > 0 || Object.keys(during.statuses).some((status) => status !== '200');
  if (failed) console.error(`calls failed: ${JSON.stringify(during.statuses)}, ${during.broken} broken`);
  if (most > largest) console.error(`memory is above ${largest} MiB`);
  if (during.p99 > slowest) console.error(`the 99th percentile is above ${slowest} ms`);
  if (failed || most > largest) process.exitCode = 1;
}

/** Where calls go, and whose processor time and memory are looked at. */
interface Target {
  readonly port: number;
  readonly pid: number;
}

/** How the calls went, and the most memory meanwhile, in MiB. */
interface Attacked {
  readonly during: Outcome;
  readonly most: number;
}

function show(what: string, { requests, p50, p95, p99 }: Outcome, memory: number): void {
  const [half, most, nearlyAll] = [p50, p95, p99].map((time) => time.toFixed(1));
  console.log(
    `${what}: ${requests} calls, p50 ${half} ms, p95 ${most} ms, p99 ${nearlyAll} ms, at most ${memory.toFixed(0)} MiB`,
  );
}
