import { isAlias, isMap, isScalar, isSeq, type LineCounter, type Node } from 'yaml';
import type { Entry, Reader } from './reader.ts';

/** A value of the file: its node, and the offset in the text where the file says it. */
export interface Place {
  readonly node: Node | null;
  readonly offset: number;
}

/** Notes a fault at a place of the text. */
export type NoteFault = (at: { readonly offset: number }, message: string) => void;

/** Typed looks at the values of a YAML file; what is not as asked for is noted as a fault. */
export type YamlValues = Omit<Reader<Place>, 'fault'>;

/** What looking at values needs of the file. */
export interface Reading {
  readonly anchors: ReadonlyMap<string, Node>;
  readonly lines: LineCounter;
  readonly fault: NoteFault;
  /** Counts values, so that aliases cannot multiply them without end. */
  readonly spend: (values: number) => void;
}

/** Looks at values through `reading`. */
export function valuesOf(reading: Reading): YamlValues {
  const { anchors, fault, spend } = reading;
  const resolve = (place: Place): Node | null => {
    if (!isAlias(place.node)) return place.node;
    const target = anchors.get(place.node.source);
    return target && placeOf(target, 0).offset < place.offset ? target : place.node;
  };
  const peek = (place: Place): string | undefined => {
    const node = resolve(place);
    return isScalar(node) && typeof node.value === 'string' ? node.value : undefined;
  };
  return {
    peek,
    has(place, key) {
      const node = resolve(place);
      return isMap(node) && node.has(key);
    },
    entries(place, what) {
      const node = resolve(place);
      if (!isMap(node)) {
        fault(place, `${what} must be a mapping (name: value), not ${kindOf(node)}`);
        return undefined;
      }
      spend(node.items.length);
      return entriesOf(node.items, place, reading);
    },
    items(place, what) {
      const node = resolve(place);
      if (!isSeq(node)) {
        fault(place, `${what} must be a list, not ${kindOf(node)}`);
        return [];
      }
      spend(node.items.length);
      return node.items.map((item) => placeOf(item, place.offset));
    },
    text(place, what) {
      const text = peek(place);
      if (text === undefined) fault(place, `${what} must be a text, not ${kindOf(resolve(place))}`);
      else if (text.trim() === '') fault(place, `${what} is empty`);
      else return text;
      return undefined;
    },
  };
}

/** The place of a node; for one that the text leaves out, the offset given. */
export function placeOf(node: unknown, fallback: number): Place {
  const known = node as Node | null;
  return { node: known, offset: known?.range?.[0] ?? fallback };
}

function entriesOf(
  pairs: readonly { readonly key: unknown; readonly value: unknown }[],
  place: Place,
  { lines, fault }: Reading,
): Entry<Place>[] {
  const seen = new Map<string, number>();
  const entries: Entry<Place>[] = [];
  for (const pair of pairs) {
    const { node, offset } = placeOf(pair.key, place.offset);
    const key = isScalar(node) && typeof node.value === 'string' ? node.value : '';
    const first = seen.get(key);
    if (key.trim() === '') fault({ offset }, 'a name before the colon must be a text that is not empty');
    else if (first !== undefined)
      fault({ offset }, `'${key}' is here twice; the first is in line ${lines.linePos(first).line}`);
    else {
      seen.set(key, offset);
      entries.push({ key, at: { node: null, offset }, value: placeOf(pair.value, offset) });
    }
  }
  return entries;
}

function kindOf(node: Node | null): string {
  if (isMap(node)) return 'a mapping';
  if (isSeq(node)) return 'a list';
  if (isAlias(node)) return `the unknown alias '*${node.source}'`;
  if (!isScalar(node) || node.value === null) return 'nothing';
  if (typeof node.value === 'string') return `the text '${node.value}'`;
  return `the ${typeof node.value} ${String(node.value)} without quotes`;
}
