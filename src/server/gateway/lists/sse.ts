import { Failure } from '../../failure/errors.ts';

/** Rewrites the data of one event: the new data, empty for an event that nobody gets, or undefined to leave it as it came. */
export type RewriteEvent = (type: string, data: string) => string | undefined;

/** How many times the limit is dropped of one event before its stream is broken off. */
const dropAtMost = 16;

/** How many events of ours may wait for the end of the one that is passing. */
const insertAtMost = 16;

const empty: Buffer = Buffer.alloc(0);
const comment: Buffer = Buffer.from(':');
const [lf, cr, colon] = [0x0a, 0x0d, 0x3a];

/**
 * A filter for `text/event-stream` bytes (WHATWG HTML, section 9.2.6) cut anywhere. An event is passed on when it ends;
 * its bytes stay as they came unless `rewrite` changes its data: then its data lines are replaced, and its other lines,
 * their order and their line ends stay. Lines before the first data line, comments among them, do not wait. More than
 * `limit` bytes held for one event are dropped with all of the event, and `tooLarge` says what data comes in its place;
 * without it that is a failure. While `isStrict` holds, a line that is no data passes only where no reader, however lenient, could
 * find a message in it: comments and fields that nobody knows would be left out by their readers anyway.
 */
export class EventFilter {
  readonly #limit: number;
  readonly #rewrite: RewriteEvent;
  readonly #tooLarge: (beginning: string) => string;
  readonly #isStrict: () => boolean;
  /** What comes in place of the event that is being dropped. */
  #instead: Buffer | undefined;
  /** What has come and not been passed on: the beginning of `#room`. */
  #held = 0;
  #room: Buffer = empty;
  #scanned = 0;
  #lineStart = 0;
  #afterCr = false;
  /** The length so far of the present line of an event that is being dropped. */
  #lineLength = 0;
  #dropped = 0;
  #hasData = false;
  #type = '';
  /** Still in the event, or its first line, that the stream began with, where a byte order mark may stand. */
  #atBeginning = true;
  /** A line of an event has come whose end has not; a comment is no part of an event. */
  #isInEvent = false;
  /** Events of ours for the place behind it. */
  #inserted: Buffer[] = [];

  constructor(
    limit: number,
    rewrite: RewriteEvent,
    tooLarge: (beginning: string) => string = breakOff,
    isStrict: () => boolean = () => false,
  ) {
    this.#limit = limit;
    this.#rewrite = rewrite;
    this.#tooLarge = tooLarge;
    this.#isStrict = isStrict;
  }

