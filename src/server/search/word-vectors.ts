import { readFileSync } from 'node:fs';

/** Numbers of a vector. */
export const dimensions = 128;

/**
 * A table of word vectors, so that texts of one meaning are near each other without a model to run. Made from the token
 * vectors of all-MiniLM-L6-v2 (Apache-2.0, see NOTICE). The file, little endian: `MGSE`; uint32 dimensions; uint32 count;
 * a float32 scale per token; the rows as int8; the tokens as lines of UTF-8.
 */
export interface WordVectors {
  /** The direction of a text: its tokens' vectors added up, of length 1; all zero where no token is known. */
  embed(text: string): Float32Array;
  /** Whether the word is a token by itself: then it is a word, and no slip of the pen. */
  knows(word: string): boolean;
}

/** Reads the table from its file. */
export function readWordVectors(file: string): WordVectors {
  const bytes = readFileSync(file);
  const size = bytes.readUInt32LE(4);
  const count = bytes.readUInt32LE(8);
  if (bytes.toString('latin1', 0, 4) !== 'MGSE' || size !== dimensions)
    throw new Error(`${file} is not a table of word vectors with ${dimensions} dimensions`);
  const afterScales = 12 + count * 4;
  const scales = new Float32Array(bytes.buffer.slice(bytes.byteOffset + 12, bytes.byteOffset + afterScales));
  const afterRows = afterScales + count * size;
  const rows = new Int8Array(
    bytes.buffer.slice(bytes.byteOffset + afterScales, bytes.byteOffset + afterRows),
  );
  const tokens = new Map(
    bytes
      .toString('utf8', afterRows)
      .split('\n')
      .slice(0, count)
      .map((token, at) => [token, at]),
  );
  return {
    knows: (word) => tokens.has(word),
    embed(text) {
      const vector = new Float32Array(size);
      for (const token of tokensOf(text, tokens)) {
        const [from, scale] = [token * size, scales[token] as number];
        for (let at = 0; at < size; at++)
          vector[at] = (vector[at] as number) + scale * (rows[from + at] as number);
      }
      return normalized(vector);
    },
  };
}

/** Single words with their directions, to compare many of them with one: each is kept once, in a byte a number. */
export class Directions {
  private readonly places = new Map<string, number>();
  private rows = new Int8Array(1024 * dimensions);
  private scales = new Float32Array(1024);
  private readonly vectors: WordVectors;

  constructor(vectors: WordVectors) {
    this.vectors = vectors;
  }

  /** The place of a word. */
  of(word: string): number {
    const known = this.places.get(word);
    if (known !== undefined) return known;
    const place = this.places.size;
    if (place >= this.scales.length) {
      const [rows, scales] = [new Int8Array(this.rows.length * 2), new Float32Array(this.scales.length * 2)];
      rows.set(this.rows);
      scales.set(this.scales);
      [this.rows, this.scales] = [rows, scales];
    }
    this.scales[place] = toBytes(this.vectors.embed(word), this.rows, place * dimensions);
    this.places.set(word, place);
    return place;
  }

  /** How near the words at places are to a word that need not be here: cosines, each found once. */
  comparedWith(word: string): (place: number) => number {
    const vector = this.vectors.embed(word);
    const known = new Map<number, number>();
    return (place) => {
      const before = known.get(place);
      if (before !== undefined) return before;
      let dot = 0;
      for (let at = 0, from = place * dimensions; at < dimensions; at++)
        dot += (vector[at] as number) * (this.rows[from + at] as number);
      const cosine = dot * (this.scales[place] as number);
      known.set(place, cosine);
      return cosine;
    };
  }
}

/** The vector with length 1; one of length 0 stays as it is. */
export function normalized(vector: Float32Array): Float32Array {
  let sum = 0;
  for (const value of vector) sum += value * value;
  if (sum > 0) {
    const factor = 1 / Math.sqrt(sum);
    for (let at = 0; at < vector.length; at++) vector[at] = (vector[at] as number) * factor;
  }
  return vector;
}

/** Writes a vector as bytes into `rows`; returns what each byte is to be multiplied by. */
export function toBytes(vector: Float32Array, rows: Int8Array, from: number): number {
  let most = 0;
  for (const value of vector) most = Math.max(most, Math.abs(value));
  for (let at = 0; at < vector.length; at++)
    rows[from + at] = most > 0 ? Math.round(((vector[at] as number) * 127) / most) : 0;
  return most / 127;
}

const pieces =
  /\p{Script=Han}|[\p{Script=Latin}\p{N}]+|\p{Script=Hiragana}+|\p{Script=Katakana}+|\p{L}+|[^\s\p{L}\p{N}]/gu;

/** WordPiece as BERT has it: words in lower case without accents, taken apart into the longest pieces that are known. */
function* tokensOf(text: string, tokens: ReadonlyMap<string, number>): Generator<number> {
  const folded = text
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{Mn}+/gu, '');
  for (const [word] of folded.matchAll(pieces)) {
    if (word.length > 60) continue;
    for (let from = 0; from < word.length; ) {
      let end = word.length;
      let found: number | undefined;
      for (; end > from; end--) {
        found = tokens.get(from > 0 ? `##${word.slice(from, end)}` : word.slice(0, end));
        if (found !== undefined) break;
      }
      if (found === undefined) break;
      yield found;
      from = end;
    }
  }
}
