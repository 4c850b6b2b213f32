import { readFileSync } from 'node:fs';
import { stem } from './stem.ts';
import { fold } from './words.ts';

/** What may stand for a word: terms that must be found together, and how much that counts against the word itself (0..1). */
export interface Alternative {
  readonly terms: readonly string[];
  readonly weight: number;
}

/** A meaning: what it is called in English, the best word first. */
interface Concept {
  readonly plain: string;
  readonly alternatives: readonly Alternative[];
  /** Whether it is something that is done. */
  readonly act: boolean;
}

/** A word of another language that was understood. */
export interface Translated {
  /** English words that say the same. */
  readonly plain: string;
  readonly alternatives: readonly Alternative[];
  readonly act: boolean;
  /** How much of the word was understood, in letters. */
  readonly letters: number;
}

/** The words of the field: which mean the same in English, and what they are called in other languages. */
export interface Lexicon {
  /** The longest run of English words from `at` on that is known, and what may stand for it; undefined when none is. */
  english(
    words: readonly string[],
    at: number,
  ): { length: number; plain: string; alternatives: readonly Alternative[] } | undefined;
  /** The same of a verb and its particle with other words between them: `turn the lights off`; `last` is the particle's place. */
  separated(
    words: readonly string[],
    at: number,
  ): { last: number; plain: string; alternatives: readonly Alternative[] } | undefined;
  /** Whether a term says what is done, not to what. */
  isAct(term: string): boolean;
  /** The language that the words are in, if it is another than English and more of them are known in it than in English. */
  languageOf(words: readonly string[], isEnglish: (word: string) => number): string | undefined;
  /** What a word says in a language; undefined when it is not known, empty when it says nothing by itself. */
  translate(word: string, language: string): readonly Translated[] | undefined;
  /** What several words say together from `at` on, and the places of the others; a German or Dutch verb may be taken apart. */
  translatePhrase(
    words: readonly string[],
    at: number,
    language: string,
  ): { others: readonly number[]; said: Translated } | undefined;
}

/** An English word or phrase: the best word of its first meaning, and what may stand for it. */
interface Known {
  readonly plain: string;
  /** How closely the line that `plain` is from is about it; the lower, the closer. */
  readonly rank: number;
  readonly alternatives: Alternative[];
}

const synonym = 0.75;
const related = 0.45;
/** What the further meanings of a word count against its first. */
const second = 0.6;

/** Words of a verb that may stand apart from it; those that are prepositions as well, only at the end. */
const particles = new Set(['up', 'down', 'off', 'out', 'away', 'aside', 'back', 'together']);

/** Languages that take verbs apart and put them together: `schalte ... aus`, `ausschalten`. */
const taking = new Set(['de', 'nl', 'sv']);

interface Phrase {
  readonly parts: readonly string[];
  readonly concept: Concept;
}

interface Language {
  readonly phrases: readonly Phrase[];
  /** Beginnings of words, and the concepts that they stand for. */
  readonly stems: Map<string, Concept>;
  readonly longest: number;
  readonly functionWords: ReadonlySet<string>;
}

/** Languages that put no spaces between words. */
const unspaced = new Set(['zh', 'ja']);

/**
 * Reads the lexicon. A line is one meaning: English words, then `| de ...` for each language with beginnings of its words;
 * `_` joins the words of a phrase, `~` marks words that are only near in meaning, `=` a word that has to match whole.
 * a line that begins with `>` says what words of other languages mean, and nothing of the English ones;
 * `@ de ...` names the words of a language that say nothing by themselves.
 */
