import type { Nearness } from './embeddings.ts';
import type { Query, Slot } from './query.ts';
import type { Entry, SearchIndex } from './search-index.ts';
import type { View } from './view.ts';

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
  /**
   * When the best score, and these shares of the nearest words and the nearest meaning, are less than this together, nothing
   * fits; and what has less than `part` of the best is left out.
   */
  least: 0.27,
  leastNear: 0.114,
  leastMeaning: 0.096,
  part: 0.25,
  /** How many of the best by words and meaning are looked at closely. */
  looked: 200,
  /** How much it counts that each word of the query has one near it in meaning. */
  near: 0.2,
  kept: 500,
};

/** Room for the figures of one query, kept from one to the next: by number of item, `scores` by its place in the view. */
const room = {
  words: new Float32Array(0),
  slot: new Float32Array(0),
  touched: new Float32Array(0),
  scores: new Float32Array(0),
  similarity: new Float32Array(0),
};

function clear(size: number): void {
  if (room.words.length < size)
    for (const name of ['words', 'slot', 'touched', 'scores', 'similarity'] as const)
      room[name] = new Float32Array(size * 2);
  else room.words.fill(0, 0, size);
}

/** Scores are counted in this many bins, so that the best are found without sorting all. */
const bins = 2048;

/**
 * What fits the query in the view and is admitted, the best first: of tools about `weights.kept`; nothing where nothing
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
  const named = new Set([query.compact, query.compactMeant ?? ''].flatMap((name) => index.named(name)));
  const { looked, others } = choose(index, view, { whole, admits, named });
  if (nearness) blend(index, looked, nearness);
  const near = weights.near > 0 ? nearWords(index, view, query, looked) : undefined;
  const said = saidBy(query);
  const words = query.words.length > 0 ? query.words : undefined;
  let best = 0;
  const settle = (one: Working, closer: number, extra: number): void => {
    const entry = index.entries[one.number] as Entry;
    const isNamed = named.has(one.number) ? nameScore(query, entry) : undefined;
    const bonus =
      words && entry.item.kind !== 'tool' && words.every((word) => entry.nameWords.has(word)) ? 0.4 : 0;
    one.score =
      isNamed === undefined
        ? fitting(one.score + extra + closer + bonus)
        : isNamed + Math.min(1, one.score + extra) * 0.01;
    best = Math.max(best, one.score - extra * 0.65);
  };
  looked.forEach((one, at) => {
    const entry = index.entries[one.number] as Entry;
    settle(one, weights.name * sameness(index, said, entry), near ? weights.near * (near[at] as number) : 0);
  });
  for (const one of others)
    if (one.isTool && !named.has(one.number)) one.score = fitting(one.score);
    else settle(one, 0, 0);
  let [nearest, meaning] = [0, 0];
  looked.forEach(({ similarity }, at) => {
    nearest = Math.max(nearest, near ? (near[at] as number) : 0);
    meaning = Math.max(meaning, similarity);
  });
  if (best + weights.leastNear * nearest + weights.leastMeaning * meaning < weights.least) return [];
  const least = weights.part * Math.min(best, 0.6);
  const fits = [...looked, ...others].filter(({ score }) => score >= least);
  return inOrder(index, fits);
}

/** The best first; of equal ones by their ids. Sorted as plain numbers, which is much faster than by comparing. */
function inOrder(index: SearchIndex, found: readonly Working[]): Found[] {
  const [steps, places] = [2 ** 30, 2 ** 20];
  const keys = Float64Array.from(
    found,
    ({ score }, at) => Math.round((1 - score) * steps) * places + at,
  ).sort();
  const ranked: Found[] = [];
  for (let from = 0; from < keys.length; ) {
    const like = Math.floor((keys[from] as number) / places);
    const first = ranked.length;
    for (; from < keys.length && Math.floor((keys[from] as number) / places) === like; from++)
      ranked.push(found[(keys[from] as number) - like * places] as Found);
    if (ranked.length === first + 1) continue;
    const equals = ranked.splice(first);
    ranked.push(...equals.sort((a, b) => b.score - a.score || compareIds(index, a, b)));
  }
  return ranked;
}

/** Scores of what is not named stay below those of what is. */
function fitting(score: number): number {
  return Math.max(0, Math.min(0.9, score * 0.65));
}

/** The best by words and meaning: those to be looked at closely, and apart from them the others. */
function choose(
  index: SearchIndex,
  { numbers, areTools }: View,
  { whole, admits, named }: { whole: number; admits: Restrictions['admits']; named: ReadonlySet<number> },
): { looked: Working[]; others: Working[] } {
  const { scores, words, similarity } = room;
  const wordShare = whole > 0 ? weights.words / whole : 0;
  const [ofTools, ofAll] = [new Uint32Array(bins), new Uint32Array(bins)];
  for (let at = 0; at < numbers.length; at++) {
    const number = numbers[at] as number;
    if (admits && !admits(index.entries[number] as Entry)) {
      scores[at] = -1;
      continue;
    }
    const score = wordShare * (words[number] as number) + weights.meaning * (similarity[at] as number);
    scores[at] = score;
    const bin = Math.min(bins - 1, (score * bins) | 0);
    ofAll[bin] = (ofAll[bin] as number) + 1;
    if (areTools[at] === 1) ofTools[bin] = (ofTools[bin] as number) + 1;
  }
  // However many tools there are, they do not crowd out servers and agents.
  const [least, leastOfTools, leastLooked] = [
    bins / 32,
    leastOf(ofTools, weights.kept),
    leastOf(ofAll, weights.looked),
  ];
  const [looked, others]: [Working[], Working[]] = [[], []];
  for (let at = 0; at < numbers.length; at++) {
    const score = scores[at] as number;
    const number = numbers[at] as number;
    if (score * bins < (areTools[at] === 1 ? leastOfTools : least) && !(score >= 0 && named.has(number)))
      continue;
    const one = { number, score, similarity: similarity[at] as number, isTool: areTools[at] === 1 };
    (score * bins >= leastLooked ? looked : others).push(one);
  }
  return { looked, others };
}

