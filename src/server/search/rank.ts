import type { Kind } from './item.ts';
import { countIn, fields } from './postings.ts';
import type { Query, Slot } from './query.ts';
import type { SearchIndex } from './search-index.ts';
import type { View } from './view.ts';
import { dimensions } from './word-vectors.ts';
import { allWordsOf, isGeneric } from './words.ts';

/** A thing that was found: its number in the index. */
export interface Found {
  readonly number: number;
  /** How well it fits, 0 to 1, comparable over all kinds: names that the query spells out are above 0.9. */
  readonly score: number;
  /** The cosine of the two meanings, 0 to 1: comparable from one query to another. */
  readonly similarity: number;
}

/** What the ranking is made of; test/search holds how well it does. */
export const weights = {
  /** By field: name, owner, tags, body, more. */
  fields: [4, 2, 1.5, 1, 0.4] as readonly number[],
  /** How much the length of a field counts, and how soon a repeated word says nothing new. */
  lengthEffect: 0.5,
  saturation: 1.2,
  words: 0.4,
  meaning: 0.6,
  /** What nothing about it says, but its words and meaning less than this: nothing fits. */
  least: 0.24,
};

/** Room for the figures of one query, kept from one to the next. */
class Sums {
  words = new Float32Array(0);
  slot = new Float32Array(0);
  alternative = new Float32Array(0);
  readonly touched: number[] = [];
  clear(size: number): void {
    if (this.words.length < size) {
      [this.words, this.slot, this.alternative] = [0, 0, 0].map(() => new Float32Array(size * 2)) as [
        Float32Array<ArrayBuffer>,
        Float32Array<ArrayBuffer>,
        Float32Array<ArrayBuffer>,
      ];
    } else this.words.fill(0, 0, size);
  }
}
const sums = new Sums();

/** Everything in the view that fits the query, the best first. */
export function rank(index: SearchIndex, view: View, query: Query): Found[] {
  sums.clear(index.entries.length);
  const whole = addWords(index, view, query.slots);
  const found: Found[] = [];
  const { vectors, scales } = index;
  for (const number of view.numbers) {
    let dot = 0;
    for (let at = 0, from = number * dimensions; at < dimensions; at++)
      dot += (query.vector[at] ?? 0) * (vectors[from + at] ?? 0);
    const similarity = Math.max(0, Math.min(1, dot * (scales[number] ?? 0)));
    const words = whole > 0 ? (sums.words[number] ?? 0) / whole : 0;
    const score = weights.words * words + weights.meaning * similarity;
    if (score > 0.05) found.push({ number, score, similarity });
  }
  const named = found.map((one) => withNames(index, query, one));
  named.sort((a, b) => b.score - a.score || compareIds(index, a.number, b.number));
  return named;
}

/** Adds up how well the words fit (BM25F) in `sums.words`; returns what a perfect fit would be. */
function addWords(index: SearchIndex, view: View, slots: readonly Slot[]): number {
  let whole = 0;
  for (const slot of slots) {
    const rarity = slot.weight * rarityOf(index, view, slot);
    whole += rarity;
    const touched: number[] = [];
    for (const { terms, weight } of slot.alternatives) addAlternative(index, view, terms, weight, touched);
    for (const number of touched) {
      sums.words[number] = (sums.words[number] ?? 0) + rarity * (sums.slot[number] ?? 0);
      sums.slot[number] = 0;
    }
  }
  return whole;
}

/** How rare it is that a slot fits, as far as this view shows: the inverse document frequency of all its alternatives. */
function rarityOf(index: SearchIndex, view: View, { alternatives }: Slot): number {
  let count = 0;
  for (const { terms, weight } of alternatives) {
    let rarest = Number.POSITIVE_INFINITY;
    for (const term of terms) {
      let seen = 0;
      for (const number of index.postings.terms.get(term)?.items ?? []) seen += view.visible[number] ?? 0;
      rarest = Math.min(rarest, seen);
    }
    count = Math.max(count, weight * rarest);
  }
  const total = view.numbers.length;
  return Math.log(1 + (total - count + 0.5) / (count + 0.5));
}

function addAlternative(
  index: SearchIndex,
  view: View,
  terms: readonly string[],
  weight: number,
  touched: number[],
): void {
  const mine: number[] = [];
  for (const term of terms) {
    const posting = index.postings.terms.get(term);
    if (!posting) continue;
    posting.items.forEach((number, at) => {
      if (view.visible[number] !== 1) return;
      const before = sums.alternative[number] ?? 0;
      if (before === 0) mine.push(number);
      sums.alternative[number] =
        before + weightIn(index, view, number, posting.counts[at] ?? 0) / terms.length;
    });
  }
  for (const number of mine) {
    const value = weight * (sums.alternative[number] ?? 0);
    const best = sums.slot[number] ?? 0;
    if (best === 0) touched.push(number);
    if (value > best) sums.slot[number] = value;
    sums.alternative[number] = 0;
  }
}

/** How much a word counts in an item by where it stands and how often: 0 to 1. */
function weightIn(index: SearchIndex, view: View, number: number, counts: number): number {
  let sum = 0;
  for (let field = 0; field < fields.length; field++) {
    const count = countIn(counts, field);
    if (count === 0) continue;
    const length = index.postings.lengths[number * fields.length + field] ?? 0;
    const relative =
      1 - weights.lengthEffect + (weights.lengthEffect * length) / (view.meanLengths[field] ?? 1);
    sum += ((weights.fields[field] ?? 0) * count) / relative;
  }
  return sum / (sum + weights.saturation);
}

/** Puts what the query names before everything that only fits. */
function withNames(index: SearchIndex, query: Query, found: Found): Found {
  const entry = index.entries[found.number];
  if (!entry) return found;
  const fits = Math.min(1, found.score);
  if (query.compact !== '' && entry.names.includes(query.compact))
    return { ...found, score: nameScore(entry.item.kind, query.isIdentifier) + fits * 0.01 };
  const isWhole = entry.item.kind !== 'tool' && query.words.length > 0;
  const bonus = isWhole && hasEveryWord(entry.item.name, query.words) ? 0.4 : 0;
  return { ...found, score: Math.min(0.9, (fits + bonus) * 0.65) };
}

function nameScore(kind: Kind, isIdentifier: boolean): number {
  const isTool = kind === 'tool';
  return isTool === isIdentifier ? 0.98 : 0.95;
}

function hasEveryWord(name: string, words: readonly string[]): boolean {
  const own = new Set(allWordsOf(name).filter((word) => !isGeneric(word)));
  return words.every((word) => own.has(word));
}

function compareIds(index: SearchIndex, a: number, b: number): number {
  const [first = '', second = ''] = [index.entries[a]?.item.id, index.entries[b]?.item.id];
  return first < second ? -1 : Number(first > second);
}
