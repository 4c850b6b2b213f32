/** Whether every word of `query` occurs in one of the texts or tags; `#word` must be a whole tag. Case does not matter. */
export function mentions(query: string, texts: readonly string[], tagged: readonly string[]): boolean {
  const tags = tagged.map((tag) => tag.toLowerCase());
  const text = [...texts, ...tags].join('\n').toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '' && word !== '#')
    .every((word) => (word.startsWith('#') ? tags.includes(word.slice(1)) : text.includes(word)));
}
