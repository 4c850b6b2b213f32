import { stem } from './stem.ts';
import { dimensions, toBytes, type WordVectors } from './word-vectors.ts';

/** A term that a word may stand for, and how likely or near it is (0..1). */
export interface Candidate {
  readonly term: string;
  readonly weight: number;
}

/** What marks a word of a name as it is written, for finding words that are near it in meaning. */
export const wordMark = '=';

/** From which cosine on words are akin, how many at most, and what that counts. */
export const kinship = { least: 0.45, most: 5, weight: 0.8 };

/** The words of an index, ready to be compared with words that are not in it. */
export class Vocabulary {
  private readonly terms: string[] = [];
  private readonly masks: number[] = [];
  private readonly words: string[] = [];
  private rows = new Int8Array(256 * dimensions);
  private scales = new Float32Array(256);
  private readonly vectors: WordVectors;

  constructor(vectors: WordVectors) {
    this.vectors = vectors;
  }

  /** Takes in a term, or a word of a name behind its mark. */
  add(term: string): void {
    if (term.startsWith(wordMark)) this.addWord(term.slice(wordMark.length));
    else if (term.length >= 3 && /^[a-z][a-z0-9]*$/.test(term)) {
      this.terms.push(term);
      this.masks.push(maskOf(term));
    }
  }

  /** What a word that is not known may have meant, the likeliest first, among terms that `occur`. */
  near(typed: string, occurs: (term: string) => boolean): Candidate[] {
    if (typed.length < 3 || typed.length > 30) return [];
    const word = stem(typed);
    const mask = maskOf(word);
    const most = typed.length >= 8 ? 2 : typed.length >= 4 ? 1 : 0;
    const near: Candidate[] = [];
    for (let at = 0; at < this.terms.length; at++) {
      const other = this.terms[at] as string;
      if (other.startsWith(word) || other.startsWith(typed)) {
        near.push({ term: other, weight: 0.6 + 0.35 * (word.length / other.length) });
        continue;
      }
      // What differs in more letters than may be mistyped cannot be near; most of them end here.
      if (Math.abs(other.length - word.length) > most || bitsIn(mask ^ (this.masks[at] as number)) > 2 * most)
        continue;
      const distance = distanceOf(word, other, most);
      const first = other[0] === word[0] ? 0.04 : -0.1;
      if (distance <= most) near.push({ term: other, weight: 0.95 - 0.2 * distance + first });
    }
    return best(
      near.filter(({ term }) => occurs(term)),
      6,
    );
  }

  /** Words of names that are near a word in meaning, among those that `occur`. */
  akin(word: string, occurs: (term: string) => boolean): Candidate[] {
    if (!this.vectors.knows(word)) return [];
    const vector = this.vectors.embed(word);
    const kin: Candidate[] = [];
    for (let at = 0; at < this.words.length; at++) {
      let dot = 0;
      for (let one = 0, from = at * dimensions; one < dimensions; one++)
        dot += (vector[one] as number) * (this.rows[from + one] as number);
      const cosine = dot * (this.scales[at] as number);
      const other = this.words[at] as string;
      if (cosine >= kinship.least && other !== word && occurs(wordMark + other))
        kin.push({ term: stem(other), weight: cosine * kinship.weight });
    }
    return best(kin, kinship.most);
  }

  private addWord(word: string): void {
    const at = this.words.length;
    if (at >= this.scales.length) {
      const [rows, scales] = [new Int8Array(this.rows.length * 2), new Float32Array(this.scales.length * 2)];
      rows.set(this.rows);
      scales.set(this.scales);
      [this.rows, this.scales] = [rows, scales];
    }
    this.scales[at] = toBytes(this.vectors.embed(word), this.rows, at * dimensions);
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

function bitsIn(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

/** Slips of the pen between two words (one letter more, less, another, or two swapped), as far as they are at most `most`. */
function distanceOf(a: string, b: string, most: number): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(
        (row[j] as number) + 1,
        (next[j - 1] as number) + 1,
        (row[j - 1] as number) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] as number) + 1);
      next.push(cost);
      least = Math.min(least, cost);
    }
    if (least > most) return most + 1;
    [before, row] = [row, next];
  }
  return row[b.length] as number;
}
