import { faultOfName, type NameList } from './names.ts';

/** A named value of a mapping. */
export interface FileEntry<P> {
  readonly key: string;
  /** Where the name stands. */
  readonly at: P;
  readonly value: P;
}

/**
 * Typed looks at the values of a document, whatever it is written in; `P` is a place in it. What is not as asked for is
 * noted as a fault, and reading goes on, so that all faults are told at once.
 */
export interface FileReader<P> {
  /** The entries of a mapping, each key once and not empty; anything else is a fault. */
  entries(place: P, what: string): FileEntry<P>[] | undefined;
  /** The items of a list; anything else is a fault and reads as none. */
  items(place: P, what: string): P[];
  /** A text that is not empty; anything else is a fault. */
  text(place: P, what: string): string | undefined;
  /** The text that a place holds, if it holds one; notes no fault. */
  peek(place: P): string | undefined;
  /** Whether a place holds a mapping with that key; notes no fault. */
  has(place: P, key: string): boolean;
  /** Notes a fault. */
  fault(at: P, message: string): void;
}

/** The members of one rule, by name. */
export type FileMembers<P> = ReadonlyMap<string, FileEntry<P>>;

/** Reads a mapping whose keys are all `known`; any other key is a fault, since it may be a known one misspelt. */
export function readMembers<P>(
  reader: FileReader<P>,
  place: P,
  what: string,
  known: readonly string[],
): FileMembers<P> | undefined {
  const entries = reader.entries(place, what);
  for (const entry of entries ?? [])
    if (!known.includes(entry.key))
      reader.fault(entry.at, `${what} has '${entry.key}'; it may have: ${known.join(', ')}`);
  return entries && new Map(entries.map((entry) => [entry.key, entry]));
}

/** The value of a member that must be there. */
export function required<P>(
  reader: FileReader<P>,
  place: P,
  members: FileMembers<P>,
  name: string,
): P | undefined {
  const entry = members.get(name);
  if (!entry) reader.fault(place, `'${name}' is missing`);
  return entry?.value;
}

/**
 * A list of names, in which `all` and `*` stand for every one, as the text `*` alone does; any other text is a fault, and so
 * is an entry that only looks like the wildcard.
 */
export function readNames<P>(reader: FileReader<P>, place: P | undefined, what: string): NameList {
  if (place === undefined) return [];
  const text = reader.peek(place);
  if (text === '*') return 'all';
  if (text !== undefined) {
    reader.fault(place, `${what} must be a list; write [${text}]`);
    return [];
  }
  let every = false;
  const names: string[] = [];
  for (const item of reader.items(place, what)) {
    const name = reader.text(item, `an entry of ${what}`);
    if (name === undefined) continue;
    if (name === '*' || name === 'all') every = true;
    else {
      const fault = faultOfName(name, 'all');
      if (fault) reader.fault(item, fault);
      names.push(name);
    }
  }
  return every ? 'all' : names;
}
