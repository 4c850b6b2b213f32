import { afterValue, eachElement, eachMember, valueAt } from './json-text.ts';

/*
 * The bytes that were decided on are forwarded as they came, so another parser must not read another call in them.
 * JSON.parse takes the last of two members with one name, others the first; Go's encoding/json also takes names that
 * differ only in case, with the folding of Unicode (the long s and the Kelvin sign included).
 */
const messageMembers = folded('jsonrpc', 'id', 'method', 'params', 'result', 'error');
const paramsMembers = folded('name', 'uri', 'taskId', '_meta', 'arguments', 'ref', 'notifications');
/** What is decisive inside members of the params; other parsers fold these names whatever the method. */
const innerMembers: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  _meta: folded('io.modelcontextprotocol/protocolVersion'),
  ref: folded('type', 'name', 'uri'),
  notifications: folded('resourceSubscriptions'),
};
const namedMethods = /^(?:tools\/call|prompts\/get|resources\/|tasks\/|completion\/|subscriptions\/)/;

function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}

function folded(...names: string[]): ReadonlyMap<string, string> {
  return new Map(names.map((name) => [fold(name), name]));
}

/**
 * The first member by which parsers could disagree about what a message asks for: given twice, or spelt in another
 * case. Looks at the message, its `params` and what is decisive inside them, in each element of a batch; `text` is valid JSON.
 */
export function ambiguousMember(text: string): string | undefined {
  const start = valueAt(text, 0);
  if (text.charAt(start) === '{') return inMessage(text, start).found;
  let found: string | undefined;
  if (text.charAt(start) !== '[') return undefined;
  eachElement(text, start, (at) => {
    if (text.charAt(at) !== '{') return afterValue(text, at);
    const element = inMessage(text, at);
    found ??= element.found;
    return element.end;
  });
  return found;
}

interface Search {
  readonly end: number;
  readonly found: string | undefined;
}

function inMessage(text: string, at: number): Search {
  let method = '';
  let params: { folded?: string | undefined; found?: string | undefined } = {};
  const search = inObject(text, at, messageMembers, (key, value) => {
    if (key === 'method') {
      const end = afterValue(text, value);
      method = text.slice(value + 1, end - 1).replaceAll('\\/', '/');
      return end;
    }
    if (key !== 'params' || text.charAt(value) !== '{') return afterValue(text, value);
    const inside = inParams(text, value);
    params = inside;
    return inside.end;
  });
  const byCase = namedMethods.test(method) || method.includes('\\') ? params.folded : undefined;
  return { end: search.end, found: search.found ?? search.folded ?? params.found ?? byCase };
}

function inParams(text: string, at: number): Search & { folded: string | undefined } {
  let inner: string | undefined;
  const search = inObject(text, at, paramsMembers, (key, value) => {
    const members = Object.hasOwn(innerMembers, key) ? innerMembers[key] : undefined;
    if (!members || text.charAt(value) !== '{') return afterValue(text, value);
    const inside = inObject(text, value, members, (_, item) => afterValue(text, item));
    inner ??= inside.found ?? inside.folded;
    return inside.end;
  });
  return { ...search, found: search.found ?? inner };
}

function inObject(
  text: string,
  at: number,
  decisive: ReadonlyMap<string, string>,
  visit: (key: string, at: number) => number,
): Search & { folded: string | undefined } {
  const seen = new Set<string>();
  let found: string | undefined;
  let otherCase: string | undefined;
  const end = eachMember(text, at, (key, value) => {
    if (seen.has(key)) found ??= key;
    seen.add(key);
    const exact = decisive.get(fold(key));
    if (exact !== undefined && exact !== key) otherCase ??= key;
    return visit(key, value);
  });
  return { end, found, folded: otherCase };
}
