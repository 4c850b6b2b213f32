/** The text without the slashes at its end; takes linear time, where a regular expression would not. */
export function withoutEndSlashes(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 47) end -= 1;
  return text.slice(0, end);
}

/** The text without the slashes at both ends, in linear time. */
export function trimSlashes(text: string): string {
  const short = withoutEndSlashes(text);
  let start = 0;
  while (start < short.length && short.charCodeAt(start) === 47) start += 1;
  return short.slice(start);
}

/** Letters that nobody sees: formats, controls and blanks. */
const unseen = /[\p{Cf}\p{Cc}\p{Z}]/gu;

/**
 * Whether a text would be taken for the wildcard (`all`, `*`) by some reader: in another case, behind slashes, escaped with
 * percent signs, in full width, with characters that nobody sees. Nothing may be registered by such a name, and scopes take
 * none for a name, so that naming one thing can never mean every thing.
 */
export function looksLikeEvery(text: string): boolean {
  let plain = text.slice(0, 400);
  // Twice escaped is unescaped twice by a proxy and a server.
  for (let round = 0; round < 3 && plain.includes('%'); round++)
    plain = plain.replace(/%([0-9a-f]{2})/gi, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    );
  const bare = trimSlashes(
    plain.normalize('NFKC').replaceAll(unseen, '').replaceAll('\\', '/'),
  ).toLowerCase();
  return bare === 'all' || /^\*+$/.test(bare);
}
