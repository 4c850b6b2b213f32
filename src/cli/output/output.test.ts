import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clip, plainJson, plainLine, widthOf } from '../../contract/values/plain-text.ts';
import { systemClock, untilInterrupted } from '../main.ts';
import type { Terminal } from '../terminal.ts';
import { Trouble } from '../trouble.ts';
import { openOutput } from './output.ts';
import { fields, table } from './table.ts';

const bare = (_style: unknown, text: string): string => text;

function trial(env: Record<string, string>, isTTY: boolean) {
  const said = { out: '', err: '' };
  const sink = (stream: 'out' | 'err') => ({
    isTTY,
    write(text: string) {
      said[stream] += text;
    },
  });
  const terminal: Terminal = {
    stdout: sink('out'),
    stderr: sink('err'),
    stdin: (async function* () {})(),
    env,
    cwd: '/',
    clock: systemClock,
    untilInterrupted,
    openUrl: () => undefined,
  };
  return { said, output: openOutput(terminal, { form: 'table', debug: false }) };
}

test.each([
  ['\u001b[31mred\u001b[0m', '\\u{1b}[31mred\\u{1b}[0m'],
  ['\u009b2J', '\\u{9b}2J'],
  ['\u202egnp.exe', '\\u{202e}gnp.exe'],
  ['zero\u200bwidth', 'zero\\u{200b}width'],
  ['two\nlines\r', 'two\\u{a}lines\\u{d}'],
  ['tab\tstop', 'tab stop'],
  ['Grüße, 世界 👩‍💻', 'Grüße, 世界 👩‍💻'],
])('%j reaches a terminal as text only', (text, shown) => {
  expect(plainLine(text)).toBe(shown);
});

test('whatever a name holds, no control character is printed and JSON keeps its value', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose.
      const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;
      expect(plainLine(text)).not.toMatch(controls);
      expect(plainJson({ text })).not.toMatch(controls);
      expect(JSON.parse(plainJson({ text }))).toEqual({ text });
    }),
  );
});

test("no line of a stranger's text passes for one of ours", () => {
  const { said, output } = trial({}, false);
  const text = 'a name\nerror: forged\r\nwarning: forged';
  output.note(text);
  output.warn(text);
  output.trouble(new Trouble(text, { faults: [text], remedy: text, correlationId: text }));
  expect(said.err).toContain('a name\n  error: forged\n  warning: forged\n');
  expect(said.err).not.toMatch(/^(error|warning): forged/m);
});

test('a result that was not escaped gets nothing but our own paint through', () => {
  const { said, output } = trial({}, true);
  output.result({}, (paint) => `${paint('red', 'red')}\n\u001b[2J\u009b31m\u202egnp.exe`);
  expect(said.out).toBe('\u001b[31mred\u001b[0m\n\\u{1b}[2J\\u{9b}31m\\u{202e}gnp.exe\n');
});

test('wide characters count as two columns, combined ones as one', () => {
  expect([widthOf('abc'), widthOf('世界'), widthOf('e\u0301'), widthOf('👩‍💻')]).toEqual([3, 4, 1, 2]);
  expect(clip('世界地図', 5)).toBe('世界…');
});

test('a table is aligned, and the widest column gives way on a narrow terminal', () => {
  const rows = [
    { name: 'a', about: 'a long description of something' },
    { name: '世界', about: 'short' },
  ];
  const columns = [
    { title: 'NAME', show: (row: { name: string }) => row.name },
    { title: 'ABOUT', show: (row: { about: string }) => row.about },
  ];
  expect(table(rows, columns, 20, bare).split('\n')).toEqual([
    'NAME  ABOUT',
    'a     a long descri…',
    '世界  short',
  ]);
  expect(table(rows, columns, undefined, bare)).toContain('a long description of something');
});

test('fields are aligned and leave out what is not known', () => {
  expect(
    fields(
      [
        ['Name', 'x'],
        ['Email', null],
        ['Enabled', false],
      ],
      bare,
    ),
  ).toBe('Name:    x\nEnabled: no');
});

test('colours appear on a terminal, and not with NO_COLOR, TERM=dumb or in a pipe', () => {
  for (const [env, isTTY, coloured] of [
    [{}, true, true],
    [{ NO_COLOR: '1' }, true, false],
    [{ TERM: 'dumb' }, true, false],
    [{}, false, false],
  ] as const) {
    const { said, output } = trial(env, isTTY);
    output.warn('careful');
    output.result({}, (paint) => paint('green', 'fine'));
    expect(said.err.includes('\u001b[33m')).toBe(coloured);
    expect(said.out.includes('\u001b[32m')).toBe(coloured);
  }
});
