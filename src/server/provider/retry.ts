/** How often a request is sent at most, the first time included. */
const attempts = 4;
/** Whoever asks for more patience than this, in seconds, gets none: the caller hears of it instead. */
const longestWait = 30;

/** Waits some milliseconds; tests do not. */
export type Pause = (milliseconds: number) => Promise<void>;

/** The wait before attempt `next` (from 2) in milliseconds; undefined when there should be none. `after` is Retry-After in seconds. */
export function waitBefore(next: number, after: number | undefined): number | undefined {
  if (next > attempts || (after ?? 0) > longestWait) return undefined;
  return (after ?? 2 ** (next - 2)) * 1000;
}

/** Retry-After in seconds; undefined when it is absent or a date, which Microsoft does not send. */
export function retryAfter(value: string | null | undefined): number | undefined {
  return value && /^\d{1,6}$/.test(value) ? Number(value) : undefined;
}

/**
 * Whether an answer is worth another attempt: 429 and 503 were not carried out, so anything may be repeated; other trouble
 * of the server only for what does the same when done twice.
 */
export function isWorthRepeating(method: string, status: number): boolean {
  if (status === 429 || status === 503) return true;
  return method !== 'POST' && [500, 502, 504].includes(status);
}
