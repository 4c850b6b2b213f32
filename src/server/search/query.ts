import type { Alternative, Lexicon } from './lexicon.ts';
import { stem } from './stem.ts';
import type { WordVectors } from './word-vectors.ts';
import { compactName, fold, isGeneric, isStopWord, splitCamelCase, wordsOfQuery } from './words.ts';

/** One thing that a query asks for, and all that may stand for it. */
export interface Slot {
  /** The words as they were typed. */
  readonly typed: string;
  readonly alternatives: readonly Alternative[];
  /** How much it counts beside its rarity. */
  readonly weight: number;
  /** No word that is known: it may be mistyped. */
  readonly unknown: boolean;
}

/** A query, understood. */
export interface Query {
  readonly slots: readonly Slot[];
  /** The direction of its meaning. */
  readonly vector: Float32Array;
  /** All of it in one piece, for comparison with names. */
  readonly compact: string;
  /** Its words for comparison with the words of names. */
  readonly words: readonly string[];
  /** Whether it is written as tools are named: `create_issue`, `createIssue`. */
  readonly isIdentifier: boolean;
  /** The language other than English that it was taken for. */
  readonly language: string | undefined;
}

/** Understands a query; `occurs` says whether a term occurs in what the asker may see. */
export function readQuery(
  text: string,
  { lexicon, vectors, occurs }: { lexicon: Lexicon; vectors: WordVectors; occurs: (term: string) => boolean },
): Query {
  const isKnown = (word: string): boolean => occurs(stem(word)) || lexicon.english([word], 0) !== undefined;
  const words = wordsOfQuery(text, isKnown).slice(0, 60);
  const isEnglish = (word: string): number =>
    isStopWord(word) || isKnown(word) ? 1 : vectors.knows(word) ? 0.3 : 0;
  const language = lexicon.languageOf(words, isEnglish);
  const read = language
    ? inOtherLanguage(words, language, lexicon, isKnown)
    : {
        slots: inEnglish(words, { lexicon, isKnown: (word) => isKnown(word) || vectors.knows(word) }),
        meaning: text,
      };
  return {
    ...{ slots: read.slots, language, words: words.filter((word) => !isGeneric(word)) },
    vector: vectors.embed(splitCamelCase(read.meaning).replace(/_/g, ' ')),
    compact: compactName(text),
    isIdentifier: /[a-z0-9]_[a-z0-9]|[a-z][A-Z]/.test(text) && !/\s/.test(text.trim()),
  };
}

function inEnglish(
  words: readonly string[],
  { lexicon, isKnown }: { lexicon: Lexicon; isKnown: (word: string) => boolean },
): Slot[] {
  const slots: Slot[] = [];
  for (let at = 0; at < words.length; ) {
    const word = words[at] ?? '';
    const known = lexicon.english(words, at);
    const length = known?.length ?? 1;
    const typed = words.slice(at, at + length).join(' ');
    at += length;
    if (length === 1 && isStopWord(word)) continue;
    const itself = { terms: typed.split(' ').map(stem), weight: 1 };
    slots.push({
      ...{ typed, alternatives: [itself, ...(known?.alternatives ?? [])] },
      weight: length > 1 ? 1.4 : isGeneric(word) ? 0.2 : 1,
      unknown: !known && !isKnown(word),
    });
  }
  // A query of nothing but such words still means them.
  if (slots.length > 0) return slots;
  return words.map((typed) => ({
    typed,
    alternatives: [{ terms: [stem(typed)], weight: 1 }],
    weight: 1,
    unknown: false,
  }));
}

/** In other languages each word that is understood stands for its English ones; names stay as they are. */
function inOtherLanguage(
  words: readonly string[],
  language: string,
  lexicon: Lexicon,
  isKnown: (word: string) => boolean,
): { slots: Slot[]; meaning: string } {
  const slots: Slot[] = [];
  const meaning: string[] = [];
  for (const run of words)
    for (const word of run.match(/[\p{Script=Latin}\p{N}]+|[^\p{Script=Latin}\p{N}]+/gu) ?? []) {
      const itself = { terms: [stem(word)], weight: 1 };
      const translated = lexicon.translate(fold(word), language);
      for (const { plain, alternatives } of translated ?? []) {
        meaning.push(plain);
        slots.push({ typed: word, alternatives: [...alternatives, itself], weight: 1, unknown: false });
      }
      if (translated) continue;
      if (!isKnown(word) && !/^\p{Script=Latin}/u.test(word)) continue;
      meaning.push(word);
      const known = lexicon.english([word], 0)?.alternatives ?? [];
      slots.push({ typed: word, alternatives: [itself, ...known], weight: 1, unknown: !isKnown(word) });
    }
  return { slots, meaning: meaning.join(' ') };
}
