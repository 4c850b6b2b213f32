import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Item, itemOfAgent, itemsOfServer } from '../../src/server/search/item.ts';

interface PublicServer {
  readonly name: string;
  readonly path: string;
  readonly tags: readonly string[];
  readonly description: string;
  readonly tools: { name: string; description: string; properties?: readonly string[] }[];
}

/** The parts of the queries. */
export const parts = [
  'dev',
  'test',
  'fresh',
  'seen',
  'unseen',
  'outside-a',
  'outside-b',
  'later-a',
  'later-b',
] as const;

/** Which part of the queries one belongs to. */
export type Part = (typeof parts)[number];

/** The files of queries; the two of outside are one part each. */
export const files = [
  'queries',
  'fresh-queries',
  'second-queries',
  'outside-a',
  'outside-b',
  'later-queries',
] as const;
type QueryFile = (typeof files)[number];

/** One query with what it should find: grades by thing, 3 for what was meant down to 1 for what is near. */
export interface Graded {
  readonly category: string;
  /**
   * For tuning (`dev`), for the figures (`test`), or written when the lexicon was done (`fresh`); and of a second author's
   * queries the half that may be looked at (`seen`) and the one that never was (`unseen`); and the same of a third author's,
   * who knew neither the lexicon nor the others' queries (`outside-a`, `outside-b`); and of a fourth's, who wrote for what
   * was weakest then, the half that may be looked at (`later-a`) and the other (`later-b`).
   */
  readonly part: Part;
  readonly query: string;
  readonly grades: ReadonlyMap<string, number>;
}

const text = (name: string): string => readFileSync(fileURLToPath(new URL(name, import.meta.url)), 'utf8');

/** The servers of the corpus: what published packages list, and others in our own words. */
export function readServers(): PublicServer[] {
  const servers = JSON.parse(text('public-servers.json')) as PublicServer[];
  for (const line of text('own-servers.txt').split('\n')) {
    if (line.startsWith('=')) {
      const [name = '', path = '', tags = '', description = ''] = line
        .slice(1)
        .split('|')
        .map((part) => part.trim());
      servers.push({ name, path, tags: tags.split(', '), description, tools: [] });
    } else if (/^[\w-]+: /.test(line)) {
      const [name = '', description = ''] = [
        line.slice(0, line.indexOf(':')),
        line.slice(line.indexOf(':') + 2),
      ];
      servers.at(-1)?.tools.push({ name, description });
    }
  }
  return servers;
}

/** The things of the corpus as they are indexed, by server or agent. */
export function readCorpus(): Item[][] {
  const servers = readServers().map(({ name, path, tags, description, tools }) =>
    itemsOfServer({
      path: `/${path}`,
      is_enabled: 1,
      definition: JSON.stringify({ server_name: name, description, tags }),
      tools: JSON.stringify({
        tools: tools.map(({ properties = [], ...tool }) => ({
          ...tool,
          inputSchema: { type: 'object', properties: Object.fromEntries(properties.map((one) => [one, {}])) },
        })),
      }),
    }),
  );
  const agents = text('own-servers.txt')
    .split('\n')
    .filter((line) => line.startsWith('@'))
    .map((line) => {
      const [name = '', path = '', tags = '', description = '', skills = ''] = line
        .slice(1)
        .split('|')
        .map((part) => part.trim());
      const card = {
        name,
        description,
        skills: skills.split('; ').map((one) => ({ name: one, description: '', tags: [] })),
      };
      const definition = JSON.stringify({ notes: { tags: tags.split(', ') } });
      return [itemOfAgent({ path: `/${path}`, definition, card: JSON.stringify(card), is_enabled: 1 })];
    });
  return [...servers, ...agents];
}

/** The name of an item in the file of queries. */
export function nameOf({ kind, path, name }: Pick<Item, 'kind' | 'path' | 'name'>): string {
  return kind === 'tool' ? `${path.slice(1)}/${name}` : path.slice(1);
}

const halves: Record<QueryFile, readonly [Part, Part]> = {
  queries: ['dev', 'test'],
  'fresh-queries': ['fresh', 'fresh'],
  'second-queries': ['seen', 'unseen'],
  'outside-a': ['outside-a', 'outside-a'],
  'outside-b': ['outside-b', 'outside-b'],
  'later-queries': ['later-a', 'later-b'],
};

/** The queries with their grades; `*` stands for each tool of a server. */
export function readQueries(items: readonly Item[], file: QueryFile = 'queries'): Graded[] {
  const names = items.map(nameOf);
  const seen = new Map<string, number>();
  return text(`${file}.txt`)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [category = '', query = '', graded = ''] = line
        .split(' | ')
        .map((part) => part.trim().replace(/ ?\|$/, ''));
      const grades = new Map<string, number>();
      for (const one of graded.split(' ').filter((part) => part !== '')) {
        const [thing = '', grade] = one.split('=');
        const meant = thing.endsWith('*')
          ? names.filter((name) => name.startsWith(thing.slice(0, -1)))
          : [thing];
        for (const name of meant) {
          if (!names.includes(name)) throw new Error(`'${query}' names ${name}, which is not in the corpus`);
          if (!grades.has(name)) grades.set(name, Number(grade));
        }
      }
      const count = seen.get(category) ?? 0;
      seen.set(category, count + 1);
      const part = halves[file][count % 2] as Part;
      return { category, query, grades, part };
    });
}

/** Normalized discounted cumulative gain of the first ten (gain 2^grade - 1), 0 to 1. */
export function ndcg(found: readonly string[], grades: ReadonlyMap<string, number>): number {
  const gain = (list: readonly number[]): number =>
    list.slice(0, 10).reduce((sum, grade, at) => sum + (2 ** grade - 1) / Math.log2(at + 2), 0);
  const best = gain([...grades.values()].sort((a, b) => b - a));
  return best === 0 ? 0 : gain(found.map((name) => grades.get(name) ?? 0)) / best;
}

/** One divided by the place of the first thing that was meant (grade 2 or 3). */
export function reciprocalRank(found: readonly string[], grades: ReadonlyMap<string, number>): number {
  const at = found.findIndex((name) => (grades.get(name) ?? 0) >= 2);
  return at < 0 ? 0 : 1 / (at + 1);
}
