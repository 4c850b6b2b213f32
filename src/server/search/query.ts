import type { Alternative, Lexicon } from './lexicon.ts';
import type { Candidate } from './spelling.ts';
import { stem } from './stem.ts';
import { normalized, type WordVectors } from './word-vectors.ts';
import {
  compactName,
  fold,
  isGeneric,
  isMinor,
  isStopWord,
  splitCamelCase,
  wordsOf,
  wordsOfQuery,
} from './words.ts';

/** One thing that a query asks for, and all that may stand for it. */
export interface Slot {
  /** The words as they were typed; of another language, the English one that it stands for. */
  readonly typed: string;
  readonly alternatives: readonly Alternative[];
  /** The best word for it. */
  readonly plain: string;
  /** How much it counts beside its rarity. */
  readonly weight: number;
  /** Whether it says what is to be done. */
  readonly act: boolean;
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
  /** The same with what unknown words may have meant; undefined when all are known. */
  readonly compactMeant: string | undefined;
  /** Its words for comparison with the words of names. */
  readonly words: readonly string[];
  /** Whether it is written as tools are named: `create_issue`, `createIssue`. */
  readonly isIdentifier: boolean;
  /** The language other than English that it was taken for. */
  readonly language: string | undefined;
}

/** What a query is understood with. */
export interface Understanding {
  readonly lexicon: Lexicon;
  readonly vectors: WordVectors;
  /** Whether a term occurs in what the asker may see. */
  readonly occurs: (term: string) => boolean;
  /** What a word that is not known may have meant, the likeliest first. */
  readonly near: (typed: string) => readonly Candidate[];
  /** Words of names that are near a word in meaning. */
  readonly akin: (word: string) => readonly Candidate[];
}

/** Understands a query. */
export function readQuery(text: string, { lexicon, vectors, occurs, near, akin }: Understanding): Query {
  const isKnown = (word: string): boolean => occurs(stem(word)) || lexicon.english([word], 0) !== undefined;
  const words = wordsOfQuery(text, isKnown).slice(0, 60);
  const isEnglish = (word: string): number => {
    if (isStopWord(word) || isKnown(word)) return 1;
    return vectors.knows(word) ? 0.3 : (near(word)[0]?.weight ?? 0) > 0.75 ? 0.6 : 0;
  };
  const language = lexicon.languageOf(words, isEnglish);
  const surely = (word: string): string =>
    isStopWord(word) || isKnown(word) || vectors.knows(word) ? word : (likeliest(near(word)) ?? word);
  const fixed = language ? words : words.map(surely);
  const read = language
    ? inOtherLanguage(words, language, lexicon, isKnown)
    : { slots: inEnglish(fixed, { lexicon, isKnown, vectors }), meaning: textOf(text, words, fixed) };
  const slots = read.slots
    .map((slot) => (slot.unknown ? corrected(slot, near, vectors.knows(slot.typed), lexicon) : slot))
    .map((slot) => (slot.alternatives.length > 1 ? slot : withKin(slot, akin)));
  const meant = correctedText(words, fixed, slots);
  return {
    ...{ slots, language, words: words.filter((word) => !isGeneric(word)) },
    vector: meaningOf(vectors, splitCamelCase(read.meaning).replace(/_/g, ' '), slots),
    compact: compactName(text),
    compactMeant: meant === undefined ? undefined : compactName(wordsOf(meant).map(stem).join(' ')),
    isIdentifier: /[a-z0-9]_[a-z0-9]|[a-z][A-Z]/.test(text) && !/\s/.test(text.trim()),
  };
}

/**
 * Adds what an unknown word may have meant, and what may stand for the likeliest; one that is a word of its own elsewhere
 * may well mean itself.
 */
function corrected(slot: Slot, near: Understanding['near'], isWord: boolean, lexicon: Lexicon): Slot {
  const found = near(slot.typed).filter(({ weight }) => !isWord || weight > 0.7);
  const [best] = found;
  if (!best) return slot;
  const share = isWord ? 0.85 : 1;
  const alternatives = found.map(({ term, weight }) => ({ terms: [term], weight: weight * share }));
  const known = best.weight > tuning.sure ? lexicon.english([best.word], 0) : undefined;
  const standing = (known?.alternatives ?? []).map(({ terms, weight }) => ({
    terms,
    weight: weight * best.weight * share,
  }));
  return {
    ...slot,
    plain: isWord ? slot.plain : (known?.plain ?? best.word),
    act: slot.act || (known !== undefined && lexicon.isAct(best.term)),
    alternatives: [...slot.alternatives, ...alternatives, ...standing],
  };
}

/** Adds words that are near in meaning, where nothing else is known of a word. */
function withKin(slot: Slot, akin: Understanding['akin']): Slot {
  const kin = akin(slot.typed).map(({ term, weight }) => ({ terms: [term], weight }));
  return kin.length > 0 ? { ...slot, alternatives: [...slot.alternatives, ...kin] } : slot;
}

