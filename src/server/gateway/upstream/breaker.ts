import { Failure } from '../../failure/errors.ts';

/** When to leave a server alone; times in milliseconds. */
export interface BreakerOptions {
  /** Connections that failed one after the other, from which on it is left alone; 0: never. */
  readonly failures: number;
  /** The longest rest; the first is a second, and each time that the server still fails it doubles. */
  readonly maxRestMs: number;
  /** How long one connection may take to stand or fail. */
  readonly connectMs: number;
  now(): number;
}

/**
 * Leaves a server alone to which no connection can be made, so that calls to it fail at once. What it answers never counts:
 * a server that answers, even with errors, is there. After a rest one call is let through to try (half-open).
 */
export interface Breaker {
  /** Whether calls are refused, but for the one that tries. */
  readonly isOpen: boolean;
  /** Fails with `upstream_resting` while the server is left alone. */
  check(): void;
  connected(): void;
  /** A connection could not be made. */
  failed(): void;
}

const firstRestMs = 1_000;

/** Lets everything through until connections fail. */
export function createBreaker({ failures: limit, maxRestMs, connectMs, now }: BreakerOptions): Breaker {
  let [failures, restMs, until] = [0, 0, 0];
  let tries = false;
  const isOpen = (): boolean => limit > 0 && failures >= limit;
  return {
    get isOpen() {
      return isOpen();
    },
    check() {
      if (!isOpen()) return;
      const left = until - now();
      if (left > 0) throw resting(Math.ceil(left / 1000));
      tries = true;
      until = now() + connectMs;
    },
    connected() {
      [failures, restMs, until, tries] = [0, 0, 0, false];
    },
    failed() {
      // Of the connections that were tried at the same time, the first that fails counts for all.
      if (isOpen() && !tries) return;
      failures += 1;
      tries = false;
      if (!isOpen()) return;
      restMs = Math.min(restMs === 0 ? firstRestMs : restMs * 2, maxRestMs);
      until = now() + restMs;
    },
  };
}

function resting(seconds: number): Failure {
  return new Failure(
    'upstream_resting',
    `The last connections to this server failed. The next one is tried in ${seconds} s.`,
    { retryAfter: seconds },
  );
}