/** A thing that was found, whose score is still being made. */
type Working = { -readonly [Field in keyof Found]: Found[Field] } & { readonly isTool: boolean };

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
function blend(index: SearchIndex, looked: readonly Working[], nearness: Nearness): void {
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
    one.score += weights.meaning * 0.5 * (similarity - one.similarity);
  });
}

/** The bin from which on about `most` items are, or the first one that counts. */
function leastOf(histogram: Uint32Array, most: number): number {
  let count = 0;
  for (let bin = bins - 1; bin > bins / 50; bin--) {
    count += histogram[bin] as number;
    if (count >= most) return bin;
  }
  return Math.ceil(bins / 50);
}

/** Writes into `room.similarity` how near the items of the view are to a direction: the cosine of each, 0 to 1. */
function compareMeaning({ vectors }: SearchIndex, { numbers }: View, vector: Float32Array): void {
  const { products, scale } = vectors.compare(vector, numbers);
  const { similarity } = room;
  const { scales } = vectors;
  for (let at = 0; at < numbers.length; at++)
    similarity[at] = Math.max(
      0,
      Math.min(1, (products[at] as number) * scale * (scales[numbers[at] as number] as number)),
    );
}

/** Adds up how well the words fit (BM25F) in `room.words`; returns what a perfect fit would be. */
function addWords(view: View, slots: readonly Slot[]): number {
  const { words, slot: best, touched } = room;
  let whole = 0;
  for (const slot of slots) {
    const rarity = slot.weight * rarityOf(view, slot);
    whole += rarity;
    let count = 0;
    for (const { terms, weight } of slot.alternatives) {
      const { numbers, weights: own } = terms.length === 1 ? view.of(terms[0] as string) : view.ofAll(terms);
      for (let at = 0; at < numbers.length; at++) {
        const number = numbers[at] as number;
        const value = weight * (own[at] as number);
        const before = best[number] as number;
        if (before === 0) touched[count++] = number;
        if (value > before) best[number] = value;
      }
    }
    for (let at = 0; at < count; at++) {
      const number = touched[at] as number;
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

/** What a thing scores that the query names, before everything that only fits; undefined where the name has changed since. */
function nameScore({ compact, compactMeant, isIdentifier }: Query, entry: Entry): number | undefined {
  const score = (entry.item.kind === 'tool') === isIdentifier ? 0.98 : 0.95;
  if (compact !== '' && entry.names.includes(compact)) return score;
  if (compactMeant !== undefined && entry.stemmedNames.includes(compactMeant)) return score - 0.04;
  return undefined;
}

function compareIds(index: SearchIndex, a: Found, b: Found): number {
  const [first = '', second = ''] = [index.entries[a.number]?.item.id, index.entries[b.number]?.item.id];
  return first < second ? -1 : Number(first > second);
}

/**
 * How well each word of the query is met by the one word of a thing's name, owner, description and tags that is nearest to it
 * in meaning, 0 to 1; rare words count more. What says the same in other words is found by this.
 */
function nearWords(
  index: SearchIndex,
  view: View,
  { slots }: Query,
  looked: readonly Working[],
): Float32Array {
  const sums = new Float32Array(looked.length);
  const said = looked.map(({ number }) => index.directionsIn(number));
  const places = placesIn(said, index.directions.size);
  const nearTo = new Float32Array(index.directions.size);
  let whole = 0;
  for (const slot of slots) {
    const weight = slot.weight * Math.min(4, rarityOf(view, slot));
    whole += weight;
    const typed = index.directions.near(slot.typed, places);
    const plain = slot.plain === slot.typed ? typed : index.directions.near(slot.plain, places);
    for (let at = 0; at < places.length; at++)
      nearTo[places[at] as number] = Math.max(typed[at] as number, plain[at] as number);
    for (let one = 0; one < said.length; one++) {
      const words = said[one] as Int32Array;
      let best = 0;
      for (let at = 0; at < words.length; at++) best = Math.max(best, nearTo[words[at] as number] as number);
      sums[one] = (sums[one] as number) + weight * best;
    }
  }
  for (let one = 0; one < sums.length; one++) sums[one] = (sums[one] as number) / (whole || 1);
  return sums;
}

/** Every place that is in one of the lists, once. */
function placesIn(lists: readonly Int32Array[], size: number): Int32Array {
  const isThere = new Uint8Array(size);
  const places: number[] = [];
  for (const list of lists)
    for (let at = 0; at < list.length; at++) {
      const place = list[at] as number;
      if (isThere[place] === 0) places.push(place);
      isThere[place] = 1;
    }
  return Int32Array.from(places);
}
