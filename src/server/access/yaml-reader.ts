import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import type { FileEntry, FileReader } from './reader.ts';

/** One fault of a scope file: where it is (both counted from 1) and what is wrong, with the remedy. */
export interface ScopeFileFault {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** How many faults the message spells out; `faults` holds them all. */
const shown = 25;

/** A scope file that cannot be used; `faults` is never empty and in the order of the file. */
export class ScopesFault extends Error {
  readonly file: string;
  readonly faults: readonly ScopeFileFault[];
  constructor(file: string, faults: readonly ScopeFileFault[]) {
    const inOrder = faults.toSorted((a, b) => a.line - b.line || a.column - b.column);
    const lines = inOrder
      .slice(0, shown)
      .map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`);
    if (inOrder.length > shown) lines.push(`and ${inOrder.length - shown} more`);
    super(lines.join('\n'));
    this.name = 'ScopesFault';
    this.file = file;
    this.faults = inOrder;
  }
}

/** A value of the file: its node, and the offset in the text where the file says it. */
export interface YamlPlace {
  readonly node: Node | null;
  readonly offset: number;
}

/** Notes a fault at a place of the text. */
export type NoteFault = (at: { readonly offset: number }, message: string) => void;

/** Typed looks at the values of a YAML file; what is not as asked for is noted as a fault. */
export type YamlValues = Omit<FileReader<YamlPlace>, 'fault'>;

/** What looking at values needs of the file. */
export interface Reading {
  readonly anchors: ReadonlyMap<string, Node>;
  readonly lines: LineCounter;
  readonly fault: NoteFault;
  /** Counts values, so that aliases cannot multiply them without end. */
  readonly spend: (values: number) => void;
}

/** Looks at values through `reading`. */
function valuesOf(reading: Reading): YamlValues {
  const { anchors, fault, spend } = reading;
  const resolve = (place: YamlPlace): Node | null => {
    if (!isAlias(place.node)) return place.node;
    const target = anchors.get(place.node.source);
    return target && placeOf(target, 0).offset < place.offset ? target : place.node;
  };
  const peek = (place: YamlPlace): string | undefined => {
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
function placeOf(node: unknown, fallback: number): YamlPlace {
  const known = node as Node | null;
  return { node: known, offset: known?.range?.[0] ?? fallback };
}

function entriesOf(
  pairs: readonly { readonly key: unknown; readonly value: unknown }[],
  place: YamlPlace,
  { lines, fault }: Reading,
): FileEntry<YamlPlace>[] {
  const seen = new Map<string, number>();
  const entries: FileEntry<YamlPlace>[] = [];
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

/** Reads a YAML file and collects every fault with its place, so that all are told at once. */
export interface YamlReader extends YamlValues {
  readonly root: YamlPlace;
  readonly fault: NoteFault;
  /** Throws a ScopesFault when any fault was noted. */
  finish(): void;
}

/** The largest file that is read, in characters. */
const maxLength = 1 << 20;
/** How many values a file may spell out; only aliases to aliases ask for more than a text of that size holds. */
const maxValues = 1 << 20;

/** Opens a YAML text; throws a ScopesFault with every fault of its syntax. */
export function readYaml(text: string, file: string): YamlReader {
  const lines = new LineCounter();
  const faults: ScopeFileFault[] = [];
  const fault: NoteFault = (at, message) => {
    const { line, col } = lines.linePos(at.offset);
    faults.push({ line: Math.max(1, line), column: Math.max(1, col), message: oneLine(message) });
  };
  const finish = (): void => {
    if (faults.length > 0) throw new ScopesFault(file, faults);
  };
  const refuse = (message: string): never => {
    throw new ScopesFault(file, [{ line: 1, column: 1, message }]);
  };
  if (text.length > maxLength) refuse('the file is larger than 1 MiB');
  let root: YamlPlace = { node: null, offset: 0 };
  let anchors = new Map<string, Node>();
  try {
    const document = parse(text, lines);
    for (const { pos, message } of [...document.errors, ...document.warnings])
      fault({ offset: pos[0] }, message);
    if (faults.length === 0) anchors = anchorsOf(document, fault);
    root = placeOf(document.contents, 0);
  } catch (error) {
    // The parser recurses: a few hundred levels of nesting exhaust the stack here or there.
    refuse(`the file cannot be read as YAML (${error instanceof Error ? error.message : 'unknown error'})`);
  }
  if (faults.length === 0 && !root.node) fault({ offset: 0 }, 'the file is empty');
  finish();
  const spend = budget(() => refuse('the file spells out too many values; use fewer aliases'));
  return { root, fault, finish, ...valuesOf({ anchors, lines, fault, spend }) };
}

function parse(text: string, lines: LineCounter): Document.Parsed {
  // Keys are compared in entries(): the parser's own comparison takes time quadratic in the number of keys.
  return parseDocument(text, {
    uniqueKeys: false,
    stringKeys: true,
    prettyErrors: false,
    lineCounter: lines,
  });
}

/** Nodes by anchor, found in one walk: the parser's own look-up walks the whole file for each alias. */
function anchorsOf(document: Document.Parsed, fault: NoteFault): Map<string, Node> {
  const anchors = new Map<string, Node>();
  visit(document, {
    Value(_key, node) {
      if (!node.anchor) return;
      if (anchors.has(node.anchor))
        fault(placeOf(node, 0), `the anchor '&${node.anchor}' is defined twice; give this one another name`);
      else anchors.set(node.anchor, node);
    },
  });
  return anchors;
}

function budget(refuse: () => never): (values: number) => void {
  let left = maxValues;
  return (values) => {
    left -= values;
    if (left < 0) refuse();
  };
}

/** Messages quote the file: neither line breaks nor endless texts may get into the log by that. */
function oneLine(message: string): string {
  const flat = message.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
  return flat.length > 400 ? `${flat.slice(0, 400)}...` : flat;
}
