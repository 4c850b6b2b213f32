import { readFileSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import { ByteRows, dimensions } from './byte-rows.ts';

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
  /** How much a word says by itself: the length of its vector, short for words that go with everything (`someone`, `today`). */
  says(word: string): number;
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
  const sumOf = (text: string): Float32Array => {
    const vector = new Float32Array(size);
    for (const token of tokensOf(text, tokens)) {
      const [from, scale] = [token * size, scales[token] as number];
      for (let at = 0; at < size; at++)
        vector[at] = (vector[at] as number) + scale * (rows[from + at] as number);
    }
    return vector;
  };
  return {
    knows: (word) => tokens.has(word),
    says: (word) => lengthOf(sumOf(word)),
    embed: (text) => normalized(sumOf(text)),
  };
}

/** Single words with their directions, to compare many of them with one. */
export class Directions {
  readonly rows = new ByteRows();
  private readonly places = new Map<string, number>();
  /** Of the words of queries, which come again and again. */
  private readonly asked = new LRUCache<string, Float32Array>({ max: 2000 });
  private readonly vectors: WordVectors;

  constructor(vectors: WordVectors) {
    this.vectors = vectors;
  }

  /** How many words there are. */
  get size(): number {
    return this.places.size;
  }

  /** The place of a word. */
  of(word: string): number {
    const known = this.places.get(word);
    if (known !== undefined) return known;
    const place = this.places.size;
    this.rows.set(place, this.vectors.embed(word));
    this.places.set(word, place);
    return place;
  }

  /** How near the words at places are to a word that need not be here: what is less than 0 counts as 0. */
  near(word: string, places: Int32Array): Float32Array {
    const vector = this.asked.get(word) ?? this.vectors.embed(word);
    this.asked.set(word, vector);
    const { products, scale } = this.rows.compare(vector, places);
    const cosines = new Float32Array(places.length);
    for (let at = 0; at < places.length; at++)
      cosines[at] = Math.max(
        0,
        (products[at] as number) * scale * (this.rows.scales[places[at] as number] as number),
      );
    return cosines;
  }
}

/** The vector with length 1; one of length 0 stays as it is. */
export function normalized(vector: Float32Array): Float32Array {
  const length = lengthOf(vector);
  if (length > 0) for (let at = 0; at < vector.length; at++) vector[at] = (vector[at] as number) / length;
  return vector;
}

function lengthOf(vector: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < vector.length; at++) sum += (vector[at] as number) ** 2;
  return Math.sqrt(sum);
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
