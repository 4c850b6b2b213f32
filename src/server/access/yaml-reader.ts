import { type Document, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { type ScopeFileFault, ScopesFault } from './scopes-fault.ts';
import { type NoteFault, type Place, placeOf, valuesOf, type YamlValues } from './yaml-values.ts';

/** Reads a YAML file and collects every fault with its place, so that all are told at once. */
export interface YamlReader extends YamlValues {
  readonly root: Place;
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
  let root: Place = { node: null, offset: 0 };
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
