import { setTimeout as delay } from 'node:timers/promises';

/** Everything that has to be closed, in the reverse order of its opening. */
export interface Ending {
  /** Remembers how to close what was just opened. */
  defer(close: () => unknown): void;
  /** Closes all of it, the newest first, each waited for; what cannot be closed is told and keeps nothing else open. Never rejects. */
  end(): Promise<void>;
}

/** Makes an ending with nothing to close yet; `failed` is told what a closer fails with. */
export function createEnding(failed: (error: unknown) => void): Ending {
  const closers: (() => unknown)[] = [];
  let ended: Promise<void> | undefined;
  const endAll = async (): Promise<void> => {
    for (let close = closers.pop(); close; close = closers.pop())
      try {
        await close();
      } catch (error) {
        failed(error);
      }
  };
  return {
    defer: (close) => void closers.push(close),
    end() {
      ended ??= endAll();
      return ended;
    },
  };
}

/** What a process emits; `process` itself, but for tests. */
export interface Emitter {
  on(event: string, listener: (value: unknown) => void): unknown;
}

/** Why a process ends: a signal, or something that nobody caught. */
export type Reason = { readonly signal: NodeJS.Signals } | { readonly error: unknown };

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const escaped = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * Resolves when the process is asked to end (SIGINT, SIGTERM, or SIGHUP when its terminal goes), or when an error escaped:
 * what comes after that cannot be trusted, so the process drains and ends too. A second signal does not wait: `exit` is
 * called at once. A worker has no `exit`: a terminal and a service manager signal it and the first process, which signals it
 * again; that one hears a second signal, and ends it with itself. A second error is only told, so that it cannot cut the
 * draining short.
 */
export function untilAsked(
  emitter: Emitter,
  { exit, told }: { exit: ((code: number) => void) | undefined; told: (error: unknown) => void },
): Promise<Reason> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of signals)
      emitter.on(signal, () => {
        if (asked) exit?.(130);
        asked = true;
        resolve({ signal });
      });
    for (const event of escaped)
      emitter.on(event, (error) => {
        told(error);
        resolve({ error });
      });
  });
}

/**
 * What `starting` resolves to. A signal that comes meanwhile waits for it, so that what was opened is closed in order, but no
 * longer than `graceMs`: then, or when the start fails after it, it resolves to `undefined`. Rejects as `starting` does otherwise.
 */
export async function startedUnlessAsked<T>(
  starting: Promise<T>,
  asked: Promise<Reason>,
  graceMs: number,
): Promise<T | undefined> {
  let early = false;
  const tooLate = asked.then(async () => {
    early = true;
    await delay(graceMs, undefined, { ref: false });
    return undefined;
  });
  try {
    return await Promise.race([starting, tooLate]);
  } catch (error) {
    if (early) return undefined;
    throw error;
  }
}
