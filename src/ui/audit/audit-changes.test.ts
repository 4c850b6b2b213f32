import { expect, test } from 'vitest';
import { changesIn } from './audit-changes.ts';

test.each<[string, Parameters<typeof changesIn>[0], ReturnType<typeof changesIn>]>([
  ['nothing', null, { changes: [], others: [] }],
  [
    'a change of members shows those that differ',
    { before: { a: 'x', b: 1, c: [1] }, after: { a: 'x', b: 2, c: [1] } },
    { changes: [{ name: 'b', before: '1', after: '2' }], others: [] },
  ],
  [
    'a new thing has nothing before',
    { before: null, after: { path: '/x' } },
    { changes: [{ name: 'path', before: null, after: '/x' }], others: [] },
  ],
  [
    'a removed thing has nothing after',
    { before: { tags: ['t'] }, after: null },
    { changes: [{ name: 'tags', before: '[\n  "t"\n]', after: null }], others: [] },
  ],
  ['plain values', { before: 1, after: 2 }, { changes: [{ name: '', before: '1', after: '2' }], others: [] }],
  [
    'everything else',
    { token: 'id', hours: 8 },
    {
      changes: [],
      others: [
        ['token', 'id'],
        ['hours', '8'],
      ],
    },
  ],
])('%s', (_, detail, expected) => {
  expect(changesIn(detail)).toEqual(expected);
});
