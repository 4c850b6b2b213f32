import { expect, test } from 'vitest';
import { clientIp } from './client-ip.ts';

test.each([
  ['nothing is believed without a trusted proxy', '10.0.0.1', '1.2.3.4', 0, '10.0.0.1'],
  [
    'one proxy appends what it saw; what the client claimed before is ignored',
    '10.0.0.1',
    '6.6.6.6, 1.2.3.4',
    1,
    '1.2.3.4',
  ],
  ['two proxies', '10.0.0.1', '6.6.6.6, 1.2.3.4, 10.0.0.2', 2, '1.2.3.4'],
  ['a shorter chain than there are proxies', '10.0.0.1', '1.2.3.4', 3, '1.2.3.4'],
  ['an entry with a port', '10.0.0.1', '6.6.6.6, 1.2.3.4:5678', 1, '1.2.3.4'],
  ['IPv6 in brackets', '10.0.0.1', '[2001:DB8::1]:4711', 1, '2001:db8::1'],
  ['IPv6 in quotes', '10.0.0.1', '"[2001:db8::1]"', 1, '2001:db8::1'],
  ['IPv6 with a zone', '10.0.0.1', 'fe80::1%eth0', 1, 'fe80::1'],
  ['IPv4 in IPv6 by a proxy', '10.0.0.1', '::FFFF:1.2.3.4', 1, '1.2.3.4'],
  ['any text', '10.0.0.1', 'admin<script>', 1, '10.0.0.1'],
  ['any text at the place that counts', '10.0.0.1', '1.2.3.4, unknown', 1, '10.0.0.1'],
  ['no text', '10.0.0.1', '1.2.3.4,', 1, '10.0.0.1'],
  ['a number out of range', '10.0.0.1', '1.2.3.256', 1, '10.0.0.1'],
  ['an address and more', '10.0.0.1', '1.2.3.4 or else', 1, '10.0.0.1'],
  ['a name', '10.0.0.1', 'localhost', 1, '10.0.0.1'],
  ['an escape', '10.0.0.1', '\u001b]0;x\u0007', 1, '10.0.0.1'],
  ['a very long text', '10.0.0.1', '1'.repeat(15_000), 1, '10.0.0.1'],
  ['IPv4 in IPv6', '::ffff:127.0.0.1', undefined, 0, '127.0.0.1'],
])('%s', (_, remote, forwarded, hops, expected) => {
  expect(clientIp(remote, forwarded, hops)).toBe(expected);
});
