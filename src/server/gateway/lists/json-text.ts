/*
 * Walks over the text of a JSON value without building it: to see what JSON.parse hides (a member named twice) and to
 * cut elements out while every other byte stays as it was. The text must be valid JSON from `at` on; on anything else
 * the walk still ends, with an answer that means nothing.
 */

const quote = 0x22;
const backslash = 0x5c;

function afterSpace(text: string, at: number): number {
  for (; ; at += 1) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
  }
}

function isEscaped(text: string, at: number): boolean {
  let before = at - 1;
  while (text.charCodeAt(before) === backslash) before -= 1;
  return (at - before) % 2 === 0;
}

function afterString(text: string, at: number): number {
  let end = at;
  do {
    end = text.indexOf('"', end + 1);
    if (end === -1) return text.length;
  } while (isEscaped(text, end));
  return end + 1;
}

function afterNested(text: string, at: number): number {
  let depth = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = afterString(text, at);
      continue;
    }
    if (code === 0x7b || code === 0x5b) depth += 1;
    else if (code === 0x7d || code === 0x5d) depth -= 1;
    at += 1;
    if (depth === 0) return at;
  }
  return at;
}

/** The index behind the value that begins at `at`. */
export function afterValue(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code === quote) return afterString(text, at);
  if (code === 0x7b || code === 0x5b) return afterNested(text, at);
  let end = at + 1;
  while (end < text.length && !',}] \n\r\t'.includes(text.charAt(end))) end += 1;
  return end;
}

/** The index of the value itself when white space may precede it. */
export function valueAt(text: string, at: number): number {
  return afterSpace(text, at);
}

function keyOf(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end - 1);
  if (!raw.includes('\\')) return raw;
  try {
    return String(JSON.parse(`"${raw}"`));
  } catch {
    return raw;
  }
}

/**
 * Visits the members of the object at `at` in order, a name given twice twice; `visit` gets the unescaped name and
 * where its value begins, and gives back the index behind the value. Answers the index behind the object.
 */
export function eachMember(text: string, at: number, visit: (key: string, at: number) => number): number {
  at = afterSpace(text, at + 1);
  while (text.charCodeAt(at) === quote) {
    const end = afterString(text, at);
    const colon = afterSpace(text, end);
    at = afterSpace(text, visit(keyOf(text, at, end), afterSpace(text, colon + 1)));
    if (text.charAt(at) !== ',') break;
    at = afterSpace(text, at + 1);
  }
  return at + 1;
}
