import { BlockList, isIP, isIPv4 } from 'node:net';

/** Which addresses this gateway's own requests may reach. Link-local and metadata addresses are never among them (see `wayToManagedIdentity` in outbound.ts for the one exemption). */
export interface OutboundPolicy {
  /** Loopback and private ranges too: for evaluation and for gateways inside a private network. */
  readonly allowPrivate: boolean;
  /** Private ranges that are allowed although `allowPrivate` is false, in CIDR notation (`10.20.0.0/16`). */
  readonly allow?: readonly string[] | undefined;
}

// Link-local, cloud metadata (AWS, Azure, Google, Alibaba, Oracle), "this host", multicast and reserved ranges.
const never = rangesOf([
  '0.0.0.0/8',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '192.0.0.192/32',
  '224.0.0.0/3',
  '::/128',
  'fd00:ec2::/32',
  'fd20:ce::254/128',
  'fe80::/10',
  'ff00::/8',
]);

const privateRanges = rangesOf([
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '::1/128',
  '64:ff9b:1::/48',
  '2001::/32',
  'fc00::/7',
  'fec0::/10',
]);

// Each `allow` list is made into ranges once.
const allowed = new WeakMap<readonly string[], BlockList>();

/** Makes ranges of CIDR notation; throws a RangeError that names the part that is none. */
export function rangesOf(cidrs: readonly string[]): BlockList {
  const ranges = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', bits = ''] = cidr.split('/');
    const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
    if (!/^\d{1,3}$/.test(bits) || Number(bits) > most)
      throw new RangeError(`'${cidr}' is not a range such as 10.20.0.0/16 or fd12::/32`);
    ranges.addSubnet(address, Number(bits), isIPv4(address) ? 'ipv4' : 'ipv6');
  }
  return ranges;
}

/** Why the gateway does not connect to an IP address, in words for everybody; undefined when it may. */
export function refusalOf(address: string, policy: OutboundPolicy): string | undefined {
  const plain = address.replace(/^\[|\]$/g, '').split('%', 1)[0] ?? '';
  if (!isIP(plain)) return 'The address is not an IP address.';
  const forms = [plain, ...embeddedIPv4(plain)];
  if (forms.some((form) => isIn(never, form)))
    return 'It is at a link-local, metadata or reserved address, to which the gateway never connects.';
  if (policy.allowPrivate || !forms.some((form) => isIn(privateRanges, form))) return undefined;
  const exempt = policy.allow ? allowedRanges(policy.allow) : undefined;
  if (exempt && forms.some((form) => isIn(exempt, form))) return undefined;
  return 'It is at a private or loopback address, which this gateway is not allowed to reach.';
}

function allowedRanges(list: readonly string[]): BlockList {
  const known = allowed.get(list);
  if (known) return known;
  const ranges = rangesOf(list);
  allowed.set(list, ranges);
  return ranges;
}

function isIn(ranges: BlockList, address: string): boolean {
  return ranges.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

/**
 * The IPv4 addresses that an IPv6 one may lead to: mapped and compatible (RFC 4291 2.5.5), translated (RFC 2765 2.1, RFC
 * 6052, also with a prefix of one's own network, RFC 8215), 6to4 (RFC 3056), Teredo's server and client (RFC 4380 4),
 * ISATAP (RFC 5214 6.1).
 */
function embeddedIPv4(address: string): string[] {
  if (isIPv4(address)) return [];
  const groups = groupsOf(address);
  const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0, sixth = 0] = groups;
  const [high = 0, low = 0] = groups.slice(6);
  const last: [number, number] = [high, low];
  const found: [number, number][] = [];
  const startsWithZeros = first === 0 && second === 0 && third === 0 && fourth === 0;
  // `::` and `::1` are addresses of their own.
  if (startsWithZeros && fifth === 0 && (sixth === 0 || sixth === 0xffff) && (sixth || high || low > 1))
    found.push(last);
  if (startsWithZeros && fifth === 0xffff && sixth === 0) found.push(last);
  if (first === 0x64 && second === 0xff9b) found.push(last);
  if (first === 0x2002) found.push([second, third]);
  if (first === 0x2001 && second === 0) found.push([third, fourth], [high ^ 0xffff, low ^ 0xffff]);
  if ((fifth & 0xfcff) === 0 && sixth === 0x5efe) found.push(last);
  return found.map(([left, right]) => [left >> 8, left & 255, right >> 8, right & 255].join('.'));
}

/** The eight groups of an IPv6 address, as numbers. */
function groupsOf(address: string): number[] {
  const [left = [], right] = new URL(`http://[${address}]`).hostname
    .slice(1, -1)
    .split('::')
    .map((part) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))));
  if (!right) return left;
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
}
