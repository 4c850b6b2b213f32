import { setTimeout as after } from 'node:timers/promises';
import type { Clock } from './terminal.ts';

/** The time of this machine. */
export const systemClock: Clock = {
  now: Date.now,
  async pause(ms, signal) {
    // An aborted pause is over, which is all that its caller wants to know.
    await after(ms, undefined, signal ? { signal } : {}).catch(() => undefined);
  },
};

/** Does work with a signal that SIGINT and SIGTERM abort; a second one ends the process as it would without. */
export async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  process.once('SIGINT', end).once('SIGTERM', end);
  try {
    return await work(ending.signal);
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
  }
}
