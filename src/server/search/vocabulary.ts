import { ByteRows } from './byte-rows.ts';
import { stem } from './stem.ts';
import type { WordVectors } from './word-vectors.ts';

/** A term that a word may stand for, and how likely or near it is (0..1). */
export interface Candidate {
  readonly term: string;
  readonly weight: number;
}

/** What marks a word of a name as it is written, for finding words that are near it in meaning. */
export const wordMark = '=';

/** From which cosine on words are akin, how many at most, and what that counts. */
export const kinship = { least: 0.45, most: 5, weight: 0.8 };

/** Terms of one length, each with the letters that it has. */
interface Bucket {
  readonly terms: string[];
  readonly masks: number[];
}

/** The words of an index, ready to be compared with words that are not in it. */
export class Vocabulary {
  private readonly byLength: Bucket[] = [];
  private readonly byBeginning = new Map<string, string[]>();
  private readonly words: string[] = [];
  private places = new Int32Array(0);
  private readonly rows = new ByteRows();
  private readonly vectors: WordVectors;

  constructor(vectors: WordVectors) {
    this.vectors = vectors;
  }

  /** Takes in a term, or a word of a name behind its mark. */
  add(term: string): void {
    if (term.startsWith(wordMark)) this.addWord(term.slice(wordMark.length));
    else if (term.length >= 3 && /^[a-z][a-z0-9]*$/.test(term)) {
      while (this.byLength.length <= term.length) this.byLength.push({ terms: [], masks: [] });
      const { terms, masks } = this.byLength[term.length] as Bucket;
      terms.push(term);
      masks.push(maskOf(term));
      const beginning = term.slice(0, 3);
      const others = this.byBeginning.get(beginning);
      if (others) others.push(term);
      else this.byBeginning.set(beginning, [term]);
    }
  }

  /** What a word that is not known may have meant, the likeliest first, among terms that `occur`. */
  near(typed: string, occurs: (term: string) => boolean): Candidate[] {
    if (typed.length < 3 || typed.length > 30) return [];
    const word = stem(typed);
    const mask = maskOf(word);
    const most = typed.length >= 8 ? 2 : typed.length >= 4 ? 1 : 0;
    const near = new Map<string, number>();
    for (const other of this.byBeginning.get(word.slice(0, 3)) ?? [])
      if (other.startsWith(word) || other.startsWith(typed))
        near.set(other, 0.6 + 0.35 * (word.length / other.length));
    for (let length = word.length - most; length <= word.length + most; length++) {
      const { terms, masks } = this.byLength[length] ?? { terms: [], masks: [] };
      for (let at = 0; at < terms.length; at++) {
        // What differs in more letters than may be mistyped cannot be near; most of them end here.
        if (bitsIn(mask ^ (masks[at] as number)) > 2 * most) continue;
        const other = terms[at] as string;
        if (near.has(other)) continue;
        const distance = distanceOf(word, other, most);
        const first = other[0] === word[0] ? 0.04 : -0.1;
        if (distance <= most) near.set(other, 0.95 - 0.2 * distance + first);
      }
    }
    const candidates = [...near].map(([term, weight]) => ({ term, weight }));
    return best(
      candidates.filter(({ term }) => occurs(term)),
      6,
    );
  }

  /** Words of names that are near a word in meaning, among those that `occur`. */
  akin(word: string, occurs: (term: string) => boolean): Candidate[] {
    if (!this.vectors.knows(word)) return [];
    if (this.places.length < this.words.length)
      this.places = Int32Array.from({ length: this.words.length }, (_, at) => at);
    const { products, scale } = this.rows.compare(this.vectors.embed(word), this.places);
    const kin: Candidate[] = [];
    for (let at = 0; at < products.length; at++) {
      const cosine = (products[at] as number) * scale * (this.rows.scales[at] as number);
      if (cosine < kinship.least) continue;
      const other = this.words[at] as string;
      if (other !== word && occurs(wordMark + other))
        kin.push({ term: stem(other), weight: cosine * kinship.weight });
    }
    return best(kin, kinship.most);
  }

  private addWord(word: string): void {
    this.rows.set(this.words.length, this.vectors.embed(word));
    this.words.push(word);
  }
}

function best(candidates: Candidate[], most: number): Candidate[] {
  return candidates.sort((a, b) => b.weight - a.weight || (a.term < b.term ? -1 : 1)).slice(0, most);
}

function maskOf(word: string): number {
  let mask = 0;
  for (let at = 0; at < word.length; at++) mask |= 1 << ((word.charCodeAt(at) - 97) & 31);
  return mask;
}

/** How many bits are set (Hacker's Delight, 5-1). */
function bitsIn(mask: number): number {
  let bits = mask - ((mask >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Three rows of distances, kept from one pair of words to the next. */
let [before, above, row] = [new Uint8Array(64), new Uint8Array(64), new Uint8Array(64)];

/** Slips of the pen between two words (one letter more, less, another, or two swapped), as far as they are at most `most`. */
function distanceOf(a: string, b: string, most: number): number {
  if (b.length >= row.length) return most + 1;
  for (let j = 0; j <= b.length; j++) above[j] = j;
  for (let i = 1; i <= a.length; i++) {
    row[0] = i;
    let least = i;
    const letter = a.charCodeAt(i - 1);
    for (let j = 1; j <= b.length; j++) {
      const other = b.charCodeAt(j - 1);
      const replaced = (above[j - 1] as number) + Number(letter !== other);
      let cost = Math.min((above[j] as number) + 1, (row[j - 1] as number) + 1, replaced);
      if (i > 1 && j > 1 && letter === b.charCodeAt(j - 2) && a.charCodeAt(i - 2) === other)
        cost = Math.min(cost, (before[j - 2] as number) + 1);
      row[j] = cost;
      least = Math.min(least, cost);
    }
    if (least > most) return most + 1;
    [before, above, row] = [above, row, before];
  }
  return above[b.length] as number;
}
