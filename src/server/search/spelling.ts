import { stem } from './stem.ts';

/** A term that a word may stand for, and how likely or near it is (0..1). */
export interface Candidate {
  readonly term: string;
  readonly weight: number;
  /** A word that has this stem. */
  readonly word: string;
}

/** Words of one length: as they are written or only their stems are known, the term of each, and the letters that it has. */
interface Bucket {
  readonly words: string[];
  readonly terms: string[];
  readonly masks: number[];
}

/** Words that others may be mistyped for. */
export class Spelling {
  private readonly byLength: Bucket[] = [];
  private readonly byBeginning = new Map<string, string[]>();

  /** Takes in the stem of a word that occurs. */
  addTerm(term: string): void {
    if (term.length < 3 || !/^[a-z][a-z0-9]*$/.test(term)) return;
    this.place(term, term);
    const beginning = term.slice(0, 3);
    const others = this.byBeginning.get(beginning);
    if (others) others.push(term);
    else this.byBeginning.set(beginning, [term]);
  }

  /** Takes in a word as it is written, of which the stem may be much shorter. */
  addWord(word: string): void {
    if (word.length >= 4 && /^[a-z]+$/.test(word) && stem(word) !== word) this.place(word, stem(word));
  }

  /** What a word that is not known may have meant, the likeliest first, among terms that `occur`. */
  near(typed: string, occurs: (term: string) => boolean): Candidate[] {
    if (typed.length < 3 || typed.length > 30) return [];
    const stemmed = stem(typed);
    const near = new Map<string, Candidate>();
    const add = (term: string, word: string, weight: number): void => {
      if (weight > (near.get(term)?.weight ?? 0)) near.set(term, { term, word, weight });
    };
    for (const other of this.byBeginning.get(stemmed.slice(0, 3)) ?? [])
      if (other.startsWith(stemmed) || other.startsWith(typed))
        add(other, other, 0.6 + 0.35 * (stemmed.length / other.length));
    const most = typed.length >= 8 ? 2 : typed.length >= 4 ? 1 : 0;
    for (const form of new Set([stemmed, typed])) {
      const mask = maskOf(form);
      for (let length = form.length - most; length <= form.length + most; length++) {
        const { words, terms, masks } = this.byLength[length] ?? { words: [], terms: [], masks: [] };
        for (let at = 0; at < words.length; at++) {
          // What differs in more letters than may be mistyped cannot be near; most of them end here.
          if (bitsIn(mask ^ (masks[at] as number)) > 2 * most) continue;
          const [word, term] = [words[at] as string, terms[at] as string];
          const distance = distanceOf(form, word, most);
          if (distance <= most) add(term, word, 0.95 - 0.2 * distance + (word[0] === form[0] ? 0.04 : -0.1));
        }
      }
    }
    return bestOf(
      [...near.values()].filter(({ term }) => occurs(term)),
      6,
    );
  }

  private place(word: string, term: string): void {
    while (this.byLength.length <= word.length) this.byLength.push({ words: [], terms: [], masks: [] });
    const { words, terms, masks } = this.byLength[word.length] as Bucket;
    words.push(word);
    terms.push(term);
    masks.push(maskOf(word));
  }
}

/** The likeliest `most`. */
export function bestOf(candidates: Candidate[], most: number): Candidate[] {
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
