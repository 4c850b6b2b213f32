import { expect, test } from 'vitest';
import { csvLine } from './csv.ts';

test.each([
  ['=1+1', `"'=1+1"`],
  ['+1', `"'+1"`],
  ['-1', `"'-1"`],
  ['@SUM(A1)', `"'@SUM(A1)"`],
  ['\tx', `"'\tx"`],
  ['\rx', `"'\rx"`],
  ['＝1', `"'＝1"`],
  [' =1', `"' =1"`],
  ['\u200b=1', `"'\u200b=1"`],
  ['\u0000\u00a0@x', `"'\u0000\u00a0@x"`],
  ['\n=1', `"'\n=1"`],
  ['﹦1', `"'﹦1"`],
  ['−1', `"'−1"`],
  ['a=1', '"a=1"'],
  ['a"b', '"a""b"'],
  ['a,b;c\nd', '"a,b;c\nd"'],
  [-1.5, '"-1.5"'],
  [null, '""'],
  [{ a: '=1' }, '"{""a"":""=1""}"'],
])('the CSV cell of %j is %s', (value, cell) => {
  expect(csvLine([value, 'next'])).toBe(`${cell},"next"\r\n`);
});
