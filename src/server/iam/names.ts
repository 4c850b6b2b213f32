import { Failure } from '../failure/errors.ts';

/** As long as names in a directory are at most; a longer one is of nothing. */
const longest = 256;

/** Whether a text can only be an id (a GUID), never a name that is looked for. */
export function isId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/** Whether anything could have the name at all: it has no control characters and is not too long. */
export function isName(text: string): boolean {
  return text.length > 0 && text.length <= longest && !/\p{Cc}/u.test(text);
}

/**
 * The one among `found` that has exactly this name, else the only one whose name differs in case alone (directories
 * compare so). Several are a `conflict` that lists them with their ids; what a directory takes for the same name beyond
 * case is not.
 */
export function theOne<T extends { readonly id: string }>(
  found: readonly T[],
  name: string,
  nameOf: (one: T) => string | null | undefined,
): T | undefined {
  const same = found.filter((one) => nameOf(one)?.toLowerCase() === name.toLowerCase());
  const exact = same.filter((one) => nameOf(one) === name);
  const candidates = exact.length > 0 ? exact : same;
  if (candidates.length <= 1) return candidates[0];
  const list = candidates.map((one) => `'${nameOf(one)}' (${one.id})`).join(', ');
  throw new Failure('conflict', `The name '${name}' is not unique in the directory: ${list}. Give the id.`);
}