export function readLexicon(file: string): Lexicon {
  const english = new Map<string, Known>();
  const languages = new Map<string, { stems: Map<string, Concept>; functionWords: Set<string> }>();
  const languageOf = (code: string) => {
    const known = languages.get(code) ?? { stems: new Map(), functionWords: new Set<string>() };
    languages.set(code, known);
    return known;
  };
  const acts = new Set<string>();
  let act = false;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line.startsWith('# ---')) act = line.includes('what is done ');
    if (line.trim() === '' || line.startsWith('#')) continue;
    if (line.startsWith('@')) {
      const [code = '', ...words] = line.slice(1).trim().split(/\s+/);
      for (const word of words) languageOf(code).functionWords.add(fold(word));
      continue;
    }
    const [first = '', ...others] = line
      .replace(/^>/, '')
      .split('|')
      .map((part) => part.trim());
    const isEnglish = !line.startsWith('>');
    const concept = readConcept(first, isEnglish ? english : new Map(), act);
    if (act && isEnglish)
      for (const word of first.split(/\s+/)) if (/^[a-z]+$/.test(word)) acts.add(stem(word));
    for (const other of others) {
      const [code = '', ...stems] = other.split(/\s+/);
      for (const word of stems) {
        const key = fold(word).replaceAll('_', ' ');
        const { stems: known } = languageOf(code);
        known.set(key, alsoMeaning(known.get(key), concept));
      }
    }
  }
  const ready = new Map<string, Language>();
  for (const [code, { stems, functionWords }] of languages) {
    const phrases = phrasesIn(stems);
    if (taking.has(code))
      for (const { parts, concept } of phrases)
        if (parts.length === 2) {
          const joined = [...parts].reverse().join('');
          stems.set(joined, alsoMeaning(stems.get(joined), concept));
        }
    const longest = Math.max(0, ...[...stems.keys()].map((key) => key.length));
    ready.set(code, { stems, phrases, functionWords, longest });
  }
  return lexiconOf(english, acts, ready);
}

function phrasesIn(stems: ReadonlyMap<string, Concept>): Phrase[] {
  const phrases = [...stems].map(([key, concept]) => ({ parts: key.split(' '), concept }));
  return phrases
    .filter(({ parts }) => parts.length > 1)
    .sort((a, b) => b.parts.length - a.parts.length || b.parts.join('').length - a.parts.join('').length);
}

/** A word of another language that has several meanings stands for each; what the first line says counts most. */
function alsoMeaning(first: Concept | undefined, other: Concept): Concept {
  if (!first) return other;
  const more = other.alternatives.map(({ terms, weight }) => ({ terms, weight: weight * second }));
  return { ...first, alternatives: [...first.alternatives, ...more], act: first.act && other.act };
}

function readConcept(text: string, english: Map<string, Known>, act: boolean): Concept {
  const plain = (text.split(/\s+/)[0] ?? '').replaceAll('_', ' ');
  const words = text.split(/\s+/).map((word) => ({
    text: word.replace(/^~/, '').replaceAll('_', ' '),
    terms: word
      .replace(/^~/, '')
      .split('_')
      .map((part) => stem(fold(part))),
    near: word.startsWith('~'),
  }));
  for (const one of words) {
    const key = one.terms.join(' ');
    const known = english.get(key) ?? { plain, rank: Number.POSITIVE_INFINITY, alternatives: [] };
    // The best word for it is that of the line where it comes first, else where it says the same, else where it is near.
    const rank = one.text === plain ? 0 : one.near ? 2 : 1;
    if (rank < known.rank) Object.assign(known, { plain: rank === 2 ? one.text : plain, rank });
    for (const { terms, near } of words)
      if (terms.join(' ') !== key)
        known.alternatives.push({ terms, weight: one.near || near ? related : synonym });
    english.set(key, known);
  }
  const alternatives = words.map(({ terms, near }, at) => ({
    ...{ terms, weight: at === 0 ? 1 : near ? related : synonym },
  }));
  return { plain, alternatives, act };
}

