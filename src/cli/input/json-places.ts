/** Where something is in a text: both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** What a look through a JSON text finds: where each value begins, and the first fault if there is one. */
export interface JsonPlaces {
  /** Where the value at a path begins; the path is joined with dots (`tags.0`), and '' is the whole value. */
  at(path: string): Place | undefined;
  readonly fault?: Place & { readonly message: string };
}

/** How deep arrays and objects may nest; more is a fault. */
const deepest = 200;

class Fault extends Error {}

/** Finds the places of a JSON text (RFC 8259). JSON.parse gives the value but, for many faults, no position. */
export function jsonPlaces(text: string): JsonPlaces {
  const scan = new Scan(text);
  const at = (path: string): Place | undefined => {
    const offset = scan.begins.get(path);
    return offset === undefined ? undefined : placeOf(text, offset);
  };
  try {
    scan.document();
    return { at };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { at, fault: { ...placeOf(text, scan.offset), message: error.message } };
  }
}

function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

class Scan {
  readonly begins = new Map<string, number>();
  offset = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  document(): void {
    this.value('', 0);
    if (this.offset < this.text.length) throw new Fault(`there is ${this.here()} after the end of the value`);
  }

  private value(path: string, depth: number): void {
    if (depth > deepest) throw new Fault(`this is nested more than ${deepest} deep`);
    this.space();
    this.begins.set(path, this.offset);
    const first = this.text[this.offset];
    if (first === '{') this.object(path, depth);
    else if (first === '[') this.array(path, depth);
    else if (first === '"') this.string();
    else if (!this.take(/(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y))
      throw new Fault(`a value is expected, not ${this.here()}`);
    this.space();
  }

  private object(path: string, depth: number): void {
    this.list('}', (index) => {
      if (this.text[this.offset] !== '"')
        throw new Fault(`a name in double quotes${index ? '' : " or '}'"} is expected, not ${this.here()}`);
      const name: unknown = JSON.parse(this.string());
      this.space();
      if (!this.take(/:/y)) throw new Fault(`':' is expected, not ${this.here()}`);
      this.value(path ? `${path}.${name}` : String(name), depth + 1);
    });
  }

  private array(path: string, depth: number): void {
    this.list(']', (index) => this.value(path ? `${path}.${index}` : String(index), depth + 1));
  }

  private list(end: string, element: (index: number) => void): void {
    this.offset += 1;
    this.space();
    for (let index = 0; index > 0 || this.text[this.offset] !== end; index++) {
      element(index);
      this.space();
      if (this.text[this.offset] === end) break;
      if (!this.take(/,/y)) throw new Fault(`',' or '${end}' is expected, not ${this.here()}`);
      this.space();
    }
    this.offset += 1;
  }

  private string(): string {
    const found = this.take(
      /"[ !#-[\]-\u{10ffff}]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[ !#-[\]-\u{10ffff}]*)*"/uy,
    );
    if (found === undefined) throw new Fault('this text has no end, or holds a line break or a wrong escape');
    return found;
  }

  private space(): void {
    this.take(/[ \t\r\n]*/y);
  }

  private take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.offset;
    const found = pattern.exec(this.text)?.[0];
    this.offset += found?.length ?? 0;
    return found;
  }

  private here(): string {
    const next = this.text.codePointAt(this.offset);
    return next === undefined ? 'the end of the text' : `'${String.fromCodePoint(next)}'`;
  }
}
