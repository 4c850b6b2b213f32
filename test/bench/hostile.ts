import { constants, setPriority } from 'node:os';
import { parseArgs } from 'node:util';
import { groups } from './gateway.ts';
import type { Attack, Attacked } from './hostile-load.ts';
import type { Outcome } from './load.ts';
import { startModule, usageOf } from './processes.ts';
import { callText, requestText } from './scenarios.ts';
import { onStage, type Stage } from './stage.ts';

/*
 * `npm run bench -- --hostile`: the calls of one identity while a thousand connections of accounts without rights send
 * large, slow and parked bodies and floods of headers. Fails where these calls fail, or memory goes past its bound; the
 * times are a report, since another program on the machine may be what is slow.
 */

const { values: options } = parseArgs({
  options: {
    hostile: { type: 'boolean' },
    connections: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '20' },
    rate: { type: 'string', default: '100' },
  },
});

/** Bounds: milliseconds at the 99th percentile, MiB. */
const [slowest, largest] = [50, 400];

await onStage(hostile);

async function hostile({ identities, defer, generator: startGenerator, gateway }: Stage): Promise<void> {
  const generator = startGenerator();
  const { port, pid } = await gateway('hostile', { servers: 10, scopes: 10 });
  const request = requestText(
    'json',
    `localhost:${port}`,
    `Bearer ${await identities.token(0, groups.all)}`,
    callText,
  );
  const rate = Number(options.rate);
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, usageOf(pid).memory)), 250);
  const calls = async (seconds: number): Promise<Outcome> =>
    generator.run({ port, requests: [request], connections: 8, rate, milliseconds: seconds * 1000 });
  await calls(2);
  show('nobody else', await calls(5), usageOf(pid).memory);

  const connections = Number(options.connections);
  const tokens = await Promise.all(
    Array.from({ length: 50 }, (_, at) => identities.token(1000 + at, groups.none)),
  );
  const enemy = startModule('hostile-load.ts');
  defer(() => enemy.stop());
  // It shares a core with what measures, which must not be what is slow.
  setPriority(enemy.pid, constants.priority.PRIORITY_LOW);
  enemy.child.send({ port, tokens, connections } satisfies Attack);
  await calls(2);
  most = 0;
  const before = usageOf(pid).cpu;
  const during = await calls(Number(options.seconds));
  const share = (usageOf(pid).cpu - before) / during.seconds;
  clearInterval(watch);
  const { open, opened, statuses } = await new Promise<Attacked>((resolve) => {
    enemy.child.once('message', (told: Attacked) => resolve(told));
    enemy.child.send('how');
  });
  show(`${connections} hostile connections`, during, most);
  console.log(
    `of these ${open} were open at the end, ${opened} opened; statuses ${JSON.stringify(statuses)}`,
  );
  console.log(`the gateway used ${(100 * share).toFixed(0)} % of a core`);
  const failed = during.broken > 0 || Object.keys(during.statuses).some((status) => status !== '200');
  if (failed) console.error(`calls failed: ${JSON.stringify(during.statuses)}, ${during.broken} broken`);
  if (most > largest) console.error(`memory is above ${largest} MiB`);
  if (during.p99 > slowest) console.error(`the 99th percentile is above ${slowest} ms`);
  if (failed || most > largest) process.exitCode = 1;
}

function show(what: string, { requests, p50, p95, p99 }: Outcome, memory: number): void {
  const [half, most, nearlyAll] = [p50, p95, p99].map((time) => time.toFixed(1));
  console.log(
    `${what}: ${requests} calls, p50 ${half} ms, p95 ${most} ms, p99 ${nearlyAll} ms, at most ${memory.toFixed(0)} MiB`,
  );
}