function lexiconOf(
  english: ReadonlyMap<string, Known>,
  acts: ReadonlySet<string>,
  languages: ReadonlyMap<string, Language>,
): Lexicon {
  const translate = (word: string, code: string): readonly Translated[] | undefined => {
    const language = languages.get(code);
    if (!language) return undefined;
    if (language.functionWords.has(word)) return [];
    const found = unspaced.has(code) ? segments(word, language) : stemsIn(word, language);
    return found.length > 0 ? found : undefined;
  };
  return {
    isAct: (term) => acts.has(term),
    english(words, at) {
      for (let length = Math.min(4, words.length - at); length > 0; length--) {
        const key = words
          .slice(at, at + length)
          .map(stem)
          .join(' ');
        const known = english.get(key);
        if (known) return { length, ...known };
      }
      return undefined;
    },
    separated(words, at) {
      const first = stem(words[at] ?? '');
      for (let last = at + 2; last < Math.min(words.length, at + 5); last++) {
        const word = words[last] ?? '';
        if (!particles.has(word) && !((word === 'on' || word === 'in') && last === words.length - 1))
          continue;
        const known = english.get(`${first} ${stem(word)}`);
        if (known) return { last, ...known };
      }
      return undefined;
    },
    translatePhrase(words, at, code) {
      for (const { parts, concept } of languages.get(code)?.phrases ?? []) {
        const others = placesOf(parts, words, at, taking.has(code));
        if (others) return { others, said: { ...concept, letters: parts.join('').length } };
      }
      return undefined;
    },
    languageOf(words, isEnglish) {
      const script = scriptOf(words.join(''));
      if (script) return languages.has(script) ? script : undefined;
      let [best, most]: [string | undefined, number] = [undefined, 0];
      for (const [code, language] of languages) {
        if (unspaced.has(code)) continue;
        let votes = 0;
        for (const word of words) {
          const own = language.functionWords.has(word) ? 1.2 : understood(word, translate(word, code));
          votes += own - isEnglish(word);
        }
        if (votes > most) [best, most] = [code, votes];
      }
      return best;
    },
    translate,
  };
}

/** Where the further words of a phrase are that begins at `at`: next to one another, or of two the second later. */
function placesOf(
  [first = '', ...rest]: readonly string[],
  words: readonly string[],
  at: number,
  mayBeApart: boolean,
): number[] | undefined {
  const fits = (part: string, word = ''): boolean =>
    word.startsWith(part) && word.length - part.length <= (part.length < 3 ? 0 : 4);
  if (!fits(first, words[at])) return undefined;
  if (rest.every((part, one) => fits(part, words[at + 1 + one]))) return rest.map((_, one) => at + 1 + one);
  const last = mayBeApart && rest.length === 1 ? words.indexOf(rest[0] as string, at + 2) : -1;
  return last < 0 ? undefined : [last];
}

/** How much of a word of another language was understood, 0 to 1: a short beginning that happens to fit says little. */
function understood(word: string, parts: readonly Translated[] | undefined): number {
  if (!parts) return 0;
  const letters = parts.reduce((sum, part) => sum + part.letters, 0);
  return 0.4 + 0.6 * Math.min(1, letters / word.length);
}

/** The language of a script that only one language here is written in. */
function scriptOf(text: string): string | undefined {
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text)) return 'ja';
  if (/\p{Script=Hangul}/u.test(text)) return 'ko';
  if (/\p{Script=Han}/u.test(text)) return 'zh';
  if (/\p{Script=Cyrillic}/u.test(text)) return 'ru';
  return undefined;
}

/** A word by its beginning, since endings change; a compound by its parts (`Kundenliste`). */
function stemsIn(word: string, language: Language, depth = 0): Translated[] {
  for (let length = Math.min(word.length, language.longest); length >= 2; length--) {
    const concept = language.stems.get(word.slice(0, length));
    if (!concept) continue;
    const rest = word.length - length;
    const isEnding = rest <= (length <= 2 ? 0 : length === 3 ? 2 : length === 4 ? 3 : 5);
    if (depth < 2 && length >= 4 && rest >= 4) {
      const after = stemsIn(word.slice(length), language, depth + 1);
      const linked =
        after.length > 0
          ? after
          : stemsIn(word.slice(length).replace(/^(?:en|es|er|n|s|e)/, ''), language, depth + 1);
      if (linked.length > 0) return [{ ...concept, letters: length }, ...linked];
    }
    if (isEnding) return [{ ...concept, letters: length }];
  }
  return [];
}

/** The known words in a run of characters without spaces, the longest first at each place. */
function segments(text: string, language: Language): Translated[] {
  const found: Translated[] = [];
  for (let at = 0; at < text.length; ) {
    let length = Math.min(text.length - at, language.longest);
    for (; length > 0; length--) {
      const concept = language.stems.get(text.slice(at, at + length));
      if (concept) {
        found.push({ ...concept, letters: length });
        break;
      }
    }
    at += Math.max(1, length);
  }
  return found;
}
