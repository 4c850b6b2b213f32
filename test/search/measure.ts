import { DatabaseSync } from 'node:sqlite';
import type { Item } from '../../src/server/search/item.ts';
import { tuning } from '../../src/server/search/query.ts';
import { weights } from '../../src/server/search/rank.ts';
import { createEngine } from '../../src/server/search/search.ts';
import { kinship } from '../../src/server/search/vocabulary.ts';
import {
  files,
  type Graded,
  nameOf,
  ndcg,
  parts,
  readCorpus,
  readQueries,
  reciprocalRank,
} from './corpus.ts';

/** A way to search: the names of what it finds, the best first. */
type Approach = (query: string) => string[];

const corpus = readCorpus();
const items = corpus.flat();
const queries = files.flatMap((file) => readQueries(items, file));

/** Everybody may find everything. */
export const everything = { key: {}, maySee: () => true, mayCall: () => true };

/** Our engine over the corpus. */
export function ours(): Approach {
  const engine = createEngine();
  for (const group of corpus) engine.index.put(group[0]?.id ?? '', group);
  return (query) => engine.search(everything, query).hits.map(({ item }) => nameOf(item));
}

/** Our engine without the lexicon, without the names' own words, and with other shares of words and meaning. */
export function plainEngine(shares: { words: number; meaning: number }): Approach {
  return (query) => {
    const before = { ...weights, plain: tuning.plain, kin: kinship.most };
    Object.assign(weights, shares, { name: 0, near: 0, least: 0, part: 0 });
    [tuning.plain, kinship.most] = [0, 0];
    try {
      return withoutLexicon()(query);
    } finally {
      [tuning.plain, kinship.most] = [before.plain, before.kin];
      Object.assign(weights, before);
    }
  };
}

let plain: ReturnType<typeof createEngine> | undefined;
function withoutLexicon(): Approach {
  if (!plain) {
    plain = createEngine('test/search/no-lexicon.txt');
    for (const group of corpus) plain.index.put(group[0]?.id ?? '', group);
  }
  const engine = plain;
  // A key of its own for each query, so that no other weights' results are found again.
  return (query) => engine.search({ ...everything, key: {} }, query).hits.map(({ item }) => nameOf(item));
}

function textsOf(item: Item): string[] {
  return [item.name.replace(/[_-]/g, ' '), item.owner, item.tags.join(' '), item.description];
}

/** SQLite's own full-text index, with any of the words. */
export function fullText(tokenizer: string): Approach {
  const db = new DatabaseSync(':memory:');
  db.exec(`CREATE VIRTUAL TABLE things USING fts5(name, owner, tags, body, tokenize='${tokenizer}')`);
  const insert = db.prepare('INSERT INTO things(rowid, name, owner, tags, body) VALUES (?, ?, ?, ?, ?)');
  for (const [at, item] of items.entries()) insert.run(at, ...textsOf(item));
  const select = db.prepare(
    'SELECT rowid FROM things WHERE things MATCH ? ORDER BY bm25(things, 4, 2, 1.5, 1) LIMIT 50',
  );
  return (query) => {
    const words =
      query.match(/[\p{L}\p{N}]+/gu)?.filter((word) => tokenizer !== 'trigram' || word.length >= 3) ?? [];
    if (words.length === 0) return [];
    const rows = select.all(words.map((word) => `"${word}"`).join(' OR ')) as { rowid: number }[];
    return rows.map(({ rowid }) => nameOf(items[rowid] as Item));
  };
}

interface Figures {
  readonly ndcg: number;
  readonly mrr: number;
  readonly count: number;
}

/** The figures of an approach by category, and over all that have an answer. */
export function figuresOf(approach: Approach, part: Graded['part'] | 'all'): Map<string, Figures> {
  const sums = new Map<string, { ndcg: number; mrr: number; count: number }>();
  for (const graded of queries) {
    if (part !== 'all' && graded.part !== part) continue;
    const found = approach(graded.query);
    const none = graded.category === 'none';
    const one = none ? Number(found.length === 0) : ndcg(found, graded.grades);
    for (const key of none ? ['none'] : [graded.category, 'all']) {
      const sum = sums.get(key) ?? { ndcg: 0, mrr: 0, count: 0 };
      sum.ndcg += one;
      sum.mrr += reciprocalRank(found, graded.grades);
      sum.count += 1;
      sums.set(key, sum);
    }
  }
  return new Map(
    [...sums].map(([key, { ndcg, mrr, count }]) => [key, { ndcg: ndcg / count, mrr: mrr / count, count }]),
  );
}

function show(name: string, figures: Map<string, Figures>): void {
  const cells = [...figures].map(([key, one]) => `${key} ${one.ndcg.toFixed(3)}`);
  console.log(`${name.padEnd(28)} ${cells.join('  ')}  mrr ${figures.get('all')?.mrr.toFixed(3)}`);
}

/** What was found for each query that is not as it should be. */
function misses(approach: Approach, part: string, category: string | undefined): void {
  for (const { category: own, query, grades, part: of } of queries as Graded[]) {
    if (of !== part || (category && own !== category)) continue;
    const found = approach(query);
    const value = own === 'none' ? Number(found.length === 0) : ndcg(found, grades);
    if (value > 0.85) continue;
    console.log(`\n${value.toFixed(2)} [${own}] ${query}`);
    console.log(
      '  ',
      found
        .slice(0, 8)
        .map((name) => `${name}${grades.has(name) ? `=${grades.get(name)}` : ''}`)
        .join('  '),
    );
    const lost = [...grades].filter(([name, grade]) => grade === 3 && !found.slice(0, 10).includes(name));
    if (lost.length)
      console.log('   lost:', lost.map(([name]) => `${name}@${found.indexOf(name) + 1}`).join(' '));
  }
}

if (process.argv[1]?.endsWith('measure.ts')) {
  const [, , command = 'table', part = 'dev', category] = process.argv;
  if (command === 'misses') misses(ours(), part, category);
  else {
    for (const half of parts) {
      console.log(half);
      if (command === 'all') {
        show('FTS5 porter', figuresOf(fullText('porter unicode61'), half));
        show('FTS5 trigram', figuresOf(fullText('trigram'), half));
        show('word vectors alone', figuresOf(plainEngine({ words: 0, meaning: 1 }), half));
        show('BM25F alone', figuresOf(plainEngine({ words: 1, meaning: 0 }), half));
        show('BM25F .4 + vectors .6', figuresOf(plainEngine({ words: 0.4, meaning: 0.6 }), half));
      }
      show('ours', figuresOf(ours(), half));
    }
  }
}
