import type { Identity } from './identity.ts';

/** Who holds something: an identity, or what stands for one. */
export type Holder = Pick<Identity, 'provider' | 'subject'>;

/** Tells identities apart: two credentials of one person or agent are one holder. */
export function holderOf({ provider, subject }: Holder): string {
  return JSON.stringify([provider, subject]);
}

/** What one holder has in use at the moment. */
export interface Share {
  readonly holder: string;
  /** Bytes of request bodies. */
  bytes: number;
  /** Streams that only listen. */
  streams: number;
  /** Calls, by what they go to. */
  readonly calls: Map<string, number>;
}

/** The shares of all holders that have something in use, so that none takes what is there for all. */
export interface Shares {
  of(identity: Holder): Share;
  /** Forgets a share in which nothing is left. */
  settle(share: Share): void;
}

/** Nobody has anything yet. */
export function createShares(): Shares {
  const known = new Map<string, Share>();
  // An identity is one object for as long as its credential is cached, so the holder's name is made once.
  const byIdentity = new WeakMap<Holder, Share>();
  return {
    of(identity) {
      let share = byIdentity.get(identity);
      if (!share) {
        share = { holder: holderOf(identity), bytes: 0, streams: 0, calls: new Map() };
        byIdentity.set(identity, share);
      }
      const present = known.get(share.holder);
      if (present === share) return share;
      if (present) {
        byIdentity.set(identity, present);
        return present;
      }
      known.set(share.holder, share);
      return share;
    },
    settle(share) {
      if (share.bytes === 0 && share.streams === 0 && share.calls.size === 0) known.delete(share.holder);
    },
  };
}
