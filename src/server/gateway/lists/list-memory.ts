import { LRUCache } from 'lru-cache';
import { type Around, aroundId, bytes, type Form, idInPieces, texts } from './list-form.ts';
import { type ListRules, prune } from './prune.ts';

/**
 * Cuts lists as `prune` does, and remembers what came of it: the same list for the same rights is not cut again.
 * `rights` is one object for all callers who may do the same, and another once that changes.
 */
export interface ListMemory {
  /** A message that is text already, such as an event's data. */
  cut(rights: object, server: string, text: string, rules: ListRules): string | undefined;
  /** A body as it came: when its bytes are known, none of them is read as text. */
  cutBytes(rights: object, server: string, body: Buffer, rules: ListRules): Buffer | undefined;
  /** The pieces of a body that came in pieces, cut before; undefined where it is not known. */
  recall(
    rights: object,
    server: string,
    pieces: readonly Buffer[],
    size: number,
    rules: ListRules,
  ): readonly Buffer[] | undefined;
}

/** A list as it came and as it went. */
interface Known<T> {
  readonly came: Around<T>;
  /** Null when nothing was cut. */
  readonly went: Around<T> | null;
}

/** Lists of one server that are remembered for the same rights: tools, prompts, resources, or pages of them. */
const listsPerServer = 8;
/** A short list costs less to cut than to look up, a long one takes too much room. */
const [leastLength, mostLength] = [256, 1 << 20];
/** Makes an empty memory that holds `room` characters, and as many bytes, at most. */
export function createListMemory(room = 16 << 20): ListMemory {
  const numbers = new WeakMap<object, number>();
  let last = 0;
  const numberOf = (rights: object): number => {
    const known = numbers.get(rights);
    if (known !== undefined) return known;
    last += 1;
    numbers.set(rights, last);
    return last;
  };
  const whole = cutter(bytes, numberOf, room);
  return {
    cut: cutter(texts, numberOf, room).cut,
    cutBytes: whole.cut,
    recall(rights, server, pieces, size, rules) {
      if (size < leastLength || size > mostLength) return undefined;
      for (const { came, went } of whole.knownFor(rights, server, rules)) {
        const id = idInPieces(pieces, size, came);
        if (id !== undefined) return went === null ? pieces : [went[0], Buffer.from(id, 'latin1'), went[1]];
      }
      return undefined;
    },
  };
}

function cutter<T extends string | Buffer>(
  form: Form<T>,
  numberOf: (rights: object) => number,
  room: number,
) {
  const kept = new LRUCache<string, readonly Known<T>[]>({
    maxSize: room,
    sizeCalculation: (lists) => lists.reduce((sum, list) => sum + sizeOf(list), 1),
  });
  const prunedBy = (rules: ListRules, list: T): T | undefined => {
    const cut = prune(form.text(list), rules);
    return cut === undefined ? undefined : form.from(cut);
  };
  // The same list is cut otherwise where other lists were asked for.
  const keyOf = (rights: object, server: string, rules: ListRules): string =>
    `${numberOf(rights)} ${[...rules.keys()].join()} ${server}`;
  const knownFor = (rights: object, server: string, rules: ListRules): readonly Known<T>[] =>
    kept.get(keyOf(rights, server, rules)) ?? [];
  const cut = (rights: object, server: string, list: T, rules: ListRules): T | undefined => {
    if (list.length < leastLength || list.length > mostLength) return prunedBy(rules, list);
    const lists = knownFor(rights, server, rules);
    for (const { came, went } of lists) {
      const id = form.idBetween(list, came);
      if (id !== undefined) return went === null ? undefined : form.joined(went, id);
    }
    const pruned = prunedBy(rules, list);
    const known = knownOf(form, list, pruned);
    if (known) kept.set(keyOf(rights, server, rules), [known, ...lists.slice(0, listsPerServer - 1)]);
    return pruned;
  };
  return { cut, knownFor };
}

function knownOf<T>(form: Form<T>, list: T, cut: T | undefined): Known<T> | undefined {
  const came = aroundId(form, list);
  const went = cut === undefined ? null : aroundId(form, cut);
  return came && went !== undefined ? { came, went } : undefined;
}

function sizeOf<T extends string | Buffer>({ came, went }: Known<T>): number {
  return [...came, ...(went ?? [])].reduce((sum, part) => sum + part.length, 0);
}
