/**
 * The text of a file that somebody wrote: editors and shells of Windows put a byte order mark in front, or write UTF-16
 * (PowerShell 5 does by `>`), which a reader of UTF-8 takes for part of the first name.
 */
export function textOfFile(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  // A decoder drops the mark of its own encoding.
  return new TextDecoder(encoding).decode(bytes);
}
