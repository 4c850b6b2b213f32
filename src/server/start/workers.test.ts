import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import type { Reason } from './ending.ts';
import { type Fork, runWorkers, workersOf } from './workers.ts';

const database = { url: 'postgres://a/b' } as never;

test.each([
  [{ workers: 'auto', database, mode: 'production' }, 8, undefined],
  [{ workers: 3, database, mode: 'production' }, 3, undefined],
  [{ workers: 'auto', database: null, mode: 'production' }, 1, /DATABASE_URL/],
  [{ workers: 4, database, mode: 'evaluation' }, 1, /evaluation/],
  [{ workers: 1, database: null, mode: 'production' }, 1, undefined],
] as const)('%j runs as %i', (config, count, why) => {
  const workers = workersOf(config, 8);
  expect(workers.count).toBe(count);
  if (why) expect(workers.because).toMatch(why);
  else expect(workers.because).toBeUndefined();
});

class Scripted extends EventEmitter {
  readonly kills: string[] = [];
  readonly environment: Record<string, string>;
  readonly process = { kill: (signal: string) => this.kills.push(signal) };
  constructor(environment: Record<string, string>) {
    super();
    this.environment = environment;
  }
}

function run(count: number) {
  const made: Scripted[] = [];
  let ask = (_: Reason): void => {};
  const asked = new Promise<Reason>((resolve) => {
    ask = resolve;
  });
  const fork = ((environment: Record<string, string>) => {
    const worker = new Scripted(environment);
    made.push(worker);
    return worker;
  }) as unknown as Fork;
  const code = runWorkers(count, { metricsPort: 9100, print: () => {}, asked, fork, restMs: 0 });
  return { made, ask, code };
}

test.each([
  [{ signal: 'SIGTERM' } as const, 'SIGTERM'],
  [{ signal: 'SIGINT' } as const, 'SIGINT'],
  [{ error: new Error('of the first process') }, 'SIGTERM'],
])(
  'a worker that ends is replaced at its metrics port, and all drain when that is asked: %o',
  async (reason, signal) => {
    const { made, ask, code } = run(2);
    for (const worker of made) worker.emit('listening');
    made[1]?.emit('exit', null, 'SIGKILL');
    while (made.length < 3) await new Promise(setImmediate);
    expect(made.map(({ environment }) => environment.METRICS_PORT)).toEqual(['9100', '9101', '9101']);
    ask(reason);
    await Promise.resolve();
    await new Promise(setImmediate);
    expect(made.map(({ kills }) => kills)).toEqual([[signal], [], [signal]]);
    made[0]?.emit('exit', 0, null);
    made[2]?.emit('exit', 0, null);
    expect(await code).toBe(0);
  },
);

test('a worker that cannot start ends all with its exit code', async () => {
  const { made, code } = run(2);
  made[0]?.emit('exit', 2, null);
  expect(made[1]?.kills).toEqual(['SIGTERM']);
  made[1]?.emit('exit', 0, null);
  expect(await code).toBe(2);
});
