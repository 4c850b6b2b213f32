import type { Item, Kind } from './item.ts';
import { countIn, fields } from './postings.ts';
import type { SearchIndex } from './search-index.ts';

/** What somebody may find. */
export interface SearchRights {
  /** The same object for all who may find the same, as long as they may: what is made for one is kept for all. */
  readonly key: object;
  /** Whether they may see the server, agent or virtual server at a path. */
  maySee(kind: Exclude<Kind, 'tool'>, path: string): boolean;
  /** Whether they may call the tool of the server at a path. */
  mayCall(path: string, tool: string): boolean;
}

/** How much the fields count (name, owner, tags, body, more), their lengths, and how soon a repeated word says nothing new. */
const fieldWeights = { fields: [4, 2, 1.5, 1, 0.4], lengthEffect: 0.5, saturation: 1.2 };

/** A term as a view has it: the visible items that it is in, and how much it counts in each (BM25F, 0 to 1). */
export interface Occurrences {
  readonly numbers: Int32Array;
  readonly weights: Float32Array;
}

const nowhere: Occurrences = { numbers: new Int32Array(0), weights: new Float32Array(0) };
/** How many terms a view keeps ready. */
const mostTerms = 3000;

/**
 * The index as somebody sees it who may not see all of it. Every figure that a score is made of (how many items there are,
 * how rare a word is, how long fields are) counts what they may see and nothing else: a search finds, in order and score,
 * what it would find were the rest not there.
 */
export class View {
  readonly version: number;
  /** 1 for each item that may be found. */
  readonly visible: Uint8Array;
  /** The items that may be found, in rising order, and of each whether it is a tool. */
  readonly numbers: Int32Array;
  readonly areTools: Uint8Array;
  private readonly meanLengths: readonly number[];
  private readonly index: SearchIndex;
  private readonly known = new Map<string, Occurrences>();

  constructor(index: SearchIndex, rights: SearchRights, includeDisabled: boolean) {
    this.index = index;
    this.version = index.version;
    this.visible = new Uint8Array(index.entries.length);
    const sums = fields.map(() => 0);
    const numbers: number[] = [];
    const areTools: number[] = [];
    const { lengths } = index.postings;
    index.entries.forEach((entry, number) => {
      if (!entry || !(includeDisabled || entry.item.enabled) || !maySee(rights, entry.item)) return;
      this.visible[number] = 1;
      numbers.push(number);
      areTools.push(Number(entry.item.kind === 'tool'));
      for (let field = 0; field < fields.length; field++)
        sums[field] = (sums[field] as number) + (lengths[number * fields.length + field] as number);
    });
    this.numbers = Int32Array.from(numbers);
    this.areTools = Uint8Array.from(areTools);
    this.meanLengths = sums.map((sum) => Math.max(0.5, sum / Math.max(1, numbers.length)));
  }

  /** Whether a term occurs in an item that may be found. */
  readonly occurs = (term: string): boolean => {
    const known = this.known.get(term);
    if (known) return known.numbers.length > 0;
    const items = this.index.postings.terms.get(term)?.items ?? [];
    return items.some((number) => this.visible[number] === 1);
  };

  /** Where a term occurs, as far as this view goes. */
  of(term: string): Occurrences {
    const known = this.known.get(term);
    if (known) return known;
    const made = this.read(term);
    if (this.known.size >= mostTerms) this.known.clear();
    this.known.set(term, made);
    return made;
  }

  /** Where any of the terms of a phrase occurs; each adds its part. */
  ofAll(terms: readonly string[]): Occurrences {
    const phrase = terms.join(' ');
    const known = this.known.get(phrase);
    if (known) return known;
    const sums = new Map<number, number>();
    for (const term of terms) {
      const { numbers, weights } = this.of(term);
      for (let at = 0; at < numbers.length; at++) {
        const number = numbers[at] as number;
        sums.set(number, (sums.get(number) ?? 0) + (weights[at] as number) / terms.length);
      }
    }
    const made = { numbers: Int32Array.from(sums.keys()), weights: Float32Array.from(sums.values()) };
    this.known.set(phrase, made);
    return made;
  }

  private read(term: string): Occurrences {
    const posting = this.index.postings.terms.get(term);
    if (!posting) return nowhere;
    const numbers: number[] = [];
    const weights: number[] = [];
    for (let at = 0; at < posting.items.length; at++) {
      const number = posting.items[at] as number;
      if (this.visible[number] !== 1) continue;
      numbers.push(number);
      weights.push(this.weightIn(number, posting.counts[at] as number));
    }
    return { numbers: Int32Array.from(numbers), weights: Float32Array.from(weights) };
  }

  /** How much a word counts in an item by where it stands and how often: 0 to 1. */
  private weightIn(number: number, counts: number): number {
    const { fields: weights, lengthEffect, saturation } = fieldWeights;
    const { lengths } = this.index.postings;
    let sum = 0;
    for (let field = 0; field < fields.length; field++) {
      const count = countIn(counts, field);
      if (count === 0) continue;
      const length = lengths[number * fields.length + field] as number;
      const relative = 1 - lengthEffect + (lengthEffect * length) / (this.meanLengths[field] as number);
      sum += ((weights[field] as number) * count) / relative;
    }
    return sum / (sum + saturation);
  }
}

/** Whether somebody may find an item: a tool if they may call it, everything else if they may see it. */
export function maySee(
  rights: SearchRights,
  { kind, path, name }: Pick<Item, 'kind' | 'path' | 'name'>,
): boolean {
  return kind === 'tool' ? rights.mayCall(path, name) : rights.maySee(kind, path);
}
