// Names, descriptions, addresses and messages come from strangers: nothing in them may move the cursor, colour the screen,
// turn text around or pass for a line of ours, in a terminal or in a log. The one place that sees to it.

// Controls (C0, DEL, C1), line separators, and the marks that reorder or hide text: bidirectional controls, zero-width
// characters (but not the joiners that some scripts and emoji need), the soft hyphen, tags and interlinear marks.
const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose.
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;
const segments = new Intl.Segmenter();

/** One line of text that a terminal only displays: every control or reordering character appears as its escape. */
export function plainLine(text: string): string {
  return text
    .replaceAll('\t', ' ')
    .replace(unsafe, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** As `plainLine`, but lines stay lines; those after the first are indented, so that none passes for one of ours. */
export function plainText(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => plainLine(line))
    .join('\n  ');
}

/** Whether something in a text of several lines is not seen or turns the rest around, so that it says other than it shows. */
export function hasHidden(text: string): boolean {
  return text.replace(/[\t\n]/g, '').search(unsafe) >= 0;
}

/** Valid JSON, indented, with the same characters escaped as `plainLine` does. */
export function plainJson(value: unknown): string {
  return (JSON.stringify(value, null, 2) ?? 'null').split('\n').map(plainJsonLine).join('\n');
}

/** A line of JSON with the same characters escaped; it means the same. */
export function plainJsonLine(line: string): string {
  return line.replace(unsafe, (character) => character.split('').map(jsonEscape).join(''));
}

function jsonEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** How many columns of a terminal the text takes. */
export function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segments.segment(text)) width += wide.test(segment) ? 2 : 1;
  return width;
}

/** The text cut to `room` columns, with an ellipsis when something is missing. */
export function clip(text: string, room: number): string {
  if (widthOf(text) <= room) return text;
  let [kept, width] = ['', 0];
  for (const { segment } of segments.segment(text)) {
    width += widthOf(segment);
    if (width > room - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}
