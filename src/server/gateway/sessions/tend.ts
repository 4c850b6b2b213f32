import type { GatewayLimits } from '../limits.ts';

/** What a round does for each answer under way; a round comes every `keepAliveMs`. */
export interface Care {
  /** Whether a stream that is silent gets a comment. */
  readonly comments: boolean;
  /** Rounds after which a listening stream on which nothing came is ended; Infinity: never. */
  readonly idleRounds: number;
  /** Rounds after which a client that reads nothing is given up. */
  readonly stallRounds: number;
}

/** An answer on its way, to be looked after. */
export interface Tended {
  tend(care: Care): void;
}

/** Visits every exchange in flight. */
export type EachExchange = (visit: (exchange: { readonly passage?: Tended | undefined }) => void) => void;

/** How often to look where there are no comments to send, in milliseconds. */
const withoutComments = 30_000;

/**
 * Looks after the answers under way, all in one round: a timer for each of thousands of streams would cost memory and
 * time at every event. Answers how to stop.
 */
export function tendAnswers(each: EachExchange, limits: GatewayLimits): () => void {
  const roundMs = limits.keepAliveMs || withoutComments;
  const rounds = (ms: number): number => (ms === 0 ? Number.POSITIVE_INFINITY : Math.ceil(ms / roundMs));
  const care: Care = {
    comments: limits.keepAliveMs > 0,
    idleRounds: rounds(limits.streamIdleMs),
    stallRounds: rounds(limits.stallMs),
  };
  const timer = setInterval(() => each(({ passage }) => passage?.tend(care)), roundMs).unref();
  return () => clearInterval(timer);
}
