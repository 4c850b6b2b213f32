import { tuning } from '../../src/server/search/query.ts';
import { weights } from '../../src/server/search/rank.ts';
import { createEngine, type Engine } from '../../src/server/search/search.ts';
import { kinship } from '../../src/server/search/vocabulary.ts';
import { nameOf, readCorpus } from './corpus.ts';

/** A thing that our engine found. */
interface Found {
  readonly name: string;
  readonly score: number;
}

/** Everybody may find everything. */
export const everything = { key: {}, maySee: () => true, mayCall: () => true };

function filled(lexicon?: string): Engine {
  const engine = createEngine(lexicon);
  for (const group of readCorpus()) engine.index.put(group[0]?.id ?? '', group);
  return engine;
}

/** Our engine over the corpus. */
export function ours(): (query: string) => string[] {
  const engine = filled();
  return (query) => engine.search(everything, query).hits.map(({ item }) => nameOf(item));
}

/** The text that stands for each thing where vectors are made, by name. */
export function textsByName(): Map<string, string> {
  return new Map(plain().index.entries.flatMap((entry) => (entry ? [[nameOf(entry.item), entry.text]] : [])));
}

/** Our engine without the lexicon, without the names' own words, and with other shares of words and meaning. */
export function plainEngine(shares: { words: number; meaning: number }): (query: string) => Found[] {
  // A key of its own, so that what was found with other weights is not found again.
  const rights = { ...everything, key: {} };
  return (query) => {
    const before = { ...weights, plain: tuning.plain, kin: kinship.most };
    Object.assign(weights, shares, { name: 0, near: 0, least: 0, part: 0 });
    [tuning.plain, kinship.most] = [0, 0];
    try {
      const { hits } = plain().search(rights, query);
      return hits.map(({ item, score }) => ({ name: nameOf(item), score }));
    } finally {
      [tuning.plain, kinship.most] = [before.plain, before.kin];
      Object.assign(weights, before);
    }
  };
}

let made: Engine | undefined;
function plain(): Engine {
  made ??= filled('test/search/no-lexicon.txt');
  return made;
}