/** What a word that is not known must have meant, where nothing else comes near; undefined where it is not sure. */
function likeliest([best, next]: readonly Candidate[]): string | undefined {
  if (!best || best.weight <= tuning.sure || (next && next.weight > best.weight - tuning.lead))
    return undefined;
  return best.word;
}

/** The text for the meaning: with the words as they were surely meant. */
function textOf(text: string, words: readonly string[], fixed: readonly string[]): string {
  return fixed.every((word, at) => word === words[at]) ? text : fixed.join(' ');
}

/** The query with unknown words as they were meant; undefined when there is nothing to correct. */
function correctedText(
  words: readonly string[],
  fixed: readonly string[],
  slots: readonly Slot[],
): string | undefined {
  const meant = new Map(
    slots.flatMap(({ unknown, typed, plain }) => (unknown && plain !== typed ? [[typed, plain]] : [])),
  );
  const isAsTyped = meant.size === 0 && fixed.every((word, at) => word === words[at]);
  return isAsTyped ? undefined : fixed.map((word) => meant.get(word) ?? word).join(' ');
}

/** The direction of the query as it is, and of the best words for it: other words for the same come nearer. */
function meaningOf(vectors: WordVectors, text: string, slots: readonly Slot[]): Float32Array {
  const vector = vectors.embed(text);
  const plain = vectors.embed(slots.map((slot) => slot.plain).join(' '));
  for (let at = 0; at < vector.length; at++) vector[at] = (vector[at] ?? 0) + tuning.plain * (plain[at] ?? 0);
  return normalized(vector);
}

/** What the understanding of queries is made of. */
export const tuning = {
  plain: 1,
  /** How likely a correction must be for what stands for it to stand for the typed word. */
  sure: 0.75,
  /** How much likelier than all others it must be to stand in its place. */
  lead: 0.05,
};

/** How much a word counts: less if it goes with everything (`someone`, `today`), as its short vector tells. */
function shareOf(word: string, vectors: WordVectors): number {
  return vectors.knows(word) ? Math.max(0.3, Math.min(1, Math.sqrt(vectors.says(word) / 0.6))) : 1;
}

function inEnglish(
  words: readonly string[],
  {
    lexicon,
    isKnown,
    vectors,
  }: Pick<Understanding, 'lexicon' | 'vectors'> & { isKnown: (word: string) => boolean },
): Slot[] {
  const slots: Slot[] = [];
  const taken = new Set<number>();
  for (let at = 0; at < words.length; ) {
    const word = words[at] ?? '';
    const together = lexicon.english(words, at);
    const apart = (together?.length ?? 1) === 1 ? lexicon.separated(words, at) : undefined;
    const known = apart ?? together;
    const length = apart ? 1 : (together?.length ?? 1);
    const typed = apart ? `${word} ${words[apart.last]}` : words.slice(at, at + length).join(' ');
    const isTaken = taken.has(at);
    if (apart) taken.add(apart.last);
    at += length;
    if (isTaken || (length === 1 && !apart && isStopWord(word))) continue;
    const itself = { terms: typed.split(' ').map(stem), weight: 1 };
    slots.push({
      ...{ typed, alternatives: [itself, ...(known?.alternatives ?? [])], plain: known?.plain ?? typed },
      weight: length > 1 || apart ? 1.4 : isMinor(word) ? 0.2 : shareOf(word, vectors),
      act: lexicon.isAct(stem(word)),
      unknown: !known && !isKnown(word),
    });
  }
  // A query of nothing but such words still means them.
  if (slots.length > 0) return slots;
  return words.map((typed) => ({
    ...{ typed, plain: typed },
    alternatives: [{ terms: [stem(typed)], weight: 1 }],
    weight: 1,
    unknown: false,
    act: false,
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
  const taken = new Set<number>();
  words.forEach((run, at) => {
    if (taken.has(at)) return;
    const phrase = lexicon.translatePhrase(words, at, language);
    if (phrase) {
      const { plain, alternatives, act } = phrase.said;
      for (const other of phrase.others) taken.add(other);
      meaning.push(plain);
      slots.push({ ...{ typed: plain, alternatives, plain, act }, weight: 1, unknown: false });
      return;
    }
    for (const word of run.match(/[\p{Script=Latin}\p{N}]+|[^\p{Script=Latin}\p{N}]+/gu) ?? []) {
      const itself = { terms: [stem(word)], weight: 1 };
      const translated = lexicon.translate(fold(word), language);
      for (const { plain, alternatives, act } of translated ?? []) {
        meaning.push(plain);
        slots.push({
          typed: plain,
          alternatives: [...alternatives, itself],
          plain,
          weight: 1,
          act,
          unknown: false,
        });
      }
      if (translated) continue;
      if (!isKnown(word) && !/^\p{Script=Latin}/u.test(word)) continue;
      meaning.push(word);
      const known = lexicon.english([word], 0)?.alternatives ?? [];
      slots.push({
        ...{ typed: word, plain: word, alternatives: [itself, ...known], weight: 1 },
        ...{ act: lexicon.isAct(stem(word)), unknown: !isKnown(word) },
      });
    }
  });
  return { slots, meaning: meaning.join(' ') };
}
