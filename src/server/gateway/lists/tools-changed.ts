/** PHP and others write `/` in JSON strings as `\/`. */
const words = ['tools/list_changed', 'tools\\/list_changed'];
const common = Buffer.from('list_changed');
const carried = Math.max(...words.map((word) => word.length)) - 1;

/**
 * Looks for the notification `notifications/tools/list_changed` (MCP) in the bytes of a stream, cut anywhere, without
 * reading them as events: each chunk is searched once for one word. That may be wrong where a text has the same word,
 * so whoever is told has to look for himself.
 */
export class ToolsChangedSpotter {
  /** The end of what has come: what may be the beginning of the word. */
  #tail = '';

  /** Takes the next bytes; answers whether the word ends in them. */
  spots(chunk: Buffer): boolean {
    const seam = this.#tail + chunk.toString('latin1', 0, carried);
    const last = chunk.toString('latin1', Math.max(0, chunk.length - carried));
    const tail = (this.#tail + last).slice(-carried);
    // The shorter word fits in whole and would be seen twice.
    this.#tail = hasWord(tail) ? tail.slice(1) : tail;
    return hasWord(seam) || (chunk.includes(common) && words.some((word) => chunk.includes(word)));
  }
}

function hasWord(text: string): boolean {
  return words.some((word) => text.includes(word));
}
