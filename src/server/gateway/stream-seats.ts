import { Failure } from '../failure/errors.ts';
import type { Identity } from '../identity/identity.ts';
import { holderOf } from './sessions.ts';

/** The streams that identities hold open, so that none takes those of all others. */
export interface StreamSeats {
  /** Takes one for an identity, and gives the way to give it back; fails with `too_many_requests` when it has enough. */
  take(identity: Identity): () => void;
}

/** Nobody holds one yet; each may hold `most`. */
export function createStreamSeats(most: number): StreamSeats {
  const taken = new Map<string, number>();
  return {
    take(identity) {
      const holder = holderOf(identity);
      const before = taken.get(holder) ?? 0;
      if (before >= most)
        throw new Failure(
          'too_many_requests',
          `You have ${before} streams open, the most that one identity may have; end one of them.`,
        );
      taken.set(holder, before + 1);
      return () => {
        const left = (taken.get(holder) ?? 1) - 1;
        if (left > 0) taken.set(holder, left);
        else taken.delete(holder);
      };
    },
  };
}
