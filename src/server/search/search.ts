import { LRUCache } from 'lru-cache';
import { packagedFile } from '../config/config.ts';
import type { Item, Kind } from './item.ts';
import { readLexicon } from './lexicon.ts';
import { type Query, readQuery } from './query.ts';
import { type Found, rank } from './rank.ts';
import { SearchIndex } from './search-index.ts';
import { createSpelling, type Spelling } from './spelling.ts';
import { type Rights, type View, viewOf } from './view.ts';
import { readWordVectors } from './word-vectors.ts';

/** The most characters of a query. */
export const longestQuery = 500;

/** What to look for, besides the words. */
export interface Options {
  /** Only these kinds; all unless given. */
  readonly kinds?: readonly Kind[];
  /** Only what has every one of these tags, in lower case. */
  readonly tags?: readonly string[];
  /** Also what is switched off. */
  readonly includeDisabled?: boolean;
}

/** A thing that was found. */
export interface Hit {
  readonly item: Item;
  /** How well it fits, 0 to 1; above 0.9 when the query is its name. */
  readonly score: number;
  /** The cosine of query and item, 0 to 1. */
  readonly similarity: number;
}

/** What a search found, the best first. */
export interface Results {
  readonly hits: readonly Hit[];
  /** The stems that were looked for, synonyms and corrections included: what to highlight. */
  readonly terms: ReadonlySet<string>;
}

/** The search over everything that is registered. */
export interface Engine {
  readonly index: SearchIndex;
  /** What somebody with these rights finds, the best first, at most 500. */
  search(rights: Rights, text: string, options?: Options): Results;
  /** The items that somebody with these rights may find under a key. */
  visible(rights: Rights, key: string, includeDisabled?: boolean): Item[];
  /** Replaces the whole index by one that was built beside it. */
  replace(index: SearchIndex): void;
}

/** What one query found in one view. */
interface Ranked {
  readonly view: View;
  readonly found: readonly Found[];
  readonly terms: ReadonlySet<string>;
}

/** How many hits of one query are kept at most: nobody pages further. */
const mostHits = 500;

/** Makes an engine with nothing in it; reads the word vectors and the lexicon that ship with the package. */
export function createEngine(): Engine & { empty(): SearchIndex } {
  const vectors = readWordVectors(packagedFile('assets/search/word-vectors.bin'));
  const lexicon = readLexicon(packagedFile('assets/search/lexicon.txt'));
  let index = new SearchIndex(vectors);
  let spelling: { version: number; of: Spelling } | undefined;
  let views = newViews();
  // The same words are asked for again and again, by several people and while somebody pages.
  const known = new LRUCache<string, Ranked>({ max: 500 });

  const view = (rights: Rights, includeDisabled: boolean): View => {
    const kept = views[includeDisabled ? 'all' : 'enabled'];
    const made = kept.get(rights.key);
    if (made && made.version === index.version) return made;
    const fresh = viewOf(index, rights, { includeDisabled });
    kept.set(rights.key, fresh);
    return fresh;
  };
  const correct = (query: Query, seen: View): Query => {
    if (!query.slots.some(({ unknown }) => unknown)) return query;
    if (spelling?.version !== index.version)
      spelling = { version: index.version, of: createSpelling(index.postings.terms.keys()) };
    return spelling.of.correct(query, seen);
  };
  const rankAll = (seen: View, text: string): Ranked => {
    const kept = known.get(text);
    if (kept?.view === seen) return kept;
    if (text === '') return { view: seen, found: everything(index, seen), terms: new Set() };
    const query = correct(readQuery(text, { lexicon, vectors, occurs: seen.occurs }), seen);
    const terms = new Set(
      query.slots.flatMap(({ alternatives }) => alternatives.flatMap((one) => one.terms)),
    );
    const ranked = { view: seen, found: rank(index, seen, query).slice(0, mostHits), terms };
    known.set(text, ranked);
    return ranked;
  };
  return {
    get index() {
      return index;
    },
    empty: () => new SearchIndex(vectors),
    search(rights, text, { kinds, tags = [], includeDisabled = false } = {}) {
      const { found, terms } = rankAll(view(rights, includeDisabled), text.slice(0, longestQuery).trim());
      const hits: Hit[] = [];
      for (const { number, score, similarity } of found) {
        const item = index.entries[number]?.item;
        if (!item || (kinds && !kinds.includes(item.kind)) || !tags.every((tag) => hasTag(item, tag)))
          continue;
        hits.push({ item, score, similarity });
      }
      return { hits, terms };
    },
    visible(rights, key, includeDisabled = false) {
      const { visible } = view(rights, includeDisabled);
      return index
        .numbersUnder(key)
        .flatMap((number) => (visible[number] ? (index.entries[number]?.item ?? []) : []));
    },
    replace(other) {
      other.version = index.version + 1;
      index = other;
      views = newViews();
      known.clear();
    },
  };
}

/** Without a query everything is found, by name. */
function everything(index: SearchIndex, { numbers }: View): Found[] {
  const nameOf = (number: number): string => index.entries[number]?.item.name.toLowerCase() ?? '';
  return [...numbers]
    .map((number) => ({ number, name: nameOf(number) }))
    .sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)) || a.number - b.number)
    .map(({ number }) => ({ number, score: 0, similarity: 0 }));
}

function newViews() {
  const max = 200;
  return { enabled: new LRUCache<object, View>({ max }), all: new LRUCache<object, View>({ max }) };
}

function hasTag({ tags }: Item, wanted: string): boolean {
  return tags.some((tag) => tag.toLowerCase() === wanted);
}
