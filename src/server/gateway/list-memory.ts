import { LRUCache } from 'lru-cache';
import { afterValue, eachMember, valueAt } from './json-text.ts';
import { type ListRules, prune } from './prune.ts';

/** Cuts lists as `prune` does, and remembers what came of it: the same list for the same rights is not cut again. */
export interface ListMemory {
  /** `rights` is one object for all callers who may do the same, and another once that changes. */
  cut(rights: object, server: string, text: string, rules: ListRules): string | undefined;
}

/** A list as it came and as it went: both around the message's id, which differs from call to call. */
interface Known {
  readonly came: readonly [before: string, behind: string];
  /** Null when nothing was cut. */
  readonly went: readonly [before: string, behind: string] | null;
}

/** Lists of one server that are remembered for the same rights: tools, prompts, resources, or pages of them. */
const listsPerServer = 8;
/** A short list costs less to cut than to look up, a long one takes too much room. */
const [leastLength, mostLength] = [256, 1 << 20];
/** Ids that stand for themselves in JSON, whatever is around them. */
const plainId = /^(?:-?(?:0|[1-9]\d{0,19})|"[\w.:/-]{0,200}")$/;

/** Makes an empty memory that holds `room` characters at most. */
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
  const kept = new LRUCache<string, readonly Known[]>({
    maxSize: room,
    sizeCalculation: (lists) => lists.reduce((sum, list) => sum + sizeOf(list), 1),
  });
  return {
    cut(rights, server, text, rules) {
      if (text.length < leastLength || text.length > mostLength) return prune(text, rules);
      // The same text is cut otherwise where other lists were asked for.
      const key = `${numberOf(rights)} ${[...rules.keys()].join()} ${server}`;
      const lists = kept.get(key) ?? [];
      for (const { came, went } of lists) {
        const id = idBetween(text, came);
        if (id !== undefined) return went === null ? undefined : went[0] + id + went[1];
      }
      const cut = prune(text, rules);
      const known = knownOf(text, cut);
      if (known) kept.set(key, [known, ...lists.slice(0, listsPerServer - 1)]);
      return cut;
    },
  };
}

function idBetween(text: string, [before, behind]: Known['came']): string | undefined {
  const end = text.length - behind.length;
  if (end <= before.length || !text.endsWith(behind) || !text.startsWith(before)) return undefined;
  const id = text.slice(before.length, end);
  return plainId.test(id) ? id : undefined;
}

function knownOf(text: string, cut: string | undefined): Known | undefined {
  const came = aroundId(text);
  const went = cut === undefined ? null : aroundId(cut);
  return came && went !== undefined ? { came, went } : undefined;
}

/** The text before and behind the one `id` of a message; undefined where there is none, or one that is not plain. */
function aroundId(text: string): [before: string, behind: string] | undefined {
  const start = valueAt(text, 0);
  if (text.charAt(start) !== '{') return undefined;
  const ids: [number, number][] = [];
  eachMember(text, start, (key, at) => {
    const end = afterValue(text, at);
    if (key === 'id') ids.push([at, end]);
    return end;
  });
  const [id] = ids;
  if (!id || ids.length > 1 || !plainId.test(text.slice(...id))) return undefined;
  return [text.slice(0, id[0]), text.slice(id[1])];
}

function sizeOf({ came, went }: Known): number {
  return [...came, ...(went ?? [])].reduce((sum, part) => sum + part.length, 0);
}
