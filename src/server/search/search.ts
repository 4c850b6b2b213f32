import { LRUCache } from 'lru-cache';
import { packagedFile } from '../config/config.ts';
import type { Nearness } from './embeddings.ts';
import type { Item, Kind } from './item.ts';
import { readLexicon } from './lexicon.ts';
import { type Query, readQuery } from './query.ts';
import { type Found, rank } from './rank.ts';
import { type Entry, SearchIndex } from './search-index.ts';
import { type SearchRights, View } from './view.ts';
import { readWordVectors } from './word-vectors.ts';

/** The most characters of a query. */
const longestQuery = 500;

/** What to look for, besides the words. */
export interface Options {
  /** Only these kinds; all unless given. */
  readonly kinds?: readonly Kind[];
  /** Only what has every one of these tags, in lower case. */
  readonly tags?: readonly string[];
  /** Also what is switched off. */
  readonly includeDisabled?: boolean;
  /** How near a service finds things to the query, where one is asked. */
  readonly nearness?: Nearness | undefined;
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
  search(rights: SearchRights, text: string, options?: Options): Results;
  /** The items that somebody with these rights may find under a key. */
  visible(rights: SearchRights, key: string, includeDisabled?: boolean): Item[];
  /** Every server that is switched on, by path. */
  enabledServers(): Item[];
  /** Replaces the whole index by one that was built beside it. */
  replace(index: SearchIndex): void;
}

/** What one query found in one view. */
interface Ranked {
  readonly view: View;
  readonly hits: readonly Hit[];
  readonly terms: ReadonlySet<string>;
}

/** How many hits of one query are kept at most: nobody pages further. */
const mostHits = 500;

/** Makes an engine with nothing in it; reads the word vectors and the lexicon that ship with the package. */
export function createEngine(
  lexiconFile = packagedFile('assets/search/lexicon.txt'),
): Engine & { empty(): SearchIndex } {
  const vectors = readWordVectors(packagedFile('assets/search/word-vectors.bin'));
  const lexicon = readLexicon(lexiconFile);
  let index = new SearchIndex(vectors, lexicon.isAct);
  let views = newViews();
  // The same words are asked for again and again, by several people and while somebody pages.
  const known = new LRUCache<string, Ranked>({ max: 500 });

  const view = (rights: SearchRights, includeDisabled: boolean): View => {
    const kept = views[includeDisabled ? 'all' : 'enabled'];
    const made = kept.get(rights.key);
    if (made && made.version === index.version) return made;
    const fresh = new View(index, rights, includeDisabled);
    kept.set(rights.key, fresh);
    return fresh;
  };
  const understand = (text: string, { occurs }: View): Query =>
    readQuery(text, {
      ...{ lexicon, vectors, occurs },
      near: (typed) => index.vocabulary.spelling.near(typed, occurs),
      akin: (word) => index.vocabulary.akin(word, occurs),
    });
  const find = (seen: View, text: string, { kinds, tags = [], nearness }: Options): Ranked => {
    const key = JSON.stringify([text, kinds, tags, nearness !== undefined]);
    const kept = known.get(key);
    if (kept?.view === seen) return kept;
    const admits = ({ item }: Entry): boolean =>
      (!kinds || kinds.includes(item.kind)) && tags.every((tag) => hasTag(item, tag));
    const query = understand(text, seen);
    const terms = new Set(
      query.slots.flatMap(({ alternatives }) => alternatives.flatMap((one) => one.terms)),
    );
    const found =
      text === ''
        ? everything(index, seen, admits)
        : rank(index, seen, query, { nearness, admits: kinds || tags.length > 0 ? admits : undefined });
    const hits = found.slice(0, mostHits).flatMap(({ number, score, similarity }): Hit[] => {
      const item = index.entries[number]?.item;
      return item ? [{ item, score, similarity }] : [];
    });
    const ranked = { view: seen, hits, terms };
    known.set(key, ranked);
    return ranked;
  };
  return {
    get index() {
      return index;
    },
    empty: () => new SearchIndex(vectors, lexicon.isAct),
    search(rights, text, options = {}) {
      const seen = view(rights, options.includeDisabled ?? false);
      return find(seen, text.slice(0, longestQuery).trim(), options);
    },
    visible(rights, key, includeDisabled = false) {
      const { visible } = view(rights, includeDisabled);
      return index
        .numbersUnder(key)
        .flatMap((number) => (visible[number] ? (index.entries[number]?.item ?? []) : []));
    },
    enabledServers() {
      const servers = index.entries.flatMap((entry) => entry?.item ?? []).filter(isEnabledServer);
      return servers.sort((a, b) => (a.path < b.path ? -1 : 1));
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
function everything(index: SearchIndex, { numbers }: View, admits: (entry: Entry) => boolean): Found[] {
  const all = [...numbers].flatMap((number) => {
    const entry = index.entries[number];
    return entry && admits(entry) ? [{ number, name: entry.item.name.toLowerCase(), id: entry.item.id }] : [];
  });
  return all
    .sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)) || (a.id < b.id ? -1 : 1))
    .map(({ number }) => ({ number, score: 0, similarity: 0 }));
}

function isEnabledServer({ kind, enabled }: Item): boolean {
  return kind === 'server' && enabled;
}

function newViews() {
  const max = 200;
  return { enabled: new LRUCache<object, View>({ max }), all: new LRUCache<object, View>({ max }) };
}

function hasTag({ tags }: Item, wanted: string): boolean {
  return tags.some((tag) => tag.toLowerCase() === wanted);
}