  /** Takes the next bytes and gives those that may pass. */
  write(chunk: Buffer): Buffer {
    if (this.#instead) {
      this.#dropped += chunk.length;
      if (this.#dropped > this.#limit * dropAtMost)
        throw new Failure('upstream_invalid', 'The server sent an event that does not end.');
      const end = this.#endOfDropped(chunk);
      if (end === undefined) return empty;
      const instead = this.#instead;
      this.#instead = undefined;
      this.#isInEvent = false;
      return Buffer.concat([instead, this.write(chunk.subarray(end))]);
    }
    const bytes = this.#held === 0 ? chunk : this.#append(chunk);
    const out: Buffer[] = [];
    let unchanged = 0;
    let passed = 0;
    for (let at = this.#scanned; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (byte !== lf && byte !== cr) {
        this.#afterCr = false;
        continue;
      }
      const endsLine = byte === cr || !this.#afterCr;
      this.#afterCr = byte === cr;
      const start = this.#lineStart;
      const changed = endsLine ? this.#endLine(bytes, passed, at) : undefined;
      this.#lineStart = at + 1;
      const leavesOut = endsLine && !this.#hasData && this.#isOdd(bytes, start, at);
      if (changed !== undefined) {
        out.push(bytes.subarray(unchanged, passed), changed);
        unchanged = at + 1;
      } else if (leavesOut) {
        // An empty comment in its place keeps the line ends around it apart.
        out.push(bytes.subarray(unchanged, start), comment);
        unchanged = at;
      }
      if (!this.#hasData) passed = at + 1;
    }
    this.#keep(bytes, passed);
    if (out.length === 0 && this.#inserted.length === 0) return bytes.subarray(0, passed);
    return Buffer.concat([...out, bytes.subarray(unchanged, passed), ...this.#takeInserted()]);
  }

  /**
   * Puts an event of ours between two of the stream's: gives what may pass at once, which is nothing in the middle of an
   * event, behind whose end it then comes. Undefined when too many wait already.
   */
  insert(data: string): Buffer | undefined {
    if (this.#inserted.length >= insertAtMost) return undefined;
    this.#inserted.push(Buffer.from(`event: message\ndata: ${data}\n\n`, 'utf8'));
    return Buffer.concat(this.#takeInserted());
  }

  #takeInserted(): Buffer[] {
    return this.#isInEvent || this.#instead ? [] : this.#inserted.splice(0);
  }

  /** The stream has ended: gives what is still held, filtered as if its event were complete. */
  end(): Buffer {
    if (this.#instead) return this.#instead;
    const rest = this.#room.subarray(0, this.#held);
    if (this.#lineStart < rest.length) this.#readLine(rest, rest.length);
    const changed = this.#hasData ? this.#change(rest) : undefined;
    this.#held = 0;
    // Without data all that is held is the last line, which has no end.
    if (!this.#hasData && this.#isOdd(rest, this.#lineStart, rest.length)) return empty;
    return changed ?? rest;
  }

  /** Notes a line that ends before `end`; at the end of an event that is to be changed, gives all of it anew. */
  #endLine(bytes: Buffer, passed: number, end: number): Buffer | undefined {
    if (end > this.#lineStart) {
      this.#readLine(bytes, end);
      return undefined;
    }
    const changed = this.#hasData ? this.#change(bytes.subarray(passed, end + 1)) : undefined;
    this.#hasData = false;
    this.#type = '';
    this.#atBeginning = false;
    this.#isInEvent = false;
    return changed;
  }

  #readLine(bytes: Buffer, end: number): void {
    if (bytes[this.#lineStart] !== colon) this.#isInEvent = true;
    const start = this.#lineStart + (this.#atBeginning && !this.#hasData ? markLength(bytes) : 0);
    if (isField(bytes, start, end, 'data')) this.#hasData = true;
    else {
      if (isField(bytes, start, end, 'event')) this.#type = fieldValue(bytes.toString('utf8', start, end), 5);
      if (!this.#hasData) this.#atBeginning = false;
    }
  }

  #change(block: Buffer): Buffer | undefined {
    const text = block.toString('utf8', this.#atBeginning ? markLength(block) : 0);
    const lines = text.split(/(?<=\n)|(?<=\r)(?!\n)/);
    const data = lines.map(dataOf);
    const odd = lines.map((line, at) => data[at] === undefined && isLineOdd(line) && this.#isStrict());
    const joined = data.filter((value) => value !== undefined).join('\n');
    const changed = this.#rewrite(this.#type, joined) ?? (odd.includes(true) ? joined : undefined);
    if (changed === undefined) return undefined;
    const first = data.findIndex((value) => value !== undefined);
    const lineEnd = /[\r\n]*$/.exec(lines[first] ?? '')?.[0] || '\n';
    // An event without data is none (WHATWG HTML, section 9.2.6); its id still counts.
    const anew = changed === '' ? [] : changed.split(/\r\n|\r|\n/).map((line) => `data: ${line}${lineEnd}`);
    const kept = lines.flatMap((line, at) => {
      if (at === first) return anew;
      if (odd[at]) return [line.replace(/^[^\r\n]*/, ':')];
      return data[at] === undefined ? [line] : [];
    });
    return Buffer.from(joinedLines(kept), 'utf8');
  }

  /** Whether a line that has passed its end, and is no data, is left out; `start` is where it begins. */
  #isOdd(bytes: Buffer, start: number, end: number): boolean {
    if (start >= end) return false;
    const mark = start === 0 && this.#atBeginning ? markLength(bytes) : 0;
    return isLineOdd(bytes.toString('latin1', start + mark, end)) && this.#isStrict();
  }

  #append(chunk: Buffer): Buffer {
    const size = this.#held + chunk.length;
    if (size > this.#room.length) {
      const room = Buffer.allocUnsafe(size * 2);
      this.#room.copy(room, 0, 0, this.#held);
      this.#room = room;
    }
    chunk.copy(this.#room, this.#held);
    this.#held = size;
    return this.#room.subarray(0, size);
  }

  /** Keeps of an event that is too large only what it is replaced with, which comes where it ends. */
  #drop(rest: Buffer, lineLength: number): void {
    this.#instead = Buffer.from(`data: ${this.#tooLarge(rest.toString('utf8', 0, 8_192))}\n\n`, 'utf8');
    this.#lineLength = lineLength;
    this.#dropped = 0;
    this.#room = empty;
    [this.#held, this.#scanned, this.#lineStart] = [0, 0, 0];
    [this.#hasData, this.#type, this.#atBeginning] = [false, '', false];
  }

  /** The index behind the empty line that ends the event that is being dropped; undefined when it is not in these bytes. */
  #endOfDropped(bytes: Buffer): number | undefined {
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (byte !== lf && byte !== cr) {
        this.#lineLength += 1;
        this.#afterCr = false;
        continue;
      }
      const endsLine = byte === cr || !this.#afterCr;
      this.#afterCr = byte === cr;
      if (!endsLine) continue;
      if (this.#lineLength === 0) return at + 1;
      this.#lineLength = 0;
    }
    return undefined;
  }

  #keep(bytes: Buffer, passed: number): void {
    const rest = bytes.subarray(passed);
    if (rest.length > this.#limit) {
      this.#drop(rest, bytes.length - this.#lineStart);
      return;
    }
    if (rest.length === 0) this.#room = empty;
    else if (passed > 0 || this.#held === 0) this.#room = Buffer.from(rest);
    this.#held = rest.length;
    this.#scanned = rest.length;
    this.#lineStart -= passed;
  }
}

function breakOff(): never {
  throw new Failure('upstream_invalid', 'An event is larger than the limit.');
}

// A field that readers know, or a comment, in ASCII and without a brace: there is no message in it, wherever it is cut.
const plainLine = /^(?:event|id|retry)?(?::[\x20-\x7a\x7c-\x7e]{0,1000})?$/;

/** Lines one after the other: what lay between a CR and an LF may be gone, and together they would be one line end. */
function joinedLines(lines: readonly string[]): string {
  let text = '';
  for (const line of lines) text += text.endsWith('\r') && line.startsWith('\n') ? `\n${line}` : line;
  return text;
}

/** Whether some reader could find in a line that is no data what it should not. */
function isLineOdd(line: string): boolean {
  return !plainLine.test(line.replace(/[\r\n]+$/, ''));
}

/** The length of the byte order mark that a stream may begin with. */
function markLength(bytes: Buffer): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

/** Whether the line is the field `name`: the name alone, or the name and a colon. */
function isField(bytes: Buffer, start: number, end: number, name: string): boolean {
  const length = name.length;
  if (end - start < length || (end - start > length && bytes[start + length] !== 0x3a)) return false;
  for (let at = 0; at < length; at += 1) if (bytes[start + at] !== name.charCodeAt(at)) return false;
  return true;
}

function fieldValue(line: string, nameLength: number): string {
  const value = line.slice(nameLength + 1);
  return value.startsWith(' ') ? value.slice(1) : value;
}

function dataOf(line: string): string | undefined {
  const text = line.replace(/[\r\n]+$/, '');
  return text === 'data' || text.startsWith('data:') ? fieldValue(text, 4) : undefined;
}

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
