import { isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';
import { Failure } from '../failure/errors.ts';

/** Addresses that are remembered at most; who is forgotten may begin anew. */
const remembered = 20_000;

/** Throws `too_many_requests`, with the seconds to wait, for an address that asks too often. */
export type Rate = (address: string | null) => void;

/**
 * Lets each address do something so many times a minute, all at once or spread out; 0: as often as it likes. IPv6 counts by
 * networks of 64 bits, which is what one customer gets (RFC 6177).
 */
export function createRate(perMinute: number, now: () => number): Rate {
  if (perMinute === 0) return () => {};
  const each = 60_000 / perMinute;
  const nextFree = new LRUCache<string, number>({ max: remembered });
  return (address) => {
    const key = networkOf(address);
    const at = Math.max(nextFree.get(key) ?? 0, now());
    const wait = at + each - now() - 60_000;
    if (wait > 0)
      throw new Failure('too_many_requests', 'Too many attempts from your address; try again in a minute.', {
        retryAfter: Math.ceil(wait / 1000),
      });
    nextFree.set(key, at + each);
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
