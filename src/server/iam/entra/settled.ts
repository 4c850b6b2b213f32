import { asFailure, Failure } from '../../failure/errors.ts';
import { GraphFailure, isUncertainStatus } from '../../provider/graph-failure.ts';
import type { Pause } from '../../provider/retry.ts';

/** Seconds between attempts: three minutes in all, as long as replication was ever reported to take. */
const waits = [1, 2, 4, 8, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15];

/** How to wait, and how often at most: five times are half a minute. */
export interface Patience {
  readonly pause: Pause;
  readonly patience?: number;
}

/** Does something that may fail only because an object made a moment ago is not known everywhere yet. */
export async function settled<T>(
  { pause, patience = waits.length }: Patience,
  act: () => Promise<T>,
  isTooEarly: (error: unknown) => boolean = isUnknownYet,
): Promise<T> {
  for (const seconds of waits.slice(0, patience)) {
    try {
      return await act();
    } catch (error) {
      if (!isTooEarly(error)) throw error;
      await pause(seconds * 1000);
    }
  }
  return act();
}

/** Seconds before what may have been done is tried, or looked at, again. */
const looks = [1, 2, 4];

/** Whether something may have been done although it failed: it was answered by trouble, or not at all. */
export function isUncertain(error: unknown): boolean {
  // Graph's client has repeated what is certain not to have been carried out.
  if (error instanceof GraphFailure) return isUncertainStatus(error.graph.status);
  return asFailure(error).code === 'directory_unavailable';
}

/** Does something again while what became of it is not known: only for what does the same when it is done twice. */
export async function repeated<T>({ pause }: Patience, act: () => Promise<T>): Promise<T> {
  for (const seconds of looks) {
    try {
      return await act();
    } catch (error) {
      if (!isUncertain(error)) throw error;
      await pause(seconds * 1000);
    }
  }
  return act();
}

/** Looks for something until it is there, a few seconds at most; undefined when it is not. */
export async function sought<T>(
  { pause }: Patience,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  for (const seconds of looks) {
    const found = await look();
    if (found !== undefined) return found;
    await pause(seconds * 1000);
  }
  return look();
}

function isUnknownYet(error: unknown): boolean {
  if (error instanceof Failure && error.code === 'not_found') return true;
  if (!(error instanceof GraphFailure) || error.graph.status !== 400) return false;
  // Graph gives this refusal no code of its own, so its words have to do.
  return (
    error.graph.details.some(({ code }) => code === 'NoBackingApplicationObject') ||
    error.message.includes('Not a valid reference update')
  );
}

/** Does something that may have been done already: a refusal because it exists is success. */
export async function unlessThere(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    const exists =
      error instanceof GraphFailure && (error.graph.status === 409 || /already exist/.test(error.message));
    if (!exists) throw error;
  }
}
