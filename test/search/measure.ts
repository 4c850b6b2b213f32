import {
  files,
  type Graded,
  ndcg,
  type Part,
  parts,
  readCorpus,
  readQueries,
  reciprocalRank,
} from './corpus.ts';
import { ours, plainEngine, textsByName } from './engines.ts';
import {
  type Approach,
  fullText,
  fullTextAndTable,
  fusedWithMiniLm,
  miniSearch,
  wordsAndMiniLm,
  writeMiniLm,
} from './others.ts';

const queries = files.flatMap((file) => readQueries(readCorpus().flat(), file));

/** Every simpler way to search that ours is compared with. */
export function otherApproaches(): Record<string, Approach> {
  const plain =
    (words: number, meaning: number): Approach =>
    (query) =>
      plainEngine({ words, meaning })(query).map(({ name }) => name);
  return {
    'FTS5 porter': fullText('porter unicode61'),
    'MiniSearch fuzzy + prefix': miniSearch(),
    'FTS5 trigram': fullText('trigram'),
    'BM25F alone': plain(1, 0),
    'table alone': plain(0, 1),
    'FTS5 .15 + .15, table .7': fullTextAndTable(),
    'BM25F .4, table .6': plain(0.4, 0.6),
    'ranks of FTS5 and MiniLM': fusedWithMiniLm(),
    'BM25F .4, MiniLM .6': wordsAndMiniLm(),
  };
}

interface Figures {
  readonly ndcg: number;
  readonly mrr: number;
  readonly count: number;
}

/** The figures of an approach by category, and over all that have an answer. */
export function figuresOf(approach: Approach, part: Part): Map<string, Figures> {
  const sums = new Map<string, { ndcg: number; mrr: number; count: number }>();
  for (const graded of queries) {
    if (graded.part !== part) continue;
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
  const [, , command = 'table', argument = 'dev', category] = process.argv;
  if (command === 'misses') misses(ours(), argument, category);
  else if (command === 'vectors')
    await writeMiniLm(argument, [...textsByName().values(), ...queries.map(({ query }) => query)]);
  else {
    const approaches = { ...(command === 'all' ? otherApproaches() : {}), ours: ours() };
    for (const part of parts) {
      console.log(part);
      for (const [name, approach] of Object.entries(approaches)) show(name, figuresOf(approach, part));
    }
  }
}
