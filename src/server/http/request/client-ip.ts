import { isIP, isIPv6 } from 'node:net';
import type { Context } from 'hono';
import type { HttpEnv } from '../env.ts';

/** The address of the client: of the connection or, behind trusted proxies, as the outermost of them saw it. */
export function clientIpOf(c: Context<HttpEnv>, trustedHops: number): string | null {
  return clientIp(c.env?.incoming?.socket?.remoteAddress, c.req.header('x-forwarded-for'), trustedHops);
}

/** The same for the data plane: from the socket's address and the `X-Forwarded-For` header. */
export function clientIp(
  remote: string | undefined,
  forwardedFor: string | string[] | undefined,
  hops: number,
): string | null {
  const direct = remote === undefined ? null : peerAddress(remote);
  if (hops === 0 || !forwardedFor) return direct;
  // Each proxy appends the address that it saw: only the last `hops` entries were written by proxies that we trust.
  const chain = String(forwardedFor).split(',');
  return addressIn(chain.at(-hops) ?? chain[0] ?? '') ?? direct;
}

/** Addresses of connections as they were read: few peers send most of the requests. */
const peers = new Map<string, string | null>();
const peersAtMost = 1_000;

function peerAddress(remote: string): string | null {
  const known = peers.get(remote);
  if (known !== undefined) return known;
  const address = addressIn(remote);
  if (peers.size >= peersAtMost) peers.clear();
  peers.set(remote, address);
  return address;
}

/** The IP address that an entry names, with or without a port, IPv4 within IPv6 as IPv4; null for anything else. */
function addressIn(entry: string): string | null {
  const text = entry.trim().replace(/^"([^"]*)"$/, '$1');
  const bare =
    /^\[([^\]]{2,45})\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^([\d.]{7,15}):\d{1,5}$/.exec(text)?.[1] ?? text;
  const address = (bare.split('%', 1)[0] ?? '').toLowerCase();
  if (isIP(address) === 0) return null;
  const within = /^::ffff:([\d.]+)$/.exec(address)?.[1];
  return within && isIP(within) === 4 ? within : address;
}

/** What an address counts for where something is limited: IPv6 by networks of 64 bits, which is what one customer gets (RFC 6177). */
export function networkOf(address: string | null): string {
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
