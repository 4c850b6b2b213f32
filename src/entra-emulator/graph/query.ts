import { badRequest, unsupportedQuery } from './failure.ts';
import { type Filter, readFilter } from './filter.ts';

/** The query options of a Graph request, read. */
export type Query = {
  select: readonly string[] | undefined;
  expand: readonly { name: string; select: readonly string[] | undefined }[];
  filter: Filter | undefined;
  search: ((object: unknown) => boolean) | undefined;
  orderby: readonly { property: string; isDescending: boolean }[];
  top: number;
  skip: number;
  wantsCount: boolean;
  /** True with `ConsistencyLevel: eventual`. */
  isEventual: boolean;
};

const known = [
  '$select',
  '$expand',
  '$filter',
  '$search',
  '$orderby',
  '$top',
  '$count',
  '$skiptoken',
  '$format',
];

/** Reads query options; throws 400 for unknown, duplicate or malformed ones and for what needs the advanced mode. */
export function readQuery(parameters: URLSearchParams, consistencyLevel: string | undefined): Query {
  const values = collect(parameters);
  const isEventual = consistencyLevel?.toLowerCase() === 'eventual';
  const wantsCount = values.get('$count') === 'true';
  const filter = values.has('$filter') ? readFilter(values.get('$filter') ?? '') : undefined;
  const query: Query = {
    select: names(values.get('$select')),
    expand: readExpand(values.get('$expand')),
    filter,
    search: values.has('$search') ? readSearch(values.get('$search') ?? '') : undefined,
    orderby: readOrder(values.get('$orderby')),
    top: readTop(values.get('$top')),
    skip: readSkip(values.get('$skiptoken')),
    wantsCount: wantsCount && isEventual,
    isEventual,
  };
  const isAdvanced = filter?.isAdvanced || (filter && query.orderby.length > 0);
  if ((isAdvanced || query.search) && !(isEventual && wantsCount)) throw needsAdvanced();
  return query;
}

/** 400 for an advanced query without its header and `$count=true`. */
export function needsAdvanced() {
  return unsupportedQuery(
    "This query needs the header 'ConsistencyLevel: eventual' and the parameter '$count=true'.",
  );
}

function collect(parameters: URLSearchParams): Map<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of parameters) {
    const option = known.find((candidate) => candidate === name || candidate === `$${name}`);
    if (!option) {
      if (name.startsWith('$')) throw badRequest(`The query parameter '${name}' is not supported.`);
      continue;
    }
    if (values.has(option)) throw badRequest(`Query option '${option}' was specified more than once.`);
    values.set(option, value);
  }
  return values;
}

function names(list: string | undefined): string[] | undefined {
  if (list === undefined) return undefined;
  const found = list.split(',').map((name) => name.trim());
  if (found.some((name) => !/^\w+$/.test(name)))
    throw badRequest("Term in '$select' is not a property name.");
  return found;
}

function readExpand(text: string | undefined): Query['expand'] {
  if (text === undefined) return [];
  return text.split(/,(?![^(]*\))/).map((part) => {
    const [, name, inner] = /^\s*(\w+)\s*(?:\((.*)\))?\s*$/.exec(part) ?? [];
    if (!name) throw badRequest("The '$expand' clause is malformed.");
    const select = /^\$select=([\w, ]+)$/.exec(inner ?? '')?.[1];
    if (inner !== undefined && !select) throw badRequest("Only '$select' is supported inside '$expand'.");
    return { name, select: names(select) };
  });
}

function readOrder(text: string | undefined): Query['orderby'] {
  if (text === undefined) return [];
  return text.split(',').map((part) => {
    const [, property, direction = 'asc'] = /^\s*(\w+)(?:\s+(asc|desc))?\s*$/i.exec(part) ?? [];
    if (!property) throw badRequest("The '$orderby' clause is malformed.");
    return { property, isDescending: direction.toLowerCase() === 'desc' };
  });
}

function readTop(text: string | undefined): number {
  if (text === undefined) return 100;
  if (!/^\d{1,9}$/.test(text) || Number(text) < 1 || Number(text) > 999)
    throw badRequest(`Invalid page size specified: '${text}'. Must be between 1 and 999 inclusive.`);
  return Number(text);
}

function readSkip(text: string | undefined): number {
  if (text === undefined) return 0;
  const [, position] = /^emulator-(\d{1,9})$/.exec(Buffer.from(text, 'base64url').toString()) ?? [];
  if (!position) throw badRequest('The skip token is not valid.');
  return Number(position);
}

/** The opaque form of a position in a list. */
export function skipToken(position: number): string {
  return Buffer.from(`emulator-${position}`).toString('base64url');
}

/** `"property:words"` parts joined by AND and OR; names match by the beginnings of their words. */
function readSearch(text: string): (object: unknown) => boolean {
  const alternatives = text.split(/\s+OR\s+/).map((part) => part.split(/\s+AND\s+/).map(readTerm));
  return (object) => alternatives.some((terms) => terms.every((term) => term(object)));
}

function readTerm(text: string): (object: unknown) => boolean {
  const [, property, words] = /^\s*"(\w+):(.+)"\s*$/s.exec(text) ?? [];
  if (!property || !words) throw badRequest(`Syntax error in '$search': ${text.slice(0, 80)}`);
  const wanted = words.toLowerCase();
  const tokenised = property === 'displayName' || property === 'description';
  return (object) => {
    const value = (object as Record<string, unknown>)[property];
    if (typeof value !== 'string') return false;
    if (!tokenised) return value.toLowerCase().startsWith(wanted);
    const have = tokens(value);
    return tokens(wanted).every((word) => have.some((token) => token.startsWith(word)));
  };
}

function tokens(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);
}
