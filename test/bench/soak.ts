import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { groups, startBenchGateway } from './gateway.ts';
import { startIdentities } from './identities.ts';
import { startGenerator, startModule, usageOf } from './processes.ts';
import { callText, requestText, streamText } from './scenarios.ts';

/*
 * `npm run bench -- --soak`: many calls, then many streams that are opened and dropped, with the gateway's memory as it
 * goes. It asserts nothing: it is a report.
 */

const { values: options } = parseArgs({
  options: {
    soak: { type: 'boolean' },
    calls: { type: 'string', default: '1000000' },
    streams: { type: 'string', default: '100000' },
  },
});

const directory = mkdtempSync(join(tmpdir(), 'soak-'));
const stops: (() => Promise<void>)[] = [];
try {
  await soak();
} finally {
  for (const stop of stops.reverse()) await stop();
  rmSync(directory, { recursive: true, force: true });
}

async function soak(): Promise<void> {
  const upstream = startModule('upstream.ts');
  stops.push(() => upstream.stop());
  const upstreamPort = await new Promise<number>((resolve) => upstream.child.once('message', resolve));
  const identities = await startIdentities(directory);
  stops.push(() => identities.close());
  const generator = startGenerator();
  stops.push(() => generator.stop());
  const size = { servers: 10, scopes: 10 };
  const gateway = await startBenchGateway(directory, 'soak', identities, upstreamPort, size);
  stops.push(() => gateway.stop());
  const { port, pid } = gateway;
  const token = await identities.token(0, groups.all);
  const credential = `Bearer ${token}`;
  const show = (what: string): void =>
    console.log(`${what.padEnd(28)} ${usageOf(pid).memory.toFixed(0).padStart(5)} MiB`);

  show('idle');
  const request = requestText('json', `localhost:${port}`, credential, callText);
  const calls = Number(options.calls);
  let [sent, shown] = [0, 0];
  while (sent < calls) {
    const run = await generator.run({ port, requests: [request], connections: 32, milliseconds: 2000 });
    sent += run.requests;
    if (sent < shown + calls / 10) continue;
    shown = sent;
    show(`${sent} calls`);
  }
  const stream = streamText(`localhost:${port}`, credential);
  const [streams, atOnce] = [Number(options.streams), 1000];
  for (let opened = 0, told = 0; opened < streams; ) {
    opened += await generator.hold(port, stream, atOnce);
    await generator.release();
    if (opened < told + streams / 10) continue;
    told = opened;
    show(`${opened} streams dropped`);
  }
  await new Promise((resolve) => setTimeout(resolve, 3000));
  show('three seconds later');
}
