import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { ConfigFault, readConfig } from './config.ts';
import { bitsOf } from './secret-strength.ts';

const settings = {
  ...{ AUTH_PROVIDER: 'entra', REGISTRY_URL: 'https://gateway.example.com' },
  ...{ ENTRA_TENANT_ID: '12345678-1234-1234-1234-123456789012', ENTRA_CLIENT_SECRET: 'abc8Q~example' },
  ENTRA_CLIENT_ID: '87654321-4321-4321-4321-210987654321',
};
const faultWith = (key: string): string => {
  try {
    readConfig({ ...settings, SECRET_KEY: key }, '/srv');
    return '';
  } catch (error) {
    return error instanceof ConfigFault ? error.faults.join() : String(error);
  }
};

test.each([
  ['ascending digits', '12345678901234567890123456789012'],
  ['descending digits', '98765432109876543210987654321098'],
  ['digits from nought', '0123456789012345678901234567890123456789'],
  ['hexadecimal digits in order, twice', '0123456789abcdef0123456789abcdef'],
  ['the same in capitals', '0123456789ABCDEF0123456789ABCDEF'],
  ['each digit twice', '00112233445566778899aabbccddeeff'],
  ['the alphabet', 'abcdefghijklmnopqrstuvwxyz012345'],
  ['the alphabet backwards', 'zyxwvutsrqponmlkjihgfedcba987654'],
  ['the alphabet in both cases', 'aAbBcCdDeEfFgGhHiIjJkKlLmMnNoOpP'],
  ['every second letter', '02468ACEGIKMOQSUWY02468ACEGIKMOQ'],
  ['two sequences in turns', '1a2b3c4d5e6f7g8h9i0j1k2l3m4n5o6p'],
  ['counting', '102030405060708090100110120130140'],
  ['odd numbers', '13579111315171921232527293133353'],
  ['squares', '14916253649648110012114416919622'],
  ['pi', '3141592653589793238462643383279502884'],
  ['rows of the keyboard', 'qwertyuiopasdfghjklzxcvbnm123456'],
  ['a word again and again', 'passwordpasswordpasswordpassword'],
  ['a password again and again', 'Password123!Password123!Password123!'],
  ['a short random text again and again', 'x7Qp2z!kx7Qp2z!kx7Qp2z!kx7Qp2z!k'],
  ['a date again and again', '2026112820261128202611282026112820'],
  ['a pattern of the keypad', '369258147369258147369258147369258'],
  ['long runs', 'AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDD'],
  ['hexadecimal words', 'deadbeefdeadbeefcafebabecafebabe'],
  ['a sentence', 'this-is-my-very-secret-key-for-the-gateway'],
  ['a sentence without spaces', 'ThisIsAVeryLongSecretKeyForProduction2026'],
  ['well-known words', 'correct horse battery staple again'],
  ['what it is for', 'mcp-gateway-secret-key-production-01'],
])('production refuses %s as SECRET_KEY, with a command that makes one', (_, key) => {
  const fault = faultWith(key);
  expect(fault).toMatch(/^SECRET_KEY: .+ openssl rand -hex 32/);
  expect(fault).not.toContain(key);
});

test('random secrets of every usual form pass', () => {
  for (let seed = 0; seed < 2000; seed += 1) {
    const bytes = createHash('sha256').update(`seed ${seed}`).digest();
    const hex = bytes.toString('hex');
    for (const secret of [hex, hex.slice(0, 32), bytes.toString('base64'), bytes.toString('base64url')])
      expect(bitsOf(secret), secret).toBeGreaterThanOrEqual(72);
  }
  expect(faultWith(createHash('sha256').update('x').digest('hex'))).toBe('');
});

test('a long secret is estimated soon', () => {
  expect(bitsOf(createHash('sha512').update('long').digest('hex').repeat(20))).toBeGreaterThan(100);
});
