import { Failure } from '../../failure/errors.ts';
import type { Share, Shares } from '../../identity/shares.ts';

/** What one identity may have under way, so that none takes what is there for all. */
export interface SeatLimits {
  readonly callsPerIdentity: number;
  readonly streamsPerIdentity: number;
}

/** Seconds after which a call that found no seat may be tried again. */
const retryAfter = 1;

/** Takes a seat for a stream of an identity to any server, and returns how to leave it; fails with `too_many_requests`. */
export function takeStream(
  shares: Shares,
  share: Share,
  { streamsPerIdentity: most }: SeatLimits,
): () => void {
  if (share.streams >= most)
    throw new Failure(
      'too_many_requests',
      `You have ${most} streams open, the most that one identity may have; end one of them.`,
      { retryAfter },
    );
  share.streams += 1;
  return () => {
    share.streams -= 1;
    shares.settle(share);
  };
}

/** The same for a call to one server, by its pool of connections. */
export function takeCall(
  shares: Shares,
  share: Share,
  pool: string,
  { callsPerIdentity: most }: SeatLimits,
): () => void {
  const { calls } = share;
  const under = calls.get(pool) ?? 0;
  if (under >= most)
    throw new Failure(
      'too_many_requests',
      `You have ${most} calls to this server under way, the most that one identity may have; wait for one to end.`,
      { retryAfter },
    );
  calls.set(pool, under + 1);
  return () => {
    const left = (calls.get(pool) ?? 1) - 1;
    if (left > 0) calls.set(pool, left);
    else calls.delete(pool);
    shares.settle(share);
  };
}
