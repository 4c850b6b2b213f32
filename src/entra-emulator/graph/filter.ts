import { badRequest, unsupportedQuery } from './failure.ts';

/** A `$filter` understood: what it keeps, and whether it needs the advanced query mode. */
export type Filter = { keeps(object: unknown): boolean; isAdvanced: boolean };

type Value = string | number | boolean | null;
type Scope = { object: unknown; variables: Record<string, unknown> };
type Test = (scope: Scope) => boolean;

const token =
  /\s*(?:('(?:[^']|'')*')|(\d{4}-\d\d-\d\dT[\d:.]+Z)|([0-9a-f]{8}-[0-9a-f-]{27})|(-?\d+(?:\.\d+)?)(?![\w-])|([A-Za-z_@$][\w.@$]*(?:\/[A-Za-z_$][\w$]*)*)|([(),:]))/giy;

const deepest = 50;

/** Reads a filter; throws 400 for what is malformed or not supported on directory objects. */
export function readFilter(source: string): Filter {
  const tokens = split(source);
  const parser = { tokens, at: 0, depth: 0, isAdvanced: false };
  const test = readOr(parser);
  if (parser.at < tokens.length) throw invalid(`syntax error at '${tokens[parser.at]}'`);
  return { keeps: (object) => test({ object, variables: {} }), isAdvanced: parser.isAdvanced };
}

type Parser = { tokens: string[]; at: number; depth: number; isAdvanced: boolean };

function split(source: string): string[] {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < source.trimEnd().length) {
    const match = token.exec(source);
    if (!match) throw invalid('unrecognised text');
    tokens.push(match[0].trim());
  }
  if (tokens.length === 0) throw invalid('it is empty');
  return tokens;
}

function readOr(parser: Parser): Test {
  let left = readAnd(parser);
  while (take(parser, 'or')) {
    const [one, other] = [left, readAnd(parser)];
    left = (scope) => one(scope) || other(scope);
  }
  return left;
}

function readAnd(parser: Parser): Test {
  let left = readNot(parser);
  while (take(parser, 'and')) {
    const [one, other] = [left, readNot(parser)];
    left = (scope) => one(scope) && other(scope);
  }
  return left;
}

function readNot(parser: Parser): Test {
  if (!take(parser, 'not')) return readPrimary(parser);
  parser.isAdvanced = true;
  const test = readNot(deeper(parser));
  return (scope) => !test(scope);
}

function readPrimary(parser: Parser): Test {
  if (take(parser, '(')) {
    const test = readOr(deeper(parser));
    expect(parser, ')');
    return test;
  }
  const name = next(parser);
  if (!/^[A-Za-z_@$]/.test(name)) throw invalid(`'${name}' is not a property`);
  if (peek(parser) === '(') return name.includes('/') ? readLambda(parser, name) : readFunction(parser, name);
  return readComparison(parser, name);
}

function deeper(parser: Parser): Parser {
  parser.depth += 1;
  if (parser.depth > deepest) throw invalid('it is nested too deeply');
  return parser;
}

function readFunction(parser: Parser, name: string): Test {
  const kind = name.toLowerCase();
  if (kind === 'contains') throw unsupportedQuery("Filter operator 'Contains' is not supported.");
  if (kind !== 'startswith' && kind !== 'endswith') throw invalid(`unknown function '${name}'`);
  if (kind === 'endswith') parser.isAdvanced = true;
  expect(parser, '(');
  const path = next(parser);
  expect(parser, ',');
  const wanted = literal(next(parser));
  expect(parser, ')');
  if (typeof wanted !== 'string') throw invalid(`${name} needs a string`);
  const lower = wanted.toLowerCase();
  return (scope) => {
    const value = propertyOf(scope, path);
    if (typeof value !== 'string') return false;
    return kind === 'startswith'
      ? value.toLowerCase().startsWith(lower)
      : value.toLowerCase().endsWith(lower);
  };
}

