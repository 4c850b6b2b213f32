import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Item } from '../../src/server/search/item.ts';
import { createEngine } from '../../src/server/search/search.ts';
import { maySee, type SearchRights } from '../../src/server/search/view.ts';
import { readCorpus, readQueries } from './corpus.ts';

const corpus = readCorpus();
const queries = readQueries(corpus.flat()).map(({ query }) => query);
const whole = createEngine();
for (const group of corpus) whole.index.put(group[0]?.id ?? '', group);

/** Rights that a number decides on: about one thing in `share` may be found. */
function rightsBy(seed: number, share: number): SearchRights {
  const chance = (text: string): boolean => {
    let hash = seed;
    for (const letter of text) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) | 0;
    return Math.abs(hash) % share === 0;
  };
  return { key: {}, maySee: (_, path) => chance(path), mayCall: (path, tool) => chance(`${path}#${tool}`) };
}

test('somebody finds, in order and score, what they would find were the rest not there', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 2, max: 12 }),
      fc.shuffledSubarray(queries, { minLength: 12, maxLength: 12 }),
      (seed, share, asked) => {
        const rights = rightsBy(seed, share);
        const alone = createEngine();
        for (const group of corpus) {
          const mine = group.filter((item) => maySee(rights, item));
          if (mine.length > 0) alone.index.put(group[0]?.id ?? '', mine);
        }
        const all: SearchRights = { key: {}, maySee: () => true, mayCall: () => true };
        for (const query of [...asked, 'githb', 'calender']) {
          const shown = ({ hits }: ReturnType<typeof whole.search>) =>
            hits.map(({ item, score }) => [item.id, Math.round(score * 1e5)]);
          expect(shown(whole.search(rights, query))).toEqual(shown(alone.search(all, query)));
        }
      },
    ),
    { numRuns: 8 },
  );
});

test('somebody with narrow rights still gets ten results', () => {
  const rights: SearchRights = { key: {}, maySee: () => false, mayCall: (path) => path === '/charts' };
  expect(whole.search(rights, 'generate a chart').hits.length).toBeGreaterThanOrEqual(10);
});

test('replacing what is under a key again and again finds the last state only', () => {
  const engine = createEngine();
  const all: SearchRights = { key: {}, maySee: () => true, mayCall: () => true };
  const tool = (name: string): Item => ({
    ...{
      kind: 'tool',
      id: `/x#${name}`,
      path: '/x',
      name,
      title: null,
      description: '',
      tags: [],
      owner: 'x',
    },
    ...{ enabled: true, more: '', definition: null },
  });
  for (let round = 0; round < 50; round += 1)
    engine.index.put('x', [tool(`paint_wall_${round}`), tool('cut_wood')]);
  expect(engine.search(all, 'paint wall').hits.map(({ item }) => item.name)).toContain('paint_wall_49');
  expect(engine.search(all, 'paint_wall_7').hits.map(({ item }) => item.name)).not.toContain('paint_wall_7');
  expect(engine.index.size).toBe(2);
  engine.index.put('x', []);
  expect(engine.search(all, 'paint wall').hits).toEqual([]);
});
