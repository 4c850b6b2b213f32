import { ByteRows } from './byte-rows.ts';
import { headOf, type Item } from './item.ts';
import { Postings } from './postings.ts';
import { stem } from './stem.ts';
import { Vocabulary, wordMark } from './vocabulary.ts';
import { Directions, type WordVectors } from './word-vectors.ts';
import { allWordsOf, compactName, isGeneric, isStopWord, splitCamelCase, termsOf, wordsOf } from './words.ts';

const none = new Int32Array(0);

/** What is kept of an item beside the postings. */
export interface Entry {
  readonly item: Item;
  /** The text whose vector stands for it. */
  readonly text: string;
  /** The names without what every name has, for comparison with a whole query. */
  readonly names: readonly string[];
  /** The same of the stems, for comparison with corrected words. */
  readonly stemmedNames: readonly string[];
  /** The words of its name as they are written. */
  readonly nameWords: ReadonlySet<string>;
  /** The stems of the words of its name that its owner's name has not. */
  readonly nameTerms: readonly string[];
  /** The stems of the words of its owner's name. */
  readonly ownerTerms: readonly string[];
}

/**
 * Everything that can be found, in memory: items by number, their words, and a vector of each. Numbers only rise; what is
 * removed or replaced leaves a gap; once there are many (`isGappy`), build another index.
 */
export class SearchIndex {
  readonly entries: (Entry | undefined)[] = [];
  readonly postings = new Postings();
  readonly vocabulary: Vocabulary;
  /** The direction of each item. */
  readonly vectors = new ByteRows();
  /** Changes with each change, so that what was made of the index can be known as old. */
  version = 0;
  /** Whether a term says what is done, not to what. */
  readonly isAct: (term: string) => boolean;
  /** The words of what was looked at closely, each with its direction. */
  readonly directions: Directions;
  private readonly said: (Int32Array | undefined)[] = [];
  private readonly groups = new Map<string, number[]>();
  private readonly byName = new Map<string, number[]>();
  private readonly words: WordVectors;
  private gaps = 0;

  constructor(words: WordVectors, isAct: (term: string) => boolean) {
    this.words = words;
    this.isAct = isAct;
    this.vocabulary = new Vocabulary(words);
    this.directions = new Directions(words);
  }

  /** How many things can be found. */
  get size(): number {
    return this.entries.length - this.gaps;
  }

  /** Puts `items` in the place of those that were put under `key` before; an empty list takes them out. */
  put(key: string, items: readonly Item[]): void {
    for (const _ of this.putInSteps(key, items));
  }

  /**
   * The same in steps of one item: what is new is found when the last step is done, and what it replaces until then. One
   * at a time: nothing else may be put between two steps.
   */
  *putInSteps(key: string, items: readonly Item[]): Generator<void> {
    const first = this.entries.length;
    const made: Entry[] = [];
    for (const [at, item] of items.entries()) {
      made.push(this.add(first + at, item));
      yield;
    }
    for (const number of this.groups.get(key) ?? []) {
      this.entries[number] = undefined;
      this.said[number] = undefined;
      this.gaps += 1;
    }
    made.forEach((entry, at) => {
      this.entries[first + at] = entry;
    });
    if (made.length > 0)
      this.groups.set(
        key,
        made.map((_, at) => first + at),
      );
    else this.groups.delete(key);
    this.version += 1;
  }

  /** The numbers of the items that had this name, compact or stemmed, at some time; none for an empty one. */
  named(name: string): readonly number[] {
    return name === '' ? [] : (this.byName.get(name) ?? []);
  }

  /** The numbers of the items that are under a key, the main one first. */
  numbersUnder(key: string): readonly number[] {
    return this.groups.get(key) ?? [];
  }

  /** The items that are under a key. */
  under(key: string): Item[] {
    return (this.groups.get(key) ?? []).flatMap((number) => this.entries[number]?.item ?? []);
  }

  /** The words of a thing's name, owner, description and tags that say something, by their place in `directions`. */
  directionsIn(number: number): Int32Array {
    const entry = this.entries[number];
    if (!entry) return none;
    const known = this.said[number];
    if (known) return known;
    const words = wordsOf(`${entry.text} ${entry.item.tags.join(' ')}`).filter(
      (word) => !isStopWord(word) && !isGeneric(word),
    );
    const made = Int32Array.from([...new Set(words)].slice(0, 40), (word) => this.directions.of(word));
    this.said[number] = made;
    return made;
  }

  /** Whether so much was replaced that the gaps are worth removing. */
  get isGappy(): boolean {
    return this.gaps > 1000 && this.gaps > this.entries.length / 3;
  }

  private add(number: number, item: Item): Entry {
    const head = headOf(item.description);
    const rest = item.description.length > head.length + 10 ? item.description.slice(0, 2000) : '';
    const fresh = this.postings.add(
      number,
      [
        termsOf(`${item.name} ${item.title ?? ''}`),
        termsOf(`${item.owner} ${item.kind === 'tool' ? item.path : ''}`),
        termsOf(item.tags.join(' ')),
        termsOf(head),
        termsOf(`${item.more} ${rest}`),
      ],
      marksOf(item),
    );
    for (const term of fresh) this.vocabulary.add(term);
    const text = textOf(item, head);
    const entry = entryOf(item, text);
    for (const name of new Set([...entry.names, ...entry.stemmedNames])) {
      const numbers = this.byName.get(name);
      if (numbers) numbers.push(number);
      else this.byName.set(name, [number]);
    }
    this.vectors.set(number, this.words.embed(text));
    return entry;
  }
}

function entryOf(item: Item, text: string): Entry {
  const named = [
    item.name,
    ...(item.title ? [item.title] : []),
    ...(item.kind === 'tool' ? [] : [item.path]),
  ];
  const stemmed = named.map((name) => compactName(wordsOf(name).map(stem).join(' ')));
  return {
    ...{ item, text },
    names: [...new Set(named.map(compactName))],
    stemmedNames: [...new Set(stemmed)],
    nameWords: new Set(allWordsOf(item.name).filter((word) => !isGeneric(word))),
    ...nameTermsOf(item),
  };
}

function marksOf({ name, title, tags }: Item): string[] {
  const words = new Set(wordsOf(`${name} ${title ?? ''} ${tags.join(' ')}`));
  return [...words]
    .filter((word) => word.length > 2 && !isStopWord(word) && !isGeneric(word))
    .map((word) => wordMark + word);
}

/** The words that tell a thing from others of its owner, and those of the owner: `slack_post_message` is `post` and `message`. */
function nameTermsOf({ kind, name, owner, path }: Item): Pick<Entry, 'nameTerms' | 'ownerTerms'> {
  const ownerTerms = kind === 'tool' ? [...new Set(termsOf(`${owner} ${path}`))] : [];
  const words = wordsOf(name).filter((word) => !isGeneric(word) && !isStopWord(word) && word !== 'api');
  const own = words.map(stem).filter((term) => !ownerTerms.includes(term));
  return { nameTerms: own.length > 0 ? own : words.map(stem), ownerTerms };
}

/** The text whose vector stands for an item. */
function textOf(item: Item, head: string): string {
  const name = splitCamelCase(item.name).replace(/[_\-./]+/g, ' ');
  const owner = wordsOf(item.owner).join(' ');
  const tags = item.kind === 'tool' ? '' : item.tags.join(' ');
  return `${owner} ${name}. ${head} ${tags}`;
}
