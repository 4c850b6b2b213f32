/** A clock that keeps to that of the database, which all processes share. */
export interface DatabaseClock {
  /** Milliseconds since 1970, as the database would say. */
  readonly now: () => number;
  /** Notes what the database said when it was asked between two times of this machine; returns how far that is from them. */
  set(said: number, asked: number, heard: number): number;
}

/** Below this the clocks are as good as the same, in milliseconds: what corrects it is NTP, without steps. */
const sameWithinMs = 1000;

/** Makes one that is that of this machine (milliseconds since 1970) until the database has said otherwise. */
export function createDatabaseClock(own: () => number = () => Date.now()): DatabaseClock {
  let off = 0;
  return {
    now: () => own() + off,
    set(said, asked, heard) {
      // How long the database took is no fault of either clock.
      const is = said < asked ? said - asked : Math.max(0, said - heard);
      off = Math.abs(is) < sameWithinMs ? 0 : is;
      return is;
    },
  };
}
