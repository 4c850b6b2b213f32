import { expect, test } from 'vitest';
import { rangesOf, refusalOf } from './addresses.ts';

const open = { allowPrivate: true };
const closed = { allowPrivate: false };

test.each([
  '169.254.169.254',
  '169.254.170.2',
  '100.100.100.200',
  '168.63.129.16',
  '0.0.0.0',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  'fe80::1',
  'fe80::1%eth0',
  'fd00:ec2::254',
  'fd20:ce::254',
  'ff02::1',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '[::ffff:a9fe:a9fe]',
  '::169.254.169.254',
  '64:ff9b::169.254.169.254',
  '2002:a9fe:a9fe::1',
  '::ffff:0:169.254.169.254',
  '::ffff:0:a9fe:a9fe',
  'fd00::5efe:169.254.169.254',
  '2600::200:5efe:a9fe:a9fe',
  '2600::100:5efe:169.254.169.254',
  '64:ff9b:1::169.254.169.254',
  '64:ff9b:1:2:3:4:a9fe:a9fe',
  '2001:0:a9fe:a9fe::1',
  '2001:0:808:808::5601:5601',
])('%s is never reached, whatever the policy allows', (address) => {
  const policy = { allowPrivate: true, allow: ['0.0.0.0/0', '::/0'] };
  expect(refusalOf(address, policy)).toContain('never connects');
});

test.each([
  '127.0.0.1',
  '10.1.2.3',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.64.0.1',
  '198.18.0.1',
  '::1',
  'fc00::1',
  'fd12:3456::1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '64:ff9b::10.0.0.1',
  '2002:0a00:0001::1',
  '2001:0:808:808:0:0:f7f7:f7f7',
])('%s is private: reached only where the policy says so', (address) => {
  expect(refusalOf(address, closed)).toContain('private or loopback');
  expect(refusalOf(address, open)).toBeUndefined();
});

test.each([
  '8.8.8.8',
  '172.32.0.1',
  '100.128.0.1',
  '2606:4700::1111',
  '64:ff9b::8.8.8.8',
  '::ffff:8.8.8.8',
  '223.255.255.255',
])('%s is public', (address) => {
  expect(refusalOf(address, closed)).toBeUndefined();
});

test('a range that the policy lists is reached and its neighbours are not', () => {
  const policy = { allowPrivate: false, allow: ['10.20.0.0/16', 'fd12::/32'] };
  expect(refusalOf('10.20.3.4', policy)).toBeUndefined();
  expect(refusalOf('::ffff:10.20.3.4', policy)).toBeUndefined();
  expect(refusalOf('fd12::9', policy)).toBeUndefined();
  expect(refusalOf('10.21.3.4', policy)).toBeDefined();
  expect(refusalOf('127.0.0.1', policy)).toBeDefined();
});

test.each(['10.0.0.0', '10.0.0.0/33', '10.0.0/8', 'intranet/8', 'fd00::/129', '10.0.0.0/'])(
  '%s is refused as a range',
  (cidr) => {
    expect(() => rangesOf([cidr])).toThrow(RangeError);
  },
);

test('what is no IP address is refused', () => {
  expect(refusalOf('localhost', open)).toBeDefined();
});
