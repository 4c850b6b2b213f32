import type { NameList } from './names.ts';

/** Resources that a rule grants: these URIs, and those that begin so. */
export type ResourceNames =
  | 'all'
  | { readonly exact: ReadonlySet<string>; readonly prefixes: readonly string[] };

/**
 * What is wrong with an entry for resources; undefined for a URI, and for the beginning of URIs up to a
 * slash or colon with a `*` behind it.
 */
export function faultOfResource(entry: string): string | undefined {
  if (entry.includes('{'))
    return `'${entry}' is a template; write what its URIs begin with, such as file:///docs/*`;
  const star = entry.indexOf('*');
  if (star >= 0 && (star !== entry.length - 1 || !isPrefix(entry)))
    return `'${entry}' is no URI; only the last character may be '*', behind a slash or colon, such as file:///docs/*`;
  if (star < 0 || isPlain(entry.slice(0, star))) return undefined;
  return `'${entry}' has '.', '..', '\\' or an escaped one in it; write the address without`;
}

/** Makes the entries of a rule ready; a rule without them grants every resource. */
export function compileResources(entries: NameList | undefined): ResourceNames {
  if (!entries || entries === 'all') return 'all';
  return {
    exact: new Set(entries.filter((entry) => !isPrefix(entry))),
    prefixes: entries.filter(isPrefix).map((entry) => entry.slice(0, -1)),
  };
}

/** Only behind a slash or colon: a lone `*` would begin every URI. */
function isPrefix(entry: string): boolean {
  return entry.endsWith('/*') || entry.endsWith(':*');
}

const leadsElsewhere = /\/\.{1,2}(?:[/?#]|$)|\\|%(?:25|2e|2f|5c)|[\s\p{Cc}]/iu;

/**
 * Whether no server reads a URI as one that begins otherwise. Dot segments lead out of a folder, and what is written as an
 * escape may be read before or after they are removed; parsers of URLs drop tabs and line breaks first.
 */
export function isPlain(uri: string): boolean {
  return !leadsElsewhere.test(uri);
}
