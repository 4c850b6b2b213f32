import type { Nearness } from './embeddings.ts';
import type { Kind } from './item.ts';
import type { Query, Slot } from './query.ts';
import type { Entry, SearchIndex } from './search-index.ts';
import type { View } from './view.ts';
import { dimensions, toBytes } from './word-vectors.ts';

/** A thing that was found: its number in the index. */
export interface Found {
  readonly number: number;
  /** How well it fits, 0 to 1, comparable over all kinds: names that the query spells out are above 0.9. */
  readonly score: number;
  /** The cosine of the two meanings, 0 to 1: comparable from one query to another. */
  readonly similarity: number;
}

/** What the ranking is made of; test/search holds how well it does. */
export const weights = {
  words: 0.45,
  meaning: 0.55,
  /** How much it counts that the query says every word of the name, and what it does among these. */
  name: 0.25,
  act: 1.5,
  /** What a server as a whole loses when something is to be done, which only its tools do. */
  server: 0.1,
  /** When the best has less than this, nothing fits; and what has less than this part of the best is left out. */
  least: 0.15,
  part: 0.25,
  /** How many of the best by words and meaning are looked at closely. */
  looked: 200,
  /** How much it counts that each word of the query has one near it in meaning. */
  near: 0.2,
  kept: 500,
};

/** Room for the figures of one query, kept from one to the next. */
const room = {
  words: new Float32Array(0),
  slot: new Float32Array(0),
  alternative: new Float32Array(0),
  scores: new Float32Array(0),
  similarity: new Float32Array(0),
};

function clear(size: number): void {
  if (room.words.length < size)
    for (const name of ['words', 'slot', 'alternative', 'scores', 'similarity'] as const)
      room[name] = new Float32Array(size * 2);
  else room.words.fill(0, 0, size);
}

/**
 * What fits the query in the view and is admitted, the best first: of tools at most `weights.kept`; nothing where nothing
 * fits well enough.
 */
export function rank(
  index: SearchIndex,
  view: View,
  query: Query,
  { admits, nearness }: Restrictions = {},
): Found[] {
  clear(index.entries.length);
  const whole = addWords(view, query.slots);
  compareMeaning(index, view, query.vector);
  const { scores, words, similarity } = room;
  const histogram = new Uint32Array(256);
  const others: number[] = [];
  const tools: number[] = [];
  for (let at = 0; at < view.numbers.length; at++) {
    const number = view.numbers[at] as number;
    const entry = index.entries[number];
    if (!entry || (admits && !admits(entry))) continue;
    const fits = whole > 0 ? (words[number] as number) / whole : 0;
    const score = weights.words * fits + weights.meaning * (similarity[number] as number);
    scores[number] = score;
    const isTool = entry.item.kind === 'tool';
    (isTool ? tools : others).push(number);
    const bin = Math.max(0, Math.min(255, (score * 255) | 0));
    if (isTool) histogram[bin] = (histogram[bin] as number) + 1;
  }
  const named = new Set([query.compact, query.compactMeant ?? ''].flatMap((name) => index.named(name)));
  const found: Found[] = [];
  const take = (least: number) => (number: number) => {
    const score = scores[number] as number;
    if (score * 255 >= least || named.has(number))
      found.push({ number, score, similarity: similarity[number] as number });
  };
  // However many tools there are, they do not crowd out servers and agents.
  tools.forEach(take(leastOf(histogram, weights.kept)));
  others.forEach(take(8));
  found.sort((a, b) => b.score - a.score || compareIds(index, a, b));
  const said = saidBy(query);
  if (nearness) blend(index, found, nearness);
  const near = weights.near > 0 ? nearest(index, view, query) : undefined;
  let best = 0;
  const ranked = found.map((one, at): Found => {
    const extra = near && at < weights.looked ? weights.near * near(one.number) : 0;
    const score = closely(index, query, at < weights.looked ? said : undefined, {
      ...one,
      score: one.score + extra,
    });
    best = Math.max(best, score - extra * 0.65);
    return { number: one.number, score, similarity: one.similarity };
  });
  ranked.sort((a, b) => b.score - a.score || compareIds(index, a, b));
  if (best < weights.least) return [];
  return ranked.filter(({ score }) => score >= weights.part * Math.min(best, 0.6));
}

