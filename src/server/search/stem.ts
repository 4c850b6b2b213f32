/** How far a word is long enough to lose an ending: the number of changes from vowels to consonants (Porter, 1980). */
function measure(stem: string): number {
  let [count, wasVowel] = [0, false];
  for (let at = 0; at < stem.length; at++) {
    const vowel = isVowel(stem, at);
    if (wasVowel && !vowel) count += 1;
    wasVowel = vowel;
  }
  return count;
}

function isVowel(word: string, at: number): boolean {
  const letter = word.charCodeAt(at);
  if (letter === 97 || letter === 101 || letter === 105 || letter === 111 || letter === 117) return true;
  return letter === 121 && at > 0 && !isVowel(word, at - 1);
}

function hasVowel(stem: string): boolean {
  for (let at = 0; at < stem.length; at++) if (isVowel(stem, at)) return true;
  return false;
}

function endsShort(word: string): boolean {
  const last = word.length - 1;
  return (
    last >= 2 &&
    !isVowel(word, last) &&
    isVowel(word, last - 1) &&
    !isVowel(word, last - 2) &&
    !/[wxy]$/.test(word)
  );
}

type Ending = readonly [suffix: string, replacement: string];

const step2: readonly Ending[] = [
  ['ational', 'ate'],
  ['ization', 'ize'],
  ['fulness', 'ful'],
  ['ousness', 'ous'],
  ['iveness', 'ive'],
  ['tional', 'tion'],
  ['biliti', 'ble'],
  ['entli', 'ent'],
  ['ousli', 'ous'],
  ['ation', 'ate'],
  ['alism', 'al'],
  ['aliti', 'al'],
  ['iviti', 'ive'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['izer', 'ize'],
  ['abli', 'able'],
  ['alli', 'al'],
  ['ator', 'ate'],
  ['eli', 'e'],
];
const step3: readonly Ending[] = [
  ['icate', 'ic'],
  ['ative', ''],
  ['alize', 'al'],
  ['iciti', 'ic'],
  ['ical', 'ic'],
  ['ness', ''],
  ['ful', ''],
];
const step4: readonly Ending[] = (
  'ement ance ence able ible ment sion tion ant ent ism ate iti ous ive ize al er ic ou'.split(
    ' ',
  ) as string[]
).map((suffix) => [suffix, suffix === 'sion' ? 's' : suffix === 'tion' ? 't' : '']);

function replaceEnding(word: string, endings: readonly Ending[], least: number): string {
  for (const [suffix, replacement] of endings) {
    if (!word.endsWith(suffix)) continue;
    const stem = word.slice(0, -suffix.length);
    return measure(stem + (replacement.length === 1 ? replacement : '')) > least ? stem + replacement : word;
  }
  return word;
}

function withoutPlural(word: string): string {
  if (word.endsWith('sses')) return word.slice(0, -2);
  if (word.endsWith('ies')) return word.length > 4 ? word.slice(0, -2) : word.slice(0, -1);
  return word.endsWith('s') && !word.endsWith('ss') && !word.endsWith('us') ? word.slice(0, -1) : word;
}

function withoutPast(word: string): string {
  if (word.endsWith('eed')) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word;
  const suffix = word.endsWith('ed') ? 'ed' : word.endsWith('ing') ? 'ing' : '';
  const stem = suffix ? word.slice(0, -suffix.length) : '';
  if (!suffix || !hasVowel(stem)) return word;
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (stem.at(-1) === stem.at(-2) && /[^aeiouylsz]$/.test(stem)) return stem.slice(0, -1);
  return measure(stem) === 1 && endsShort(stem) ? `${stem}e` : stem;
}

const known = new Map<string, string>();

/** The stem of an English word in lower case (after Porter, 1980): `creating`, `creates` and `creation` have one. */
export function stem(word: string): string {
  if (word.length <= 3 || !/^[a-z]+$/.test(word)) return word;
  const before = known.get(word);
  if (before !== undefined) return before;
  let stemmed = withoutPast(withoutPlural(word));
  if (stemmed.endsWith('y') && hasVowel(stemmed.slice(0, -1))) stemmed = `${stemmed.slice(0, -1)}i`;
  stemmed = replaceEnding(replaceEnding(replaceEnding(stemmed, step2, 0), step3, 0), step4, 1);
  if (stemmed.endsWith('e')) {
    const short = stemmed.slice(0, -1);
    const size = measure(short);
    if (size > 1 || (size === 1 && !endsShort(short))) stemmed = short;
  }
  if (stemmed.endsWith('ll') && measure(stemmed) > 1) stemmed = stemmed.slice(0, -1);
  // A bound, since queries bring words that nobody else ever writes.
  if (known.size >= 50_000) known.clear();
  known.set(word, stemmed);
  return stemmed;
}
