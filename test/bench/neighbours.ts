import { type BenchGateway, groups } from './gateway.ts';
import type { Outcome } from './load.ts';
import { usageOf } from './processes.ts';
import { callText, requestText } from './scenarios.ts';
import { onStage, type Stage } from './stage.ts';

/*
 * `npm run bench -- --neighbours`: what calls feel of what else the process does: lists of servers read without pause, and
 * the first minute with 10,000 servers to check. It asserts nothing: it is a report.
 */

await onStage(neighbours);

async function neighbours({ identities, generator, gateway: start }: Stage): Promise<void> {
  const [calls, reads] = [generator(), generator()];
  const credential = `Bearer ${await identities.token(0, groups.all)}`;
  /** 200 calls a second. */
  const call = ({ port }: BenchGateway, milliseconds: number): Promise<Outcome> => {
    const request = requestText('json', `localhost:${port}`, credential, callText);
    return calls.run({ port, requests: [request], connections: 8, rate: 200, milliseconds });
  };

  const listed = await start('listed', { servers: 307, scopes: 10, toolsEach: 30 });
  await call(listed, 3_000);
  show('300 servers of 30 tools, quiet', await call(listed, 5_000));
  const head = [
    'GET /api/servers?limit=1 HTTP/1.1',
    `Host: localhost:${listed.port}`,
    `Authorization: ${credential}`,
    'Accept-Encoding: gzip',
  ];
  const read = reads.run({
    ...{ port: listed.port, requests: [`${head.join('\r\n')}\r\n\r\n`] },
    ...{ connections: 8, milliseconds: 6_000 },
  });
  show('the same, eight clients read /api/servers?limit=1', await call(listed, 5_000));
  const { requests, seconds, statuses } = await read;
  console.log(`  ${(requests / seconds).toFixed(0)} lists a second (${JSON.stringify(statuses)})`);
  await listed.stop();

  const before = performance.now();
  const many = await start('many', { servers: 10_000, scopes: 10, checkedEvery: 300 });
  console.log(
    `10,000 servers switched on, started in ${Math.round(many.startedIn)} ms of ${Math.round(performance.now() - before)}`,
  );
  for (const [name, milliseconds] of [
    ['first second', 1_000],
    ['next 19 s', 19_000],
    ['next 40 s', 40_000],
  ] as const) {
    const used = usageOf(many.pid).cpu;
    show(
      name,
      await call(many, milliseconds),
      `${(((usageOf(many.pid).cpu - used) / milliseconds) * 100_000).toFixed(0)}% of a core`,
    );
  }
}

function show(what: string, { p50, p99, p95, statuses, broken }: Outcome, more = ''): void {
  const times = [p50, p95, p99].map((time) => time.toFixed(2)).join(' / ');
  console.log(
    `${what.padEnd(52)} p50 / p95 / p99 ${times} ms ${JSON.stringify(statuses)} broken ${broken} ${more}`,
  );
}
