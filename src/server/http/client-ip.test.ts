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
  ['IPv4 in IPv6', '::ffff:127.0.0.1', undefined, 0, '127.0.0.1'],
])('%s', (_, remote, forwarded, hops, expected) => {
  expect(clientIp(remote, forwarded, hops)).toBe(expected);
});
