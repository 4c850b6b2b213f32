import { isIPv6 } from 'node:net';
import type { Allow } from '../../db/allowance.ts';
import { Failure } from '../../failure/errors.ts';

/** Throws `too_many_requests`, with the seconds to wait, for an address that asks too often. */
export type AddressRate = (address: string | null) => Promise<void>;

/**
 * Lets each address do something so many times a minute, all at once or spread out; 0: as often as it likes. IPv6 counts by
 * networks of 64 bits, which is what one customer gets (RFC 6177).
 */
export function createRate(what: string, perMinute: number, allow: Allow): AddressRate {
  if (perMinute === 0) return async () => {};
  return async (address) => {
    const key = JSON.stringify(['address', what, networkOf(address)]);
    const retryAfter = await allow(key, { burst: perMinute, perMinute });
    if (retryAfter === 0) return;
    throw new Failure('too_many_requests', 'Too many attempts from your address; try again in a minute.', {
      retryAfter,
    });
  };
}

/** The network that an address counts for. */
function networkOf(address: string | null): string {
  if (address === null || !isIPv6(address)) return address ?? '';
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail ? tail.split(':').length : 0;
  const filled =
    tail === undefined
      ? groups
      : [...groups, ...Array<string>(Math.max(0, 8 - groups.length - rest)).fill('0'), ...tail.split(':')];
  return filled
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}
