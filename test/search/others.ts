import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import MiniSearch from 'minisearch';
import { packagedFile } from '../../src/server/config/config.ts';
import { readWordVectors } from '../../src/server/search/word-vectors.ts';
import { nameOf, readCorpus } from './corpus.ts';
import { plainEngine, textsByName } from './engines.ts';

/** A way to search: the names of what it finds, the best first. */
export type Approach = (query: string) => string[];

/** How well things fit a query by one measure: by name; what is missing does not fit. */
type Scores = ReadonlyMap<string, number>;

const items = readCorpus().flat();
const names = items.map(nameOf);
const fields = items.map(({ name, owner, tags, description }) => ({
  name: name.replace(/[_-]/g, ' '),
  owner,
  tags: tags.join(' '),
  body: description,
}));

/** SQLite's own full-text index, with any of the words: the scores of the best 200. */
function fullTextScores(tokenizer: string): (query: string) => Scores {
  const db = new DatabaseSync(':memory:');
  db.exec(`CREATE VIRTUAL TABLE things USING fts5(name, owner, tags, body, tokenize='${tokenizer}')`);
  const insert = db.prepare('INSERT INTO things(rowid, name, owner, tags, body) VALUES (?, ?, ?, ?, ?)');
  for (const [at, { name, owner, tags, body }] of fields.entries()) insert.run(at, name, owner, tags, body);
  const select = db.prepare(
    'SELECT rowid, -bm25(things, 4, 2, 1.5, 1) AS score FROM things WHERE things MATCH ? ORDER BY score DESC LIMIT 200',
  );
  return (query) => {
    const words =
      query.match(/[\p{L}\p{N}]+/gu)?.filter((word) => tokenizer !== 'trigram' || word.length >= 3) ?? [];
    if (words.length === 0) return new Map();
    const rows = select.all(words.map((word) => `"${word}"`).join(' OR ')) as {
      rowid: number;
      score: number;
    }[];
    return new Map(rows.map(({ rowid, score }) => [names[rowid] as string, score]));
  };
}

/** SQLite's own full-text index alone. */
export function fullText(tokenizer: string): Approach {
  const scores = fullTextScores(tokenizer);
  return (query) => inOrder(scores(query));
}

/** MiniSearch with prefixes and a fifth of each word's letters wrong. */
export function miniSearch(): Approach {
  const index = new MiniSearch({ fields: ['name', 'owner', 'tags', 'body'] });
  index.addAll(fields.map((one, id) => ({ id, ...one })));
  const options = { prefix: true, fuzzy: 0.2, boost: { name: 4, owner: 2, tags: 1.5, body: 1 } };
  return (query) => index.search(query, options).map(({ id }) => names[id as number] as string);
}

/** Both full-text indexes .15 each, as shares of their best, and the table of word vectors .7. */
export function fullTextAndTable(): Approach {
  const [porter, trigram] = [fullTextScores('porter unicode61'), fullTextScores('trigram')];
  const table = readWordVectors(packagedFile('assets/search/word-vectors.bin'));
  const vectors = [...textsByName()].map(([name, text]) => [name, table.embed(text)] as const);
  return (query) => {
    const asked = table.embed(query);
    const meaning = new Map(vectors.map(([name, vector]) => [name, product(asked, vector)]));
    return inOrder(
      sum([
        [0.15, asShares(porter(query))],
        [0.15, asShares(trigram(query))],
        [0.7, meaning],
      ]),
    );
  };
}

/** The ranks of the full-text index and of MiniLM, fused (reciprocal rank fusion, k = 60). */
export function fusedWithMiniLm(): Approach {
  const [porter, miniLm] = [fullTextScores('porter unicode61'), miniLmScores()];
  const ofRank = (found: readonly string[]): Scores =>
    new Map(found.slice(0, 100).map((name, at) => [name, 1 / (60 + at + 1)]));
  return (query) =>
    inOrder(
      sum([
        [1, ofRank(inOrder(porter(query)))],
        [1, ofRank(inOrder(miniLm(query)))],
      ]),
    );
}

