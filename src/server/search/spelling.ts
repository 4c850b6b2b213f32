import type { Query, Slot } from './query.ts';
import { stem } from './stem.ts';
import type { View } from './view.ts';

/** A term that a mistyped word may have meant, and how near it is (0..1). */
interface Candidate {
  readonly term: string;
  readonly weight: number;
}

/** The terms of an index, ready to be compared with mistyped words. */
export interface Spelling {
  /** The query with what its unknown words may have meant, among terms that occur in the view. */
  correct(query: Query, view: View): Query;
}

/** Makes ready the terms as they are now. */
export function createSpelling(terms: Iterable<string>): Spelling {
  const words = [...terms].filter((term) => term.length >= 3 && /^[a-z][a-z0-9]*$/.test(term));
  const masks = Int32Array.from(words, maskOf);
  const candidates = (typed: string, view: View): Candidate[] => {
    if (typed.length < 3 || typed.length > 30) return [];
    const word = stem(typed);
    const mask = maskOf(word);
    const most = typed.length >= 8 ? 2 : typed.length >= 4 ? 1 : 0;
    const near: Candidate[] = [];
    for (let at = 0; at < words.length; at++) {
      const other = words[at] ?? '';
      if (other.startsWith(word) || other.startsWith(typed)) {
        near.push({ term: other, weight: 0.6 + 0.35 * (word.length / other.length) });
        continue;
      }
      // What differs in more letters than may be mistyped cannot be near; most of them end here.
      if (Math.abs(other.length - word.length) > most || bitsIn(mask ^ (masks[at] ?? 0)) > 2 * most) continue;
      const distance = distanceOf(word, other, most);
      if (distance <= most)
        near.push({ term: other, weight: 0.95 - 0.2 * distance + (other[0] === word[0] ? 0.04 : -0.1) });
    }
    return near
      .sort((a, b) => b.weight - a.weight || (a.term < b.term ? -1 : 1))
      .filter(({ term }) => view.occurs(term))
      .slice(0, 6);
  };
  return {
    correct(query, view) {
      if (!query.slots.some(({ unknown }) => unknown)) return query;
      const slots = query.slots.map((slot): Slot => {
        if (!slot.unknown) return slot;
        const near = candidates(slot.typed, view).map(({ term, weight }) => ({ terms: [term], weight }));
        return near.length > 0 ? { ...slot, alternatives: [...slot.alternatives, ...near] } : slot;
      });
      return { ...query, slots };
    },
  };
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
export function distanceOf(a: string, b: string, most: number): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      next.push(cost);
      least = Math.min(least, cost);
    }
    if (least > most) return most + 1;
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}
