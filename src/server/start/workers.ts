import cluster, { type Worker } from 'node:cluster';
import { availableParallelism } from 'node:os';
import type { Config } from '../config/config.ts';
import type { Reason } from './ending.ts';

/** How many processes serve, and why it is one where more could be expected. */
export interface Workers {
  readonly count: number;
  readonly because?: string;
}

/** Decides how many processes serve: as many as WORKERS says where they can share a database, otherwise one. */
export function workersOf(
  { workers, database, mode }: Pick<Config, 'workers' | 'database' | 'mode'>,
  cores = availableParallelism(),
): Workers {
  const count = workers === 'auto' ? cores : workers;
  if (count === 1) return { count };
  if (mode === 'evaluation') return { count: 1, because: 'the evaluation mode runs in one process' };
  if (!database)
    return {
      count: 1,
      because: 'the embedded database belongs to one process; set DATABASE_URL to use more',
    };
  return { count };
}

/** How long a worker that ended is waited for before the next takes its place, in milliseconds. */
const restMs = 1000;

/** What starts workers: `node:cluster`, but for tests. */
export type Fork = (environment: Record<string, string>) => Pick<Worker, 'on' | 'once' | 'process'>;

/**
 * Runs so many workers, which share the port, until `asked` resolves; resolves to the exit code. One that ends is replaced,
 * but one that has never listened ends them all: the next would fail alike. Each worker is a replica like any other and
 * has a port of its own for metrics, from METRICS_PORT upwards.
 */
export async function runWorkers(
  count: number,
  world: {
    readonly metricsPort: number;
    readonly print: (text: string) => void;
    readonly asked: Promise<Reason>;
    readonly fork?: Fork;
    readonly restMs?: number;
  },
): Promise<number> {
  const { metricsPort, print, asked, fork = (environment) => cluster.fork(environment) } = world;
  const running = new Set<ReturnType<Fork>>();
  let ending = false;
  let code = 0;
  return new Promise((resolve) => {
    let sent: NodeJS.Signals | undefined;
    const endAll = (signal: NodeJS.Signals = 'SIGTERM'): void => {
      ending = true;
      sent = signal;
      if (running.size === 0) resolve(code);
      // As this one was told to: who stops it at a terminal waits for nothing.
      for (const worker of running) worker.process.kill(signal);
    };
    const startOne = (place: number): void => {
      const worker = fork(metricsPort > 0 ? { METRICS_PORT: String(metricsPort + place) } : {});
      let listened = false;
      running.add(worker);
      worker.once('listening', () => {
        listened = true;
      });
      worker.once('exit', (exited: number | null, signal: string | null) => {
        running.delete(worker);
        if (ending) {
          // One that does not listen to signals yet has nothing to finish.
          code ||= exited ?? (signal === sent ? 0 : 1);
          if (running.size === 0) resolve(code);
        } else if (listened) {
          print(`worker ${place + 1} ended (${signal ?? exited}); another takes its place\n`);
          setTimeout(() => ending || startOne(place), world.restMs ?? restMs);
        } else {
          code = exited || 1;
          endAll();
        }
      });
    };
    for (let place = 0; place < count; place += 1) startOne(place);
    void asked.then((reason) => endAll('signal' in reason ? reason.signal : undefined));
  });
}
