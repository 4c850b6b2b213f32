import { expect, test } from 'vitest';
import { textOfFile } from './file-text.ts';

test.each(['utf8', 'utf16le'] as const)(
  'a text in %s is read, with and without a mark in front',
  (encoding) => {
    const text = 'AUTH_PROVIDER=entra\r\nZürich';
    expect(textOfFile(Buffer.from(`\ufeff${text}`, encoding))).toBe(text);
    expect(textOfFile(Buffer.from(`\ufeff${text}`, 'utf16le').swap16())).toBe(text);
    expect(textOfFile(Buffer.from(text))).toBe(text);
    expect(textOfFile(Buffer.alloc(0))).toBe('');
  },
);
