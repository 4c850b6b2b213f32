import { LRUCache } from 'lru-cache';
import type { Endpoint } from '../../contract/endpoint.ts';
import { Failure } from '../failure/errors.ts';
import type { Identity } from '../identity/identity.ts';

type Cost = NonNullable<Endpoint['cost']>;

/** How many requests of each kind one identity may send at once, and how many more each minute, in this process. */
const rates: Readonly<Record<Cost, { readonly burst: number; readonly perMinute: number }>> = {
  reach: { burst: 20, perMinute: 30 },
  heavy: { burst: 60, perMinute: 300 },
};

/** Identities that are remembered at most; whoever is forgotten begins with a full burst. */
const mostKnown = 20_000;

/** Bounds what one identity may ask of the control plane that costs more than a look-up. */
export function createBudgets(now: () => number): (cost: Cost, identity: Identity) => void {
  const known = new LRUCache<string, { left: number; at: number }>({ max: mostKnown });
  return (cost, { provider, subject }) => {
    const { burst, perMinute } = rates[cost];
    const key = JSON.stringify([cost, provider, subject]);
    const at = now();
    const before = known.get(key) ?? { left: burst, at };
    const left = Math.min(burst, before.left + (Math.max(0, at - before.at) * perMinute) / 60_000);
    known.set(key, { left: left < 1 ? left : left - 1, at });
    if (left >= 1) return;
    throw new Failure(
      'too_many_requests',
      `You may ask for this ${perMinute} times a minute; wait a little.`,
      {
        retryAfter: Math.ceil(((1 - left) * 60) / perMinute),
      },
    );
  };
}
