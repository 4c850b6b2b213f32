import { LRUCache } from 'lru-cache';
import { Failure } from '../failure/errors.ts';
import { refusedTooOften } from './event.ts';

/** How many identities are counted at a time. */
const counted = 20_000;

/** Counts what identities are refused, so that nobody fills the trail with it. */
export interface Refusals {
  /**
   * What an identity is told that is refused: why, or that it is refused too often and when to come back. That is then
   * the reason of the event too.
   */
  of(event: { reason?: string | undefined }, holder: string, failure: Failure): Failure;
}

/**
 * Lets each identity be refused so many times a minute, and as many at once; what goes beyond is 429 with `Retry-After`, and
 * one row of the trail a minute. What is allowed is never in the way of that. 0: no limit.
 */
export function createRefusals(perMinute: number, now: () => number): Refusals {
  /** When the room of an identity is whole again, in milliseconds since 1970. */
  const wholeAt = new LRUCache<string, number>({ max: counted });
  const [each, most] = [60_000 / perMinute, 60_000];
  return {
    of(event, holder, failure) {
      if (perMinute === 0) return failure;
      const time = now();
      const whole = Math.max(wholeAt.get(holder) ?? 0, time) + each;
      const over = whole - time - most;
      if (over <= 0) {
        wholeAt.set(holder, whole);
        return failure;
      }
      event.reason = refusedTooOften;
      return new Failure(
        'too_many_requests',
        `You were refused ${perMinute} times within a minute. Wait. Then ask an administrator for access, or correct what you send.`,
        { retryAfter: Math.ceil(over / 1000) },
      );
    },
  };
}
