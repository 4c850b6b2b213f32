/** The emulator's time: every date it writes and every expiry it checks comes from here, so tests can move it. */
export type Clock = {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Moves the time forward (or back, when negative). */
  advance(milliseconds: number): void;
  /** Sets the time; it goes on running from there. */
  set(milliseconds: number): void;
  /** Goes back to the time underneath. */
  reset(): void;
};

/** Makes a clock that runs along `base` (the machine's clock by default) and can be moved away from it. */
export function makeClock(base: () => number = Date.now): Clock {
  let offset = 0;
  return {
    now: () => base() + offset,
    advance: (milliseconds) => {
      offset += milliseconds;
    },
    set: (milliseconds) => {
      offset = milliseconds - base();
    },
    reset: () => {
      offset = 0;
    },
  };
}

/** The time in whole seconds, as JWT claims have it. */
export function seconds(clock: Clock): number {
  return Math.floor(clock.now() / 1000);
}

/** The time as Graph writes it: ISO 8601 in UTC without fractions. */
export function instant(clock: Clock, offset = 0): string {
  return new Date(clock.now() + offset).toISOString().replace(/\.\d+Z$/, 'Z');
}
