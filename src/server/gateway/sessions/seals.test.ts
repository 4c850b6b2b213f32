import { expect, test } from 'vitest';
import { createSeals } from './seals.ts';

const seals = createSeals([Buffer.alloc(32, 1)]);
const holder = ['server', 'http://upstream', 'entra', 'alice'];

test('what is sealed opens for its holder only, also in another process with the key', () => {
  const sealed = seals.seal('/messages?id=1', holder);
  expect(createSeals([Buffer.alloc(32, 1)]).open(sealed, holder)).toBe('/messages?id=1');
  expect(seals.open(sealed, ['server', 'http://upstream', 'entra', 'bob'])).toBeUndefined();
  expect(seals.open(sealed, ['server', 'http://upstream', 'entraalice'])).toBeUndefined();
  expect(createSeals([Buffer.alloc(32, 2)]).open(sealed, holder)).toBeUndefined();
});

test('what is sealed does not show what it stands for, and cannot be changed or made', () => {
  const sealed = seals.seal('/messages?id=1', holder);
  const bytes = Buffer.from(sealed, 'base64url');
  expect(bytes.toString('latin1')).not.toContain('messages');
  for (const at of bytes.keys()) {
    const forged = Buffer.from(bytes);
    forged[at] = (forged[at] ?? 0) ^ 1;
    expect(seals.open(forged.toString('base64url'), holder)).toBeUndefined();
  }
  for (const text of ['', 'abc', '/messages?id=1', 'A'.repeat(100)])
    expect(seals.open(text, holder)).toBeUndefined();
});

test('what the key before sealed still opens, and is sealed anew with the present one', () => {
  const [before, now] = [Buffer.alloc(32, 1), Buffer.alloc(32, 3)];
  const sealed = createSeals([before]).seal('s', holder);
  expect(createSeals([now, before]).open(sealed, holder)).toBe('s');
  expect(createSeals([before]).open(createSeals([now, before]).seal('s', holder), holder)).toBeUndefined();
});

test('a text with a tag cut short does not open', () => {
  const bytes = Buffer.from(seals.seal('', holder), 'base64url');
  for (const length of [0, 4, 8, 12, 13, 16, 20, 27])
    expect(seals.open(bytes.subarray(0, length).toString('base64url'), holder)).toBeUndefined();
});
