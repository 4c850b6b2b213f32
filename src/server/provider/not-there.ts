import { Failure } from '../failure/errors.ts';

/** What was asked for; undefined when the directory has no such thing (`not_found`). */
export async function ifFound<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Failure && error.code === 'not_found') return undefined;
    throw error;
  }
}

/** Removes something that may be gone already; true when it was there. */
export async function ifThere(act: () => Promise<unknown>): Promise<boolean> {
  return (await ifFound(act().then(() => true))) ?? false;
}