/** `path/any(x:...)`; a bare `any()` means: is not empty. */
function readLambda(parser: Parser, name: string): Test {
  const at = name.lastIndexOf('/');
  const [path, kind] = [name.slice(0, at), name.slice(at + 1)];
  if (kind !== 'any' && kind !== 'all') throw invalid(`unknown function '${kind}'`);
  expect(parser, '(');
  if (kind === 'any' && take(parser, ')')) return (scope) => listOf(scope, path).length > 0;
  const variable = next(parser);
  expect(parser, ':');
  const test = readOr(deeper(parser));
  expect(parser, ')');
  return (scope) => {
    const items = listOf(scope, path);
    const holds = (item: unknown) => test({ ...scope, variables: { ...scope.variables, [variable]: item } });
    return kind === 'any' ? items.some(holds) : items.every(holds);
  };
}

function readComparison(parser: Parser, path: string): Test {
  const operator = next(parser).toLowerCase();
  if (operator === 'in') return readIn(parser, path);
  const compare = Object.hasOwn(comparisons, operator) ? comparisons[operator] : undefined;
  if (!compare) throw invalid(`'${operator}' is not an operator`);
  if (operator === 'ne' || path.endsWith('/$count')) parser.isAdvanced = true;
  const wanted = comparable(literal(next(parser)));
  return (scope) => compare(comparable(propertyOf(scope, path)), wanted);
}

function readIn(parser: Parser, path: string): Test {
  expect(parser, '(');
  const wanted: unknown[] = [];
  do wanted.push(comparable(literal(next(parser))));
  while (take(parser, ','));
  expect(parser, ')');
  return (scope) => wanted.includes(comparable(propertyOf(scope, path)));
}

type Comparable = string | number | boolean | null;

const comparisons: Record<string, (value: Comparable, wanted: Comparable) => boolean> = {
  eq: (value, wanted) => value === wanted,
  ne: (value, wanted) => value !== wanted,
  gt: (value, wanted) => ordered(value, wanted) && Number(value) > Number(wanted),
  ge: (value, wanted) => ordered(value, wanted) && Number(value) >= Number(wanted),
  lt: (value, wanted) => ordered(value, wanted) && Number(value) < Number(wanted),
  le: (value, wanted) => ordered(value, wanted) && Number(value) <= Number(wanted),
};

function ordered(value: Comparable, wanted: Comparable): boolean {
  return typeof value === 'number' && typeof wanted === 'number';
}

/** Text compares without regard to case, dates by their time. */
function comparable(value: unknown): Comparable {
  if (typeof value === 'string')
    return /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value))
      ? Date.parse(value)
      : value.toLowerCase();
  return typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

function literal(text: string): Value {
  if (text.startsWith("'")) return text.slice(1, -1).replaceAll("''", "'");
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === 'null') return null;
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (/^\d{4}-\d\d-\d\dT/.test(text) || /^[0-9a-f]{8}-/i.test(text)) return text;
  throw invalid(`'${text}' is not a value`);
}

function propertyOf({ object, variables }: Scope, path: string): unknown {
  const [head = '', ...rest] = path.split('/');
  let value: unknown = head in variables ? variables[head] : read(object, head);
  for (const part of rest)
    value = part === '$count' && Array.isArray(value) ? value.length : read(value, part);
  return value;
}

function listOf(scope: Scope, path: string): unknown[] {
  const value = propertyOf(scope, path);
  return Array.isArray(value) ? value : [];
}

function read(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function peek(parser: Parser): string | undefined {
  return parser.tokens[parser.at];
}

function next(parser: Parser): string {
  const found = parser.tokens[parser.at];
  if (found === undefined) throw invalid('it ends too early');
  parser.at += 1;
  return found;
}

function take(parser: Parser, word: string): boolean {
  if (peek(parser)?.toLowerCase() !== word) return false;
  parser.at += 1;
  return true;
}

function expect(parser: Parser, word: string): void {
  if (!take(parser, word)) throw invalid(`'${word}' expected`);
}

function invalid(reason: string) {
  return badRequest(`Invalid filter clause: ${reason}.`);
}
