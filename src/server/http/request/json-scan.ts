/** Why a text is not taken: it is not JSON (RFC 8259), or it goes beyond a limit. */
export class JsonRefusal extends Error {
  readonly why: 'syntax' | 'depth' | 'members';
  constructor(why: JsonRefusal['why'], message: string) {
    super(message);
    this.why = why;
  }
}

/** How deep a text may be nested, and how many members its objects may have together. */
export interface JsonLimits {
  readonly depth: number;
  readonly members: number;
}

/** What suits messages and definitions: far more than real ones need, far less than what holds up a process. */
export const usualJson: JsonLimits = { depth: 128, members: 100_000 };

const quote = 0x22;
const backslash = 0x5c;
const [comma, colon, openBrace, closeBrace, openBracket, closeBracket] = [0x2c, 0x3a, 0x7b, 0x7d, 0x5b, 0x5d];
const shortEscapes = new Set([...'"\\/bfnrt'].map((char) => char.charCodeAt(0)));
/** A run of characters that mean nothing to a string; long ones are skipped by compiled code. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what a JSON string may not hold
const plain = /[^"\\\u0000-\u001f]*/y;
const shortRun = 64;

/**
 * Walks once over a JSON text and builds nothing: checks its grammar, strictly as JSON.parse does, and its limits, and visits the members that
 * somebody asks for. The cost is linear in the length, whatever the text holds. Fails with a `JsonRefusal`.
 */
export class JsonScan {
  readonly text: string;
  readonly #limits: JsonLimits;
  #members = 0;

  constructor(text: string, limits: JsonLimits) {
    this.text = text;
    this.#limits = limits;
  }

  /** The index of the next character that is not white space. */
  space(at: number): number {
    const { text } = this;
    for (; ; at += 1) {
      const code = text.charCodeAt(at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
    }
  }

  /** Checks the value at `at`, which no white space precedes; returns the index behind it. */
  value(at: number, depth: number): number {
    const code = this.text.charCodeAt(at);
    if (code === quote) return this.string(at);
    if (code === openBrace) return this.object(at, depth);
    if (code === openBracket) return this.array(at, depth);
    if (code === 0x74) return this.#literal(at, 'true');
    if (code === 0x66) return this.#literal(at, 'false');
    if (code === 0x6e) return this.#literal(at, 'null');
    return this.#number(at);
  }

  /**
   * Checks the object at `at`. `visit` gets the name of each member, unescaped, and where its value begins, and returns
   * the index behind the value, which it has to check; without it, all values are checked here.
   */
  object(at: number, depth: number, visit?: (name: string, at: number) => number): number {
    this.#deeper(depth);
    at = this.space(at + 1);
    if (this.text.charCodeAt(at) === closeBrace) return at + 1;
    for (;;) {
      if (this.text.charCodeAt(at) !== quote) throw this.#syntax(at);
      this.#members += 1;
      if (this.#members > this.#limits.members)
        throw new JsonRefusal('members', `The JSON has more than ${this.#limits.members} members.`);
      const end = this.string(at);
      const mark = this.space(end);
      if (this.text.charCodeAt(mark) !== colon) throw this.#syntax(mark);
      const start = this.space(mark + 1);
      at = this.space(visit ? visit(this.textOf(at, end), start) : this.value(start, depth + 1));
      const next = this.text.charCodeAt(at);
      if (next === closeBrace) return at + 1;
      if (next !== comma) throw this.#syntax(at);
      at = this.space(at + 1);
    }
  }

  /** The same for an array and its elements. */
  array(at: number, depth: number, visit?: (at: number) => number): number {
    this.#deeper(depth);
    at = this.space(at + 1);
    if (this.text.charCodeAt(at) === closeBracket) return at + 1;
    for (;;) {
      at = this.space(visit ? visit(at) : this.value(at, depth + 1));
      const next = this.text.charCodeAt(at);
      if (next === closeBracket) return at + 1;
      if (next !== comma) throw this.#syntax(at);
      at = this.space(at + 1);
    }
  }

  /** Checks the string at `at`; returns the index behind it. */
  string(at: number): number {
    const { text } = this;
    if (text.charCodeAt(at) !== quote) throw this.#syntax(at);
    const start = at;
    for (at += 1; ; at += 1) {
      const code = text.charCodeAt(at);
      if (code === quote) return at + 1;
      if (code === backslash) at = this.#escape(at + 1);
      // Not a number is the end of the text.
      else if (!(code >= 0x20)) throw this.#syntax(at);
      else if (at - start > shortRun) {
        plain.lastIndex = at;
        plain.test(text);
        at = plain.lastIndex - 1;
      }
    }
  }

  /** What the string between two indices says. */
  textOf(start: number, end: number): string {
    const raw = this.text.slice(start + 1, end - 1);
    return raw.includes('\\') ? String(JSON.parse(this.text.slice(start, end))) : raw;
  }

  /** Checks that nothing but white space follows. */
  end(at: number): void {
    const end = this.space(at);
    if (end < this.text.length) throw this.#syntax(end);
  }

  #escape(at: number): number {
    const code = this.text.charCodeAt(at);
    if (shortEscapes.has(code)) return at;
    if (code !== 0x75) throw this.#syntax(at);
    for (let digit = 1; digit <= 4; digit += 1) {
      const one = this.text.charCodeAt(at + digit);
      const lower = one | 0x20;
      if (!((one >= 0x30 && one <= 0x39) || (lower >= 0x61 && lower <= 0x66))) throw this.#syntax(at + digit);
    }
    return at + 4;
  }

  #literal(at: number, word: string): number {
    if (!this.text.startsWith(word, at)) throw this.#syntax(at);
    return at + word.length;
  }

  #number(at: number): number {
    const { text } = this;
    if (text.charCodeAt(at) === 0x2d) at += 1;
    if (text.charCodeAt(at) === 0x30) at += 1;
    else at = this.#digits(at);
    if (text.charCodeAt(at) === 0x2e) at = this.#digits(at + 1);
    if ((text.charCodeAt(at) | 0x20) === 0x65) {
      const sign = text.charCodeAt(at + 1);
      at = this.#digits(sign === 0x2b || sign === 0x2d ? at + 2 : at + 1);
    }
    return at;
  }

  #digits(at: number): number {
    const start = at;
    for (; ; at += 1) {
      const code = this.text.charCodeAt(at);
      if (!(code >= 0x30 && code <= 0x39)) break;
    }
    if (at === start) throw this.#syntax(at);
    return at;
  }

  #deeper(depth: number): void {
    if (depth >= this.#limits.depth)
      throw new JsonRefusal('depth', `The JSON is nested deeper than ${this.#limits.depth} levels.`);
  }

  #syntax(at: number): JsonRefusal {
    return new JsonRefusal('syntax', `unexpected character at ${at}`);
  }
}
