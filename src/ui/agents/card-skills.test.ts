import { expect, test } from 'vitest';
import { cardSkills } from './card-skills.ts';

test.each<[string, Record<string, unknown> | null, unknown]>([
  ['no card', null, []],
  ['no list', { skills: 'x' }, []],
  ['entries that are none', { skills: [null, 1, {}, { id: 1 }] }, []],
  [
    'a skill',
    { skills: [{ id: 'a', name: 'A', description: 'Does.', tags: ['x', 'x', 1], examples: ['<b>'] }] },
    [{ id: 'a', name: 'A', description: 'Does.', tags: ['x'], examples: ['<b>'] }],
  ],
  [
    'the same id twice',
    { skills: [{ id: 'a' }, { id: 'a', name: 'B' }] },
    [{ id: 'a', name: 'a', description: '', tags: [], examples: [] }],
  ],
])('of %s', (_, card, skills) => {
  expect(cardSkills(card)).toEqual(skills);
});
