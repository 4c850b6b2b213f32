import { parseArgs } from 'node:util';
import { groups } from './gateway.ts';
import { usageOf } from './processes.ts';
import { callText, requestText, streamText } from './scenarios.ts';
import { onStage, type Stage } from './stage.ts';

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

await onStage(soak);

async function soak({ identities, generator: startGenerator, gateway: start }: Stage): Promise<void> {
  const generator = startGenerator();
  const gateway = await start('soak', { servers: 10, scopes: 10 });
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
