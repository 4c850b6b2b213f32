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
