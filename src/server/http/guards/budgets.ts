import type { Endpoint } from '../../../contract/endpoint.ts';
import type { Allow, Rate } from '../../db/allowance.ts';
import { Failure } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';

type Cost = NonNullable<Endpoint['cost']>;

/** How many requests of each kind one identity may send at once, and how many more each minute, to all replicas together. */
const rates: Readonly<Record<Cost, Rate>> = {
  reach: { burst: 20, perMinute: 30 },
  heavy: { burst: 60, perMinute: 300 },
};

/** Bounds what one identity may ask of the control plane that costs more than a look-up. */
export function createBudgets(allow: Allow): (cost: Cost, identity: Identity) => Promise<void> {
  return async (cost, { provider, subject }) => {
    const retryAfter = await allow(JSON.stringify(['budget', cost, provider, subject]), rates[cost]);
    if (retryAfter === 0) return;
    const { perMinute } = rates[cost];
    throw new Failure(
      'too_many_requests',
      `You may ask for this ${perMinute} times a minute; wait a little.`,
      {
        retryAfter,
      },
    );
  };
}