/** Our words .4 and the whole of MiniLM .6, names first. */
export function wordsAndMiniLm(): Approach {
  const [words, miniLm] = [plainEngine({ words: 1, meaning: 0 }), miniLmScores()];
  return (query) => {
    const hits = words(query);
    const named = hits.filter(({ score }) => score > 0.9);
    const fit = new Map(hits.map(({ name, score }) => [name, Math.min(1, score / 0.65)]));
    const blend = sum([
      [0.4, fit],
      [0.6, miniLm(query)],
    ]);
    const first = named.map(({ name }) => name);
    return [...first, ...inOrder(blend).filter((name) => !first.includes(name))];
  };
}

const file = fileURLToPath(new URL('minilm-vectors.bin', import.meta.url));
const [dimensions, keySize] = [384, 8];
const recordSize = keySize + 4 + dimensions;
const keyOf = (text: string): string =>
  createHash('sha256')
    .update(text)
    .digest('hex')
    .slice(0, 2 * keySize);

/**
 * The cosine of the query and each thing by all-MiniLM-L6-v2, whose vectors of both are in a file: records of 8 bytes of the
 * text's SHA-256, a float32 scale (little endian) and 384 int8.
 */
function miniLmScores(): (query: string) => Scores {
  const bytes = readFileSync(file);
  const kept = new Map<string, Float32Array>();
  for (let from = 0; from < bytes.length; from += recordSize) {
    const scale = bytes.readFloatLE(from + keySize);
    const row = new Int8Array(bytes.buffer, bytes.byteOffset + from + keySize + 4, dimensions);
    kept.set(
      bytes.toString('hex', from, from + keySize),
      Float32Array.from(row, (value) => value * scale),
    );
  }
  const vectorOf = (text: string): Float32Array => {
    const vector = kept.get(keyOf(text));
    if (vector) return vector;
    throw new Error(
      `minilm-vectors.bin has no vector of '${text.slice(0, 60)}'. Make the file anew with a service of embeddings that has all-MiniLM-L6-v2: node test/search/measure.ts vectors http://localhost:8080/v1`,
    );
  };
  const things = [...textsByName()].map(([name, text]) => [name, vectorOf(text)] as const);
  return (query) => {
    const asked = vectorOf(query);
    return new Map(things.map(([name, vector]) => [name, product(asked, vector)]));
  };
}

/** Asks a service with OpenAI's API for the vectors of texts, and writes them into the file. */
export async function writeMiniLm(url: string, texts: readonly string[]): Promise<void> {
  const all = [...new Set(texts)];
  const records: Buffer[] = [];
  for (let from = 0; from < all.length; from += 16) {
    const input = all.slice(from, from + 16);
    const response = await fetch(`${url}/embeddings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'sentence-transformers/all-MiniLM-L6-v2', input }),
    });
    const { data } = (await response.json()) as { data: { embedding: number[] }[] };
    for (const [at, { embedding }] of data.entries()) {
      const record = Buffer.alloc(recordSize);
      record.write(keyOf(input[at] as string), 'hex');
      const scale = Math.max(...embedding.map(Math.abs)) / 127;
      record.writeFloatLE(scale, keySize);
      for (const [place, value] of embedding.entries())
        record.writeInt8(Math.round(value / scale), keySize + 4 + place);
      records.push(record);
    }
  }
  writeFileSync(file, Buffer.concat(records));
}

function product(a: Float32Array, b: Float32Array): number {
  let result = 0;
  for (let at = 0; at < a.length; at++) result += (a[at] as number) * (b[at] as number);
  return result;
}

function asShares(scores: Scores): Scores {
  const most = Math.max(...scores.values(), 1e-9);
  return new Map([...scores].map(([name, score]) => [name, score / most]));
}

function sum(parts: readonly (readonly [share: number, scores: Scores])[]): Scores {
  const total = new Map<string, number>();
  for (const [share, scores] of parts)
    for (const [name, score] of scores) total.set(name, (total.get(name) ?? 0) + share * score);
  return total;
}

function inOrder(scores: Scores): string[] {
  return [...scores].sort((a, b) => b[1] - a[1]).map(([name]) => name);
}