/** What else a ranking goes by. */
export interface Restrictions {
  /** Whether a thing may be found at all. */
  readonly admits?: ((entry: Entry) => boolean) | undefined;
  /** How near a service finds a thing to the query, where one is asked. */
  readonly nearness?: Nearness | undefined;
}

/**
 * Lets a service have half the say about the meaning of the best. Models differ in what their cosines are like, so that
 * only the order and the distances among these count.
 */
function blend(index: SearchIndex, found: Found[], nearness: Nearness): void {
  const looked = found.slice(0, weights.looked);
  const near = looked.map(({ number }) => nearness(index.entries[number]?.text ?? ''));
  const known = near.filter((value) => value !== undefined);
  if (known.length === 0) return;
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const spread = Math.max(1e-6, Math.max(...known) - mean);
  const top = Math.max(...looked.map(({ similarity }) => similarity));
  looked.forEach((one, at) => {
    const value = near[at];
    if (value === undefined) return;
    const similarity = Math.max(0, (top * (value - mean)) / spread);
    const score = one.score + weights.meaning * 0.5 * (similarity - one.similarity);
    found[at] = { ...one, score };
  });
  found.sort((a, b) => b.score - a.score || compareIds(index, a, b));
}

/** The bin from which on at most about `most` items are, or the first one above zero. */
function leastOf(histogram: Uint32Array, most: number): number {
  let count = 0;
  for (let bin = 255; bin > 4; bin--) {
    count += histogram[bin] as number;
    if (count >= most) return bin;
  }
  return 5;
}

/** Writes into `room.similarity` how near the items of the view are to a direction: the cosine of each, 0 to 1. */
function compareMeaning({ vectors, scales }: SearchIndex, { numbers }: View, vector: Float32Array): void {
  const query = new Int8Array(dimensions);
  const scale = toBytes(vector, query, 0);
  const { similarity } = room;
  for (let item = 0; item < numbers.length; item++) {
    const number = numbers[item] as number;
    const from = number * dimensions;
    let dot = 0;
    for (let at = 0; at < dimensions; at++)
      dot = (dot + Math.imul(query[at] as number, vectors[from + at] as number)) | 0;
    similarity[number] = Math.max(0, Math.min(1, dot * scale * (scales[number] as number)));
  }
}

/** Adds up how well the words fit (BM25F) in `room.words`; returns what a perfect fit would be. */
function addWords(view: View, slots: readonly Slot[]): number {
  const { words, slot: best } = room;
  let whole = 0;
  for (const slot of slots) {
    const rarity = slot.weight * rarityOf(view, slot);
    whole += rarity;
    const touched: number[] = [];
    for (const { terms, weight } of slot.alternatives) addAlternative(view, terms, weight, touched);
    for (const number of touched) {
      words[number] = (words[number] as number) + rarity * (best[number] as number);
      best[number] = 0;
    }
  }
  return whole;
}

/** How rare it is that a slot fits, as far as this view shows: the inverse document frequency of all its alternatives. */
function rarityOf(view: View, { alternatives }: Slot): number {
  let count = 0;
  for (const { terms, weight } of alternatives) {
    let rarest = Number.POSITIVE_INFINITY;
    for (const term of terms) rarest = Math.min(rarest, view.of(term).numbers.length);
    count = Math.max(count, weight * rarest);
  }
  return Math.log(1 + (view.numbers.length - count + 0.5) / (count + 0.5));
}

function addAlternative(view: View, terms: readonly string[], weight: number, touched: number[]): void {
  const { slot: best, alternative } = room;
  const raise = (number: number, value: number): void => {
    const before = best[number] as number;
    if (before === 0) touched.push(number);
    if (value > before) best[number] = value;
  };
  if (terms.length === 1) {
    const { numbers, weights: own } = view.of(terms[0] as string);
    for (let at = 0; at < numbers.length; at++) raise(numbers[at] as number, weight * (own[at] as number));
    return;
  }
  const mine: number[] = [];
  for (const term of terms) {
    const { numbers, weights: own } = view.of(term);
    for (let at = 0; at < numbers.length; at++) {
      const number = numbers[at] as number;
      const before = alternative[number] as number;
      if (before === 0) mine.push(number);
      alternative[number] = before + (own[at] as number) / terms.length;
    }
  }
  for (const number of mine) {
    raise(number, weight * (alternative[number] as number));
    alternative[number] = 0;
  }
}

