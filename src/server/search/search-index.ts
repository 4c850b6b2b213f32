import { headOf, type Item } from './item.ts';
import { fields, Postings } from './postings.ts';
import { dimensions, type WordVectors } from './word-vectors.ts';
import { compactName, splitCamelCase, termsOf, wordsOf } from './words.ts';

/** What is kept of an item beside the postings. */
export interface Entry {
  readonly item: Item;
  /** The names without what every name has, for comparison with a whole query. */
  readonly names: readonly string[];
  /** The number of the server that a tool belongs to; -1 for everything else. */
  readonly parent: number;
}

/**
 * Everything that can be found, in memory: items by number, their words, and a vector of each. Numbers only rise; what is
 * removed or replaced leaves a gap until `compacted` makes an index without gaps.
 */
export class SearchIndex {
  readonly entries: (Entry | undefined)[] = [];
  readonly postings = new Postings();
  /** One row of `dimensions` numbers an item, and what each is to be multiplied by. */
  vectors = new Int8Array(1024 * dimensions);
  scales = new Float32Array(1024);
  /** Changes with each change, so that what was made of the index can be known as old. */
  version = 0;
  private readonly groups = new Map<string, number[]>();
  private readonly words: WordVectors;
  private gaps = 0;

  constructor(words: WordVectors) {
    this.words = words;
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
    const parent = items[0]?.kind === 'server' ? first : -1;
    const made: Entry[] = [];
    for (const [at, item] of items.entries()) {
      made.push(this.add(first + at, item, at === 0 ? -1 : parent));
      yield;
    }
    for (const number of this.groups.get(key) ?? []) {
      this.entries[number] = undefined;
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

  /** The keys under which something is. */
  keys(): IterableIterator<string> {
    return this.groups.keys();
  }

  /** The numbers of the items that are under a key, the main one first. */
  numbersUnder(key: string): readonly number[] {
    return this.groups.get(key) ?? [];
  }

  /** The items that are under a key. */
  under(key: string): Item[] {
    return (this.groups.get(key) ?? []).flatMap((number) => this.entries[number]?.item ?? []);
  }

  /** Whether so much was replaced that the gaps are worth removing. */
  get isGappy(): boolean {
    return this.gaps > 1000 && this.gaps > this.entries.length / 3;
  }

  private add(number: number, item: Item, parent: number): Entry {
    const head = headOf(item.description);
    this.postings.add(number, [
      termsOf(`${item.name} ${item.title ?? ''}`),
      termsOf(`${item.owner} ${item.kind === 'tool' ? item.path : ''}`),
      termsOf(item.tags.join(' ')),
      termsOf(head),
      termsOf(
        `${item.more} ${item.description.length > head.length + 10 ? item.description.slice(0, 2000) : ''}`,
      ),
    ]);
    const names = [
      item.name,
      ...(item.title ? [item.title] : []),
      ...(item.kind === 'tool' ? [] : [item.path]),
    ];
    this.place(number, this.words.embed(textOf(item, head)));
    return { item, names: [...new Set(names.map(compactName))], parent };
  }

  private place(number: number, vector: Float32Array): void {
    if (number >= this.scales.length) {
      const [vectors, scales] = [
        new Int8Array(this.vectors.length * 2),
        new Float32Array(this.scales.length * 2),
      ];
      vectors.set(this.vectors);
      scales.set(this.scales);
      [this.vectors, this.scales] = [vectors, scales];
    }
    let most = 0;
    for (const value of vector) most = Math.max(most, Math.abs(value));
    const from = number * dimensions;
    for (let at = 0; at < dimensions; at++)
      this.vectors[from + at] = most > 0 ? Math.round(((vector[at] ?? 0) * 127) / most) : 0;
    this.scales[number] = most / 127;
  }
}

/** The text whose vector stands for an item. */
function textOf(item: Item, head: string): string {
  const name = splitCamelCase(item.name).replace(/[_\-./]+/g, ' ');
  const owner = wordsOf(item.owner).join(' ');
  const tags = item.kind === 'tool' ? '' : item.tags.join(' ');
  return `${owner} ${name}. ${head} ${tags}`;
}

/** How many numbers a row of lengths has. */
export const rowOfLengths = fields.length;
