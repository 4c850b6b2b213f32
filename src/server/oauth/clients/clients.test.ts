import { expect, test } from 'vitest';
import { clientName } from './clients.ts';

test.each([
  ['a\u202etxt.exe', 'a txt.exe'],
  ['Claude\u200b\u2066 Code\u2069', 'Claude  Code'],
  ['one\r\n\u2028two\u0085', 'one two'],
  ['\ud800x\ue000', 'x'],
  ['  名前 שם  ', '名前 שם'],
])('a program is not called %j but %j', (said, name) => {
  expect(clientName.parse(said)).toBe(name);
});

test.each(['\u202e\u200b', '', 'x'.repeat(101)])('%j is no name of a program', (said) => {
  expect(clientName.safeParse(said).success).toBe(false);
});
