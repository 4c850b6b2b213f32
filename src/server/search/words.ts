import { stem } from './stem.ts';

/** Letters that Unicode does not take apart into a plain letter and a mark. */
const plain: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
};

/** Text in lower case without accents; compatibility forms (full width, ligatures) become the usual ones. */
export function fold(text: string): string {
  const lower = text.toLowerCase();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is folded already, which is nearly every text.
  if (/^[\x00-\x7f]*$/.test(lower)) return lower;
  return lower
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[ßæœøłđðþı]/g, (letter) => plain[letter] ?? letter)
    .normalize('NFC');
}

/** Puts a space where camelCase begins a word: `createPullRequest` is three words, `listS3Buckets` too. */
export function splitCamelCase(text: string): string {
  return text.replace(/(\p{Ll}|\d)(?=\p{Lu})/gu, '$1 ').replace(/(\p{Lu})(?=\p{Lu}\p{Ll})/gu, '$1 ');
}

/** The words of a text as they are written, in lower case and without accents; `_`, `-` and camelCase separate words. */
export function wordsOf(text: string): string[] {
  return fold(splitCamelCase(text)).match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** The words of a text, and those of camelCase also in one: `GitHub` is `github`, `git` and `hub`. */
export function allWordsOf(text: string): string[] {
  return [...text.matchAll(/[\p{L}\p{M}\p{N}]+/gu)].flatMap(([whole]) => {
    const parts = wordsOf(whole);
    return parts.length > 1 ? [fold(whole), ...parts] : parts;
  });
}

/** The words of a query: camelCase is one word where that is known (`GitHub`), and several where not (`createIssue`). */
export function wordsOfQuery(text: string, isKnown: (word: string) => boolean): string[] {
  return [...text.matchAll(/[\p{L}\p{M}\p{N}]+/gu)].flatMap(([whole]) => {
    const folded = fold(whole);
    return isKnown(folded) ? [folded] : wordsOf(whole);
  });
}

/** What is indexed of a text: the stems of its words, without those that say nothing. */
export function termsOf(text: string): string[] {
  const terms: string[] = [];
  for (const word of allWordsOf(text)) if (word.length <= 40 && !isStopWord(word)) terms.push(stem(word));
  return terms;
}

const stopWords = new Set(
  `a an the of to for in on at by with from into and or but is are was were be been being am this that these those it its
  as if then than so such not no nor do does did doing done will would can could should may might must shall have has had
  having i me mine we us our you your he she they them their his her who whom whose which what when where why how
  please want wants wanted need needs needed like let lets some any all each every there here about via per using use used
  uses also just only very more most other another own same e g etc eg ie s t re ve ll d m`.split(/\s+/),
);

/** Whether an English word says nothing about what is looked for. */
export function isStopWord(word: string): boolean {
  return stopWords.has(word);
}

const generic = new Set([
  'mcp',
  'server',
  'servers',
  'tool',
  'tools',
  'agent',
  'agents',
  'skill',
  'the',
  'a',
]);

/** Words that say little, and yet tell one tool from another (`my_issues`). */
export function isMinor(word: string): boolean {
  return generic.has(word) || word === 'my';
}

/** Whether a word names the kind of thing that everything here is, so that it tells nothing apart. */
export function isGeneric(word: string): boolean {
  return generic.has(word);
}

/** A name for comparison: its words in one piece, without those that every name may have (`GitHub MCP Server` is `github`). */
export function compactName(name: string): string {
  const words = wordsOf(name);
  return words.filter((word) => !isGeneric(word)).join('') || words.join('');
}

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
