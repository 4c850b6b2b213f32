// Valid JSON consists of strings, punctuation and other words; the gaps between them are white space.
const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/gs;

/**
 * The text of a member of the object that a valid JSON text is, exactly as it stands there; undefined when it has no such
 * member. Of several with one name it is the last, as it is for `JSON.parse`.
 */
export function memberText(json: string, name: string): string | undefined {
  let depth = 0;
  let found: string | undefined;
  let key: string | undefined;
  let start = -1;
  let previous = '';
  let end = 0;
  for (const { 0: token, index } of json.matchAll(tokens)) {
    const closes = token === '}' || token === ']';
    if (depth === 1 && (token === ',' || closes)) {
      if (key === name && start >= 0) found = json.slice(start, end);
      [key, start] = [undefined, -1];
    } else if (depth === 1 && token === ':' && key === undefined) key = JSON.parse(previous) as string;
    else if (depth === 1 && key !== undefined && start < 0) start = index;
    if (closes) depth -= 1;
    else if (token === '{' || token === '[') depth += 1;
    previous = token;
    end = index + token.length;
  }
  return found;
}
