import { expect, test } from 'vitest';
import { createLog } from './log.ts';

const odd = 'a\u001b]0;owned\u0007\r\n00:00:00.000 INFO  forged\u0085\u202edcba\u2028\u009b2J';

function written(format: 'json' | 'text'): string {
  const lines: string[] = [];
  const log = createLog({ level: 'info', format } as never, (line) => void lines.push(line));
  log.warn({ path: odd, err: new Error(odd) }, odd);
  return lines.join('');
}

test.each(['json', 'text'] as const)(
  'nothing from outside controls a terminal or forges a line in the %s log',
  (format) => {
    const text = written(format);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose.
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2028\u2029]/);
    expect(text).not.toMatch(/^00:00:00.000/m);
    expect(text).toContain('owned');
  },
);

test('a line of the JSON log still says the same', () => {
  expect((JSON.parse(written('json')) as { path: string }).path).toBe(odd);
});
