import { stem } from './stem.ts';
import { fold, isStopWord } from './words.ts';

/** A place in a text: the numbers of its first character and of the one behind its last. */
export type Range = [from: number, to: number];

/** Where the words of a text stand that have one of these stems; camelCase and `_` separate words. */
export function placesOf(text: string, terms: ReadonlySet<string>): Range[] {
  const places: Range[] = [];
  for (const { 0: word, index } of text.matchAll(/\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{Lo}\p{N}]+/gu)) {
    const folded = fold(word);
    if (!isStopWord(folded) && terms.has(stem(folded))) places.push([index, index + word.length]);
  }
  return places;
}

/** The part of a text around the first word that fits, at most `most` characters; its beginning where none does. */
export function excerptOf(text: string, terms: ReadonlySet<string>, most = 200): string {
  const line = text.replace(/\s/g, ' ');
  if (line.length <= most) return line;
  const first = placesOf(line, terms)[0]?.[0] ?? 0;
  const from = first < most - 40 ? 0 : first - 40;
  return `${from > 0 ? '…' : ''}${line.slice(from, from + most)}${from + most < line.length ? '…' : ''}`;
}