/** Which of the query's words say a term, and how much; of a phrase each term says its part. */
interface Said {
  readonly of: ReadonlyMap<string, readonly { slot: number; weight: number; parts: number }[]>;
  readonly shares: readonly number[];
  /** Whether the query says what is to be done. */
  readonly acts: boolean;
}

function saidBy({ slots }: Query): Said {
  const of = new Map<string, { slot: number; weight: number; parts: number }[]>();
  slots.forEach(({ alternatives }, slot) => {
    for (const { terms, weight } of alternatives)
      for (const term of terms) {
        const known = of.get(term);
        const one = { slot, weight, parts: terms.length };
        if (known) known.push(one);
        else of.set(term, [one]);
      }
  });
  return { of, shares: slots.map(({ weight }) => weight), acts: slots.some(({ act }) => act) };
}

/** Puts what the query names before everything that only fits, and what says the same as its name before what says more. */
function closely(index: SearchIndex, query: Query, said: Said | undefined, { number, score }: Found): number {
  const entry = index.entries[number];
  if (!entry) return 0;
  const { kind } = entry.item;
  if (query.compact !== '' && entry.names.includes(query.compact))
    return nameScore(kind, query.isIdentifier) + Math.min(1, score) * 0.01;
  if (query.compactMeant !== undefined && entry.stemmedNames.includes(query.compactMeant))
    return nameScore(kind, query.isIdentifier) - 0.04 + Math.min(1, score) * 0.01;
  const isWhole = kind !== 'tool' && query.words.length > 0;
  const bonus = isWhole && query.words.every((word) => entry.nameWords.has(word)) ? 0.4 : 0;
  const tilt = kind === 'server' && query.slots.length > 1 && said?.acts ? weights.server : 0;
  const same = said ? weights.name * sameness(index, said, entry) : 0;
  return Math.max(0, Math.min(0.9, (score + same + bonus - tilt) * 0.65));
}

/**
 * How well query and name say the same, 0 to 1: how much of the name's own words the query says, times how much of the
 * query the names of thing and owner say. What a name does counts only if the query says what to do.
 */
function sameness(index: SearchIndex, { of, shares, acts }: Said, entry: Entry): number {
  const best = shares.map(() => 0);
  const most = (term: string): number => {
    let said = 0;
    for (const { slot, weight, parts } of of.get(term) ?? []) {
      const before = best[slot] as number;
      best[slot] = parts > 1 ? Math.min(1, before + weight / parts) : Math.max(before, weight);
      said = Math.max(said, weight);
    }
    return said;
  };
  let [sum, whole] = [0, 0];
  for (const term of entry.nameTerms) {
    const said = most(term);
    const isAct = index.isAct(term);
    if (isAct && !acts) continue;
    const share = isAct ? weights.act : 1;
    whole += share;
    sum += share * said;
  }
  if (whole === 0) return 0;
  for (const term of entry.ownerTerms) most(term);
  const asked = shares.reduce((total, share) => total + share, 0);
  const covered =
    best.reduce((total, said, slot) => total + said * (shares[slot] as number), 0) / Math.max(1, asked);
  // A single word that is the name of a tool says little: it names what many are about.
  return (sum / whole) * covered * Math.min(1, 0.5 + shares.length / 4);
}

function nameScore(kind: Kind, isIdentifier: boolean): number {
  const isTool = kind === 'tool';
  return isTool === isIdentifier ? 0.98 : 0.95;
}

function compareIds(index: SearchIndex, a: Found, b: Found): number {
  const [first = '', second = ''] = [index.entries[a.number]?.item.id, index.entries[b.number]?.item.id];
  return first < second ? -1 : Number(first > second);
}

/**
 * How well each word of the query is met by the one word of a thing's name, owner and description that is nearest to it in
 * meaning, 0 to 1; rare words count more. What says the same in other words is found by this.
 */
function nearest(index: SearchIndex, view: View, { slots }: Query): (number: number) => number {
  const words = slots.map((slot) => ({
    compared: [...new Set([slot.typed, slot.plain])].map((word) => index.directions.comparedWith(word)),
    weight: slot.weight * Math.min(4, rarityOf(view, slot)),
  }));
  const whole = words.reduce((sum, { weight }) => sum + weight, 0) || 1;
  return (number) => {
    const others = index.directionsIn(number);
    let sum = 0;
    for (const { compared, weight } of words) {
      let best = 0;
      for (const nearTo of compared) for (const other of others) best = Math.max(best, nearTo(other));
      sum += weight * best;
    }
    return sum / whole;
  };
}
