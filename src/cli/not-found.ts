import { Trouble } from './trouble.ts';

/**
 * Makes a handler for errors of a call about one thing: when there is no such thing it says so and where to look; every
 * other error passes.
 */
export function orNotFound(
  remedy: string,
  message?: string,
  codes: readonly string[] = ['not_found'],
): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Trouble) || !codes.includes(error.about.code ?? '')) throw error;
    throw new Trouble(message ?? error.message, { ...error.about, remedy });
  };
}
